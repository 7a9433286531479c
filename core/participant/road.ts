/** The way of media to and from one relay, as the tracks of a participant see it: a session's link with recovery and pacer. */
import type { Pacer } from "../delivery/congestion/pacer.ts";
import type { HopRecovery } from "../session/hop-recovery.ts";
import type { Link } from "../session/link.ts";

export interface Road {
  readonly link: Link;
  readonly recovery: HopRecovery;
  readonly pacer: Pacer;
  /** Longest media datagram that the session and every hop of the room carry. */
  readonly maxDatagramBytes: number;
}
