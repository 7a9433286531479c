/** What a session came in with, whoever has signed it. */
import type { TicketHolder } from "../core/wire/tokens.ts";

/** What lets somebody in: the gateway's word, or that of the relay where it was before. */
export interface ArrivalTicket extends TicketHolder {
  /** Of the session that it goes on from, with a resume ticket. */
  readonly stamp?: number;
  /** Of the session that it gets. */
  readonly nextStamp?: number;
}
