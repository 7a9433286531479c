/** What bench/fanout.deno.ts and its audience processes say to each other. */
import type { RelayCandidate } from "../../core/participant/participant-api.ts";

/** What the parent asks for. */
export type AudienceOrder =
  | { order: "join"; relays: RelayCandidate[] }
  /** Join so many a second, each when its time has come. */
  | { order: "storm"; relays: RelayCandidate[]; perSecond: number }
  /** Forget what was counted so far. */
  | { order: "reset" }
  | { order: "count" };

/** Answer to `count`, in datagrams. `latencies`: histogram of the delay of whole pictures, bucket = LATENCY_BUCKET_US. */
export interface AudienceCount {
  received: number;
  lost: number;
  latencies: number[];
  closed: number;
  cpuSeconds: number;
}

/** Answer to `storm`: how long each join took, ms, until the relay had let it in; failed ones are missing. */
export interface StormCount {
  joinMs: number[];
  failed: number;
}

export const LATENCY_BUCKET_US = 250;
export const LATENCY_BUCKETS = 8_000;
