/** What a gateway is made of; handed in by the entry that knows its runtime. */
import type { Clock } from "../core/clock.ts";
import type { BridgeDirectory } from "../core/directory/bridge-directory.ts";
import type { Directory } from "../core/directory/directory.ts";
import type { ClientAddress } from "./client-address.ts";
import type { GatewayConfig } from "./config.ts";
import type { SharedRateLimit } from "./rate-limit.ts";
import type { TicketKey } from "./ticket-key.ts";

export type Log = (
  level: "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;

export interface GatewayDeps {
  directory: Directory;
  /** Bridges and their jobs; undefined: there are none, and their calls are refused with `bridges-off`. */
  bridges?: BridgeDirectory | undefined;
  clock: Clock;
  config: GatewayConfig;
  /** Signs tickets; relays know its public half. */
  ticketKey: TicketKey;
  fetch: typeof fetch;
  log: Log;
  /**
   * True: anybody may join any room without a token of their own, and whoever is in a room may start and stop what bridges do
   * with it. Only for a gateway on one's own machine.
   */
  guests: boolean;
  /** Product version, for /healthz. */
  version: string;
  /** Limits that the runtime counts for this and other instances together; what is switched off in `config` stays off. */
  sharedLimits?: Partial<Record<"perAddress" | "perKey", SharedRateLimit>> | undefined;
  /** For so long joins go by the relays and roots that they read (join-lookups.ts); default 0. */
  lookupReuseMs?: number | undefined;
  /** How this runtime says where a request comes from. */
  clientAddress: ClientAddress;
}
