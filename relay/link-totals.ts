/** Counters of many links added up, those that have ended included. */
import type { MediaPort } from "./media-port.ts";

export interface LinkTotals {
  sent: number;
  received: number;
  lostOutbound: number;
  lostInbound: number;
  repairsSent: number;
  recovered: number;
  nacksSent: number;
  givenUp: number;
  /** By LinkDrop. */
  dropped: Record<string, number>;
  /** By LinkReceiveDrop. */
  receiveDropped: Record<string, number>;
}

export function emptyLinkTotals(): LinkTotals {
  return {
    sent: 0,
    received: 0,
    lostOutbound: 0,
    lostInbound: 0,
    repairsSent: 0,
    recovered: 0,
    nacksSent: 0,
    givenUp: 0,
    dropped: {},
    receiveDropped: {},
  };
}

export function addLink(totals: LinkTotals, port: MediaPort): void {
  const stats = port.link.stats();
  const recovery = port.recovery.totals();
  totals.sent += stats.datagramsSent;
  totals.received += stats.datagramsReceived;
  totals.lostOutbound += stats.datagramsLostOutbound;
  totals.lostInbound += stats.datagramsLostInbound;
  totals.repairsSent += recovery.repairsSent;
  totals.recovered += recovery.recovered;
  totals.nacksSent += recovery.nacksSent;
  totals.givenUp += recovery.givenUp;
  addAll(totals.dropped, stats.dropped);
  addAll(totals.receiveDropped, stats.receiveDropped);
}

export function addAll(into: Record<string, number>, from: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(from)) into[name] = (into[name] ?? 0) + count;
}
