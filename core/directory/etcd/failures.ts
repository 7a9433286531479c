/** What goes wrong with etcd, in words that say what to do. Everything that leaves this folder is a DirectoryError. */
import { DirectoryError } from "../directory.ts";
import { failureAnswer } from "./answers.ts";

/** gRPC status codes that etcd's answers carry and we act on. */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const OUT_OF_RANGE = 11;
const UNAUTHENTICATED = 16;
/** Cancelled, unknown, deadline, aborted, internal, unavailable: this endpoint cannot, another one may. */
const ELSEWHERE = new Set([1, 2, 4, 10, 13, 14]);

/** etcd understood and said no. */
export class EtcdRefusalError extends DirectoryError {
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }

  get isLeaseGone(): boolean {
    return this.code === NOT_FOUND;
  }

  /** The revision that was asked for is no longer there, or not yet. */
  get isRevisionGone(): boolean {
    return this.code === OUT_OF_RANGE;
  }

  get isTokenWorthless(): boolean {
    return this.code === UNAUTHENTICATED;
  }
}

/** No endpoint could answer. */
export class EtcdUnreachableError extends DirectoryError {}

/** One endpoint could not answer, which says nothing of the others. */
export class EndpointError extends Error {
  override readonly name = "EndpointError";
}

/** What an answer with a status other than 200 means; EndpointError or EtcdRefusalError. */
export function failureOf(status: number, text: string, prefix: string): Error {
  const failure = failureAnswer.safeParse(jsonOf(text));
  if (!failure.success || failure.data.code === undefined) {
    return new EndpointError(
      status === 404
        ? "what answers there is no etcd v3 with its JSON gateway"
        : `its answer (HTTP status ${status}) is not etcd's`,
    );
  }
  const { code, message, error } = failure.data;
  const said = message ?? (typeof error === "string" ? error : "nothing");
  return ELSEWHERE.has(code) ? new EndpointError(said) : refusalOf(code, said, prefix);
}

/** What etcd calls `said`, with advice. Also for the reasons that a watch gives. */
export function refusalOf(code: number, said: string, prefix: string): EtcdRefusalError {
  // Older versions give some of these the code of a wrong argument.
  if (/invalid auth token|auth store is old/.test(said)) {
    return new EtcdRefusalError("etcd no longer takes our token: try again", UNAUTHENTICATED);
  }
  if (/authentication failed/.test(said)) {
    return new EtcdRefusalError(
      "etcd does not know this user with this password: check TRIBUTARY_ETCD_USER and TRIBUTARY_ETCD_PASSWORD",
      code,
    );
  }
  if (/user name is empty/.test(said)) {
    return new EtcdRefusalError(
      "etcd asks who we are: set TRIBUTARY_ETCD_USER and TRIBUTARY_ETCD_PASSWORD",
      code,
    );
  }
  if (code === PERMISSION_DENIED || /permission denied/.test(said)) {
    return new EtcdRefusalError(
      `etcd does not let us at our keys: give our user a role that may read and write everything that begins with ${prefix}`,
      PERMISSION_DENIED,
    );
  }
  return new EtcdRefusalError(`etcd refused (${said}): look at its log`, code);
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A compare-and-set that somebody else was faster at, again and again. */
export function tooContended(what: string): DirectoryError {
  return new DirectoryError(`${what} changed faster than it could be written: try again`);
}
