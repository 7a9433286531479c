/** What a relay is made of: everything of the runtime and the cluster is handed in. */
import type { Clock, Random } from "../core/clock.ts";
import type { Directory, RelayRecord } from "../core/directory/directory.ts";
import type { Connect } from "../core/session/session.ts";
import type { RelayTicket } from "../core/wire/tokens.ts";
import type { RelayKeys } from "./tree/credential.ts";

/** What a relay says of itself; load and draining are filled in. */
export type RelayIdentity = Omit<RelayRecord, "participants" | "draining" | "linkKey">;

export interface RelayOptions {
  identity: RelayIdentity;
  clock: Clock;
  random: Random;
  directory: Directory;
  /** Rejects with Refusal. */
  verifyTicket(ticket: string): Promise<RelayTicket>;
  /** Opens sessions to other relays. */
  connect: Connect;
  /** For credentials shown to them. */
  keys: RelayKeys;
  log(line: string): void;
}
