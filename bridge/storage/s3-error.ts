/** What S3 answers when it does not do what was asked, as a StorageError that says what to do about it. */
import { StorageError } from "./storage.ts";

/** `status` 0: there was no answer. `code` as S3 calls it (its "List of error codes"), or empty. */
export class S3Error extends StorageError {
  readonly status: number;
  readonly code: string;
  /** What Retry-After asks for, milliseconds. */
  readonly retryAfterMs: number | undefined;
  constructor(
    message: string,
    options: { status: number; code: string; temporary: boolean; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, options.temporary, { cause: options.cause });
    this.status = options.status;
    this.code = options.code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What to do, by error code. */
const ADVICE: Readonly<Record<string, string>> = {
  AccessDenied: "allow this key to list, read, write and delete in the bucket, and to list and abort uploads",
  InvalidAccessKeyId: "set an access key that exists",
  SignatureDoesNotMatch: "set the secret that belongs to the access key, and the bucket's region",
  ExpiredToken: "set a session token that is still valid",
  InvalidToken: "set the session token that belongs to the access key, or none",
  NoSuchBucket: "make the bucket, or set the name of one that exists",
  RequestTimeTooSkewed: "set this machine's clock right",
  AuthorizationHeaderMalformed: "set the region that the bucket lies in",
  PermanentRedirect: "set the endpoint and region that the bucket lies in",
  QuotaExceeded: "delete recordings, or raise the bucket's quota",
  SlowDown: "it is tried again more slowly",
};

/** 400 with these codes is the network's fault, or will pass. */
const PASSING_CODES = new Set(["RequestTimeout", "XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody"]);
const PASSING_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504]);

export interface S3Refusal {
  /** As in "PUT a/b". */
  doing: string;
  status: number;
  code: string;
  retryAfterMs?: number | undefined;
  /** x-amz-bucket-region: where the bucket really is. */
  region?: string | undefined;
}

export function refusal({ doing, status, code, retryAfterMs, region }: S3Refusal): S3Error {
  const isElsewhere = status === 301 || status === 307 || status === 308;
  const advice = isElsewhere
    ? `set the bucket's region${region ? `, ${region.slice(0, 40)}` : ""}, or its endpoint`
    : ADVICE[code];
  const what = code === "" ? `status ${status}` : `${code} (${status})`;
  const temporary = PASSING_STATUSES.has(status) || PASSING_CODES.has(code);
  const rest = advice ?? (temporary ? "it is tried again" : "see its log");
  return new S3Error(`S3 answered ${what} to ${doing}: ${rest}.`, {
    status,
    code,
    temporary,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** No answer, or half of one. */
export function noAnswer(doing: string, cause: unknown): S3Error {
  const why = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause : cause).message : "";
  return new S3Error(
    `S3 did not answer ${doing}${why ? ` (${why.slice(0, 120)})` : ""}: it is tried again.`,
    {
      status: 0,
      code: "",
      temporary: true,
      cause,
    },
  );
}
