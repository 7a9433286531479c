/** What a link measures and counts: for statistics, metrics, and decisions that are not the link's. */
import type { DatagramFault } from "../wire/datagram.ts";
import type { SendFault } from "./session.ts";

export type LinkDrop = SendFault | "link-congested";
export type LinkReceiveDrop = DatagramFault | "duplicate" | "stale";

/** What a link measured. Shares are 0..1, rates over the last second or so. */
export interface LinkStats {
  /** Median of the last ones; undefined before the first report. */
  rttMs: number | undefined;
  /** Lowest RTT seen. */
  minRttMs: number | undefined;
  /** Share of our datagrams that the other side misses, smoothed. */
  sendLoss: number;
  datagramsLostOutbound: number;
  datagramsReceived: number;
  datagramsLostInbound: number;
  jitterMs: number;
  outstandingBytes: number;
  /** What we may send without a standing queue, bits a second; undefined until a limit has been met. */
  sendRateBps: number | undefined;
  /** Standing queue that our datagrams wait in. */
  sendQueueMs: number;
  /** Further connections that carry our datagrams. */
  lanes: number;
  datagramsSent: number;
  /** Hop headers, reports and probes included. */
  bytesSent: number;
  bytesReceived: number;
  dropped: Readonly<Record<LinkDrop, number>>;
  receiveDropped: Readonly<Record<LinkReceiveDrop, number>>;
  /** Clock time of the last valid datagram, 0 = none yet. */
  lastHeardUs: number;
}

export function emptyLinkDrops(): Record<LinkDrop, number> {
  return { closed: 0, "queue-full": 0, oversized: 0, "link-congested": 0 };
}

export function emptyReceiveDrops(): Record<LinkReceiveDrop, number> {
  return {
    "too-short": 0,
    oversized: 0,
    "unknown-version": 0,
    "unknown-kind": 0,
    malformed: 0,
    duplicate: 0,
    stale: 0,
  };
}
