/** HTTP Basic authentication (RFC 7617) as source clients use it: user `source`, the stream key as password. */
import { IcecastError } from "./icecast-error.ts";
import type { RequestHead } from "./request-head.ts";

const USER = "source";

/** The stream key. @throws IcecastError 401 where there is none to judge */
export function streamKeyOf(head: RequestHead): string {
  const sent = head.headers.get("authorization");
  if (sent === undefined) {
    throw new IcecastError(401, `Give the user name "${USER}" and your stream key as password.`);
  }
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(sent) ?? [];
  const pair = encoded === undefined ? undefined : decoded(encoded);
  const colon = pair?.indexOf(":") ?? -1;
  if (pair === undefined || colon < 0) {
    throw new IcecastError(401, "Only HTTP Basic authentication is understood here.");
  }
  if (pair.slice(0, colon) !== USER) throw new IcecastError(401, `The user name must be "${USER}".`);
  return pair.slice(colon + 1);
}

function decoded(encoded: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0)));
  } catch (error) {
    // Base64 of a length that none has.
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}
