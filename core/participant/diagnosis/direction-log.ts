/**
 * What became of datagrams in one direction of a measured path: how much arrived by when, and how long each was under way,
 * on two clocks that need not agree. Fed by the sender's reports (outbound) or by arrivals (inbound).
 */
import { ARRIVAL_UNIT_US, NOT_ARRIVED, type ReceiverReport } from "../../wire/receiver-report.ts";
import { quantile } from "./quantile.ts";

/** A rate is what arrived within at least this time; less would be the luck of a few datagrams. */
const LEAST_RATE_WINDOW_US = 250_000;
const MODULUS = 0x100000000;

interface Transit {
  /** Our clock: when it was sent (outbound) or arrived (inbound). */
  atUs: number;
  /** Relative: between two clocks. */
  transitUs: number;
}

interface Received {
  atUs: number;
  bytes: number;
}

export class DirectionLog {
  readonly #transits: Transit[] = [];
  readonly #received: Received[] = [];
  #bytes = 0;
  #firstTransitUs: number | undefined;

  /** Inbound: one datagram. Times are of its sender's clock (modulo 2^32) and of ours. */
  pushArrival(sendTimeUs: number, arrivedUs: number, bytes: number): void {
    this.#bytes += bytes;
    this.#transits.push({ atUs: arrivedUs, transitUs: this.#near(arrivedUs - sendTimeUs) });
    this.#received.push({ atUs: arrivedUs, bytes: this.#bytes });
  }

  /** Outbound: a report of the other side. `sentAtUs` tells when a hop sequence was sent. */
  pushReport(report: ReceiverReport, sentAtUs: (hopSequence: number) => number): void {
    const { arrivals, arrivalCount, arrivalBaseUs, highestSequence } = report;
    let newestUs = 0;
    for (let i = 0; i < arrivalCount; i++) {
      if (arrivals[i] === NOT_ARRIVED) continue;
      const offsetUs = arrivals[i]! * ARRIVAL_UNIT_US;
      const sentUs = sentAtUs((highestSequence - arrivalCount + 1 + i) & 0xffff);
      const transitUs = this.#near(arrivalBaseUs + offsetUs - sentUs);
      newestUs = Math.max(newestUs, sentUs + transitUs);
      this.#transits.push({ atUs: sentUs, transitUs });
    }
    if (newestUs === 0) return;
    const before = this.#received.at(-1);
    const grown = (report.receivedBytesTotal - (before?.bytes ?? 0)) % MODULUS;
    if (grown <= 0 || newestUs < (before?.atUs ?? 0)) return;
    this.#received.push({ atUs: newestUs, bytes: report.receivedBytesTotal });
  }

  /** The value modulo 2^32 that is nearest to the first one. */
  #near(valueUs: number): number {
    const value = ((valueUs % MODULUS) + MODULUS) % MODULUS;
    this.#firstTransitUs ??= value;
    const step = (((value - this.#firstTransitUs) % MODULUS) + MODULUS) % MODULUS;
    return this.#firstTransitUs + (step > MODULUS / 2 ? step - MODULUS : step);
  }

  /** How much later than most the slowest 5 % of what was noted from `fromUs` to `untilUs` came. */
  jitterMs(fromUs: number, untilUs: number): number | undefined {
    const transits = this.#between(fromUs, untilUs);
    const middle = quantile(transits, 0.5);
    const late = quantile(transits, 0.95);
    return middle === undefined || late === undefined ? undefined : (late - middle) / 1000;
  }

  /** How long the slower half of what was noted then had waited over the fastest ever. */
  queueMs(fromUs: number, untilUs: number): number | undefined {
    const slow = quantile(this.#between(fromUs, untilUs), 0.75);
    if (slow === undefined) return undefined;
    let fastest = Number.POSITIVE_INFINITY;
    for (const { transitUs } of this.#transits) fastest = Math.min(fastest, transitUs);
    return (slow - fastest) / 1000;
  }

  #between(fromUs: number, untilUs: number): number[] {
    return this.#transits
      .filter(({ atUs }) => atUs >= fromUs && atUs < untilUs)
      .map(({ transitUs }) => transitUs);
  }

  /** The most that came through from entry `fromIndex` on, bits a second; undefined when it was too short to tell. */
  peakBps(fromIndex: number): number | undefined {
    let best: number | undefined;
    let from = fromIndex;
    for (let to = fromIndex + 1; to < this.#received.length; to++) {
      const end = this.#received[to]!;
      while (end.atUs - this.#received[from + 1]!.atUs >= LEAST_RATE_WINDOW_US) from++;
      const begin = this.#received[from]!;
      const passedUs = end.atUs - begin.atUs;
      if (passedUs < LEAST_RATE_WINDOW_US) continue;
      best = Math.max(best ?? 0, ((end.bytes - begin.bytes) * 8_000_000) / passedUs);
    }
    return best;
  }

  /** Entries until now, for `peakBps`. */
  get mark(): number {
    return Math.max(0, this.#received.length - 1);
  }
}
