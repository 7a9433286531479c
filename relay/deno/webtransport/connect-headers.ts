/**
 * The header sections of a WebTransport CONNECT: the request (RFC 9220, RFC 9114 4.2 to 4.4, draft-ietf-webtrans-http3
 * 3.3) checked once on arrival, and the response.
 */
import { H3_MESSAGE_ERROR, Http3Error } from "./http3-codes.ts";
import type { HeaderField } from "./qpack-static-table.ts";

/** A request to open a session, checked. */
export interface ConnectRequest {
  readonly authority: string;
  /** Path and query, beginning with a slash. */
  readonly path: string;
  /** The page that asks; undefined where the client is not a browser. */
  readonly origin: string | undefined;
  /** Every other field by its lower-case name; repeated ones joined by ", " (cookies by "; "). */
  readonly headers: ReadonlyMap<string, string>;
}

/** A well-formed request that does not open a session, and the status that says why. */
export interface OtherRequest {
  readonly status: 400 | 404 | 405 | 501;
}

const REQUEST_PSEUDO_FIELDS = new Set([":method", ":scheme", ":authority", ":path", ":protocol"]);
const RESPONSE_PSEUDO_FIELDS = new Set([":status"]);
const CONNECTION_FIELDS = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;
const DRAFT02_REQUEST_FIELD = "sec-webtransport-http3-draft02";

interface SplitFields {
  readonly pseudo: Map<string, string>;
  readonly plain: Map<string, string>;
}

function malformed(message: string): Http3Error {
  return new Http3Error(H3_MESSAGE_ERROR, message);
}

/** Splits a section into pseudo-fields and the rest, checking names, values and order (RFC 9114, 4.2 and 4.3). */
function splitFields(fields: readonly HeaderField[], allowed: ReadonlySet<string>): SplitFields {
  const pseudo = new Map<string, string>();
  const plain = new Map<string, string>();
  for (const [name, value] of fields) {
    if (BAD_VALUE.test(value))
      throw malformed(`The value of header ${JSON.stringify(name)} has a forbidden character.`);
    if (name.startsWith(":")) {
      if (!allowed.has(name))
        throw malformed(`${JSON.stringify(name)} is not a pseudo-header of this message.`);
      if (pseudo.has(name)) throw malformed(`Pseudo-header ${name} comes twice.`);
      if (plain.size > 0) throw malformed(`Pseudo-header ${name} comes behind an ordinary header.`);
      pseudo.set(name, value);
      continue;
    }
    if (!FIELD_NAME.test(name)) throw malformed(`${JSON.stringify(name)} is not a header name.`);
    if (CONNECTION_FIELDS.has(name)) throw malformed(`Header ${name} has no place in HTTP/3.`);
    if (name === "te" && value !== "trailers") throw malformed("Header te may only say trailers.");
    const before = plain.get(name);
    plain.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`);
  }
  return { pseudo, plain };
}

/** Checks a request. Throws Http3Error when it is malformed; answers a status when it is not a WebTransport CONNECT. */
export function parseRequest(fields: readonly HeaderField[]): ConnectRequest | OtherRequest {
  const { pseudo, plain } = splitFields(fields, REQUEST_PSEUDO_FIELDS);
  const method = pseudo.get(":method");
  if (method === undefined) throw malformed("A request without :method.");
  if (method !== "CONNECT") return { status: 405 };
  const protocol = pseudo.get(":protocol");
  // A CONNECT without a protocol asks for a TCP tunnel.
  if (protocol === undefined) return { status: 405 };
  if (protocol !== "webtransport") return { status: 501 };
  const path = pseudo.get(":path");
  const authority = pseudo.get(":authority");
  if (path === undefined || !path.startsWith("/")) throw malformed("A WebTransport request needs a :path.");
  if (authority === undefined || authority === "")
    throw malformed("A WebTransport request needs an :authority.");
  if (pseudo.get(":scheme") !== "https") throw malformed("The :scheme of a WebTransport request is https.");
  return { authority, path, origin: plain.get("origin"), headers: plain };
}

/** The fields of a request that opens a session. Names are lowered; pseudo-headers and `origin` have their own places. */
export function connectRequestFields(
  request: Pick<ConnectRequest, "authority" | "path" | "origin" | "headers">,
): HeaderField[] {
  const fields: HeaderField[] = [
    [":method", "CONNECT"],
    [":protocol", "webtransport"],
    [":scheme", "https"],
    [":authority", request.authority],
    [":path", request.path],
    [DRAFT02_REQUEST_FIELD, "1"],
  ];
  if (request.origin !== undefined) fields.push(["origin", request.origin]);
  for (const [name, value] of request.headers) fields.push([name.toLowerCase(), value]);
  splitFields(fields, REQUEST_PSEUDO_FIELDS);
  return fields;
}

/** The fields of a response. A request of draft 02 is told that it was understood. */
export function responseFields(
  status: number,
  requestHeaders: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string> = new Map(),
): HeaderField[] {
  const fields: HeaderField[] = [[":status", String(status)]];
  if (requestHeaders.has(DRAFT02_REQUEST_FIELD)) fields.push(["sec-webtransport-http3-draft", "draft02"]);
  for (const [name, value] of headers) fields.push([name.toLowerCase(), value]);
  splitFields(fields, RESPONSE_PSEUDO_FIELDS);
  return fields;
}

/** Checks a response: its status (100 to 599) and its fields. */
export function parseResponse(fields: readonly HeaderField[]): {
  status: number;
  headers: ReadonlyMap<string, string>;
} {
  const { pseudo, plain } = splitFields(fields, RESPONSE_PSEUDO_FIELDS);
  const status = pseudo.get(":status") ?? "";
  if (!/^[1-5][0-9]{2}$/.test(status)) throw malformed(`${JSON.stringify(status)} is not a status.`);
  return { status: Number(status), headers: plain };
}
