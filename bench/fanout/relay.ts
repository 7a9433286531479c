/** A relay by itself, as operators run it, in a process of its own, and ways into its only room. */
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import { RelayProcess } from "../../test/cluster/relay-process.ts";
import { TicketOffice } from "../../test/cluster/ticket-office.ts";

export interface BenchRelay {
  relay: RelayProcess;
  wayFor(identity: string): Promise<RelayCandidate>;
}

export async function startBenchRelay(): Promise<BenchRelay> {
  const office = await TicketOffice.open();
  const relay = await RelayProcess.start({
    RELAY_ID: "bench-relay",
    RELAY_CAPACITY: "10000",
    TRIBUTARY_TICKET_JWKS: office.jwks,
  });
  return { relay, wayFor: (identity) => office.candidateFor(relay.record, identity, "bench") };
}
