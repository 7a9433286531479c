/** Request line and headers as source clients send them: HTTP/1.0 and 1.1 (RFC 9112), and `SOURCE /mount ICE/1.0`, which is the same with another name. */
import { IcecastError } from "./icecast-error.ts";
import { MAX_HEAD_BYTES, MAX_HEADERS } from "./limits.ts";

export interface RequestHead {
  /** PUT, SOURCE, GET ... as it was sent. */
  method: string;
  /** Decoded, begins with a slash. */
  path: string;
  query: ReadonlyMap<string, string>;
  /** It understands 100 and chunks. */
  http11: boolean;
  /** By name in lower case; the first of several that have one name. */
  headers: ReadonlyMap<string, string>;
}

const CR = 13;
const LF = 10;
const REQUEST_LINE = /^([A-Z]{1,16}) (\/[!-~]*) (HTTP\/1\.[01]|ICE\/1\.0)$/;
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/;
/** Two that differ would make it unclear where the body ends or who it is from. */
const ONCE = new Set(["authorization", "content-length", "content-type", "expect", "transfer-encoding"]);

/** Where the body begins, or -1 while the headers are not whole. Lines may end with LF alone. Look from `from` on: what comes before is known to hold no end. */
export function endOfHead(bytes: Uint8Array, from = 0): number {
  for (let at = Math.max(0, from - 3); at < bytes.length; at++) {
    if (bytes[at] !== LF) continue;
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

/** @throws IcecastError 400, 431 */
export function parseHead(bytes: Uint8Array): RequestHead {
  if (bytes.length > MAX_HEAD_BYTES) throw tooLarge();
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  const [, method, target, version] = REQUEST_LINE.exec(lines[0] ?? "") ?? [];
  if (method === undefined || target === undefined) {
    throw new IcecastError(400, "This is an Icecast source server: send PUT or SOURCE with a mount point.");
  }
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) {
    if (line === "") break;
    const [, name, value] = HEADER_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined || /\p{Cc}/u.test(value)) {
      throw new IcecastError(400, "A header line is malformed.");
    }
    const key = name.toLowerCase();
    if (headers.size >= MAX_HEADERS) throw tooLarge();
    if (!headers.has(key)) headers.set(key, value);
    else if (ONCE.has(key)) throw new IcecastError(400, `The header ${key} must be sent once.`);
  }
  const mark = target.indexOf("?");
  return {
    method,
    path: unescaped(mark < 0 ? target : target.slice(0, mark), false),
    query: queryOf(mark < 0 ? "" : target.slice(mark + 1)),
    http11: version === "HTTP/1.1",
    headers,
  };
}

export function tooLarge(): IcecastError {
  return new IcecastError(
    431,
    `Headers are at most ${MAX_HEAD_BYTES} bytes and ${MAX_HEADERS} lines here: send fewer.`,
  );
}

function queryOf(text: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const pair of text.split("&")) {
    const mark = pair.indexOf("=");
    const name = unescaped(mark < 0 ? pair : pair.slice(0, mark), true);
    if (name !== "" && !query.has(name))
      query.set(name, mark < 0 ? "" : unescaped(pair.slice(mark + 1), true));
  }
  return query;
}

/** Percent escapes as UTF-8, or as Latin-1 where they are none: older senders write titles so. */
function unescaped(text: string, plusIsSpace: boolean): string {
  const plain = plusIsSpace ? text.replaceAll("+", " ") : text;
  if (!plain.includes("%")) return plain;
  const bytes: number[] = [];
  for (let at = 0; at < plain.length; at++) {
    const found = /^%([0-9A-Fa-f]{2})/.exec(plain.slice(at, at + 3));
    if (found !== null) at += 2;
    bytes.push(found === null ? plain.charCodeAt(at) : Number.parseInt(found[1]!, 16));
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return String.fromCharCode(...bytes);
  }
}
