/**
 * The package pings each HTTP/2 connection every second by a timer of its own. A connection that is being torn down and whose
 * other side reads nothing throws at that, where nobody catches it: it is not pinged any more.
 */
import type { PackageHttp2Session } from "./package-objects.ts";

export function calmPings(session: PackageHttp2Session): void {
  const ping = session.ping.bind(session);
  session.ping = (...values) => !session.destroyed && ping(...values);
}
