/**
 * What arrived on one direction of a hop: extended sequence numbers, loss, jitter (RFC 3550, section 6.4.1),
 * and the arrivals that the next receiver report lists.
 */
import { MAX_REPORTED_ARRIVALS } from "../wire/limits.ts";
import { ARRIVAL_UNIT_US, NOT_ARRIVED, type ReceiverReport } from "../wire/receiver-report.ts";

/** Arrivals are steady while none came later than this after the fastest of late. */
const STEADY_DELAY_US = 25_000;
/** Unlisted arrivals that are still steady: half of what a report can list. */
const STEADY_ARRIVALS = MAX_REPORTED_ARRIVALS / 2;
/** The fastest transit is forgotten this slowly (share of the time that passes): more than clocks drift apart. */
const BASE_RISE = 0.0005;

/** Remembered arrivals; a power of two above MAX_REPORTED_ARRIVALS. */
const RING = 2048;

export class ArrivalLog {
  /** Arrival time by sequence modulo RING, 0 = not arrived. */
  readonly #arrivalUs = new Float64Array(RING);
  /** Extended sequence number that a slot belongs to. */
  readonly #sequenceOf = new Float64Array(RING).fill(-1);
  #first = -1;
  #highest = -1;
  #listedUpTo = -1;
  #newestSendTimeUs = 0;
  #newestArrivalUs = 0;
  #previousTransitUs: number | undefined;
  #received = 0;
  #receivedBytes = 0;
  #jitterUs = 0;
  /** Fastest transit of late, on two unrelated clocks. */
  #baseTransitUs = Number.POSITIVE_INFINITY;
  /** Slowest arrival since the last report, relative to it. */
  #worstDelayUs = 0;
  #newestMeasuredUs = 0;
  #receivedAtReport = 0;

  /** Notes one datagram, or says why it must be ignored: `stale` = so old that a duplicate could not be told. */
  push(
    hopSequence: number,
    sendTimeUs: number,
    bytes: number,
    nowUs: number,
  ): "duplicate" | "stale" | undefined {
    const sequence = this.#extend(hopSequence);
    const slot = sequence & (RING - 1);
    if (this.#sequenceOf[slot] === sequence) {
      return "duplicate";
    }
    if (sequence <= this.#highest - RING) return "stale";
    this.#sequenceOf[slot] = sequence;
    this.#arrivalUs[slot] = nowUs;
    this.#received++;
    this.#receivedBytes += bytes;
    if (sequence > this.#highest) {
      this.#highest = sequence;
      this.#newestSendTimeUs = sendTimeUs;
      this.#newestArrivalUs = nowUs;
    }
    this.#measure((nowUs % 0x100000000) - sendTimeUs, nowUs);
    return undefined;
  }

  #measure(transitUs: number, nowUs: number): void {
    const base = this.#baseTransitUs + (nowUs - this.#newestMeasuredUs) * BASE_RISE;
    this.#newestMeasuredUs = nowUs;
    // A jump of half the clock's range is its wrap, not a delay.
    const isNew = !(Math.abs(transitUs - base) < 0x80000000);
    this.#baseTransitUs = isNew ? transitUs : Math.min(base, transitUs);
    this.#worstDelayUs = Math.max(this.#worstDelayUs, transitUs - this.#baseTransitUs);
    if (this.#previousTransitUs !== undefined) {
      const difference = Math.abs(transitUs - this.#previousTransitUs);
      if (difference < 0x80000000) this.#jitterUs += (difference - this.#jitterUs) / 16;
    }
    this.#previousTransitUs = transitUs;
  }

  #extend(hopSequence: number): number {
    if (this.#highest < 0) {
      // Start high enough that reordering around the first datagram stays positive.
      const first = 0x10000 + hopSequence;
      this.#first = first;
      this.#highest = first - 1;
      this.#listedUpTo = first - 1;
      return first;
    }
    const step = ((hopSequence - this.#highest) << 16) >> 16;
    const sequence = this.#highest + step;
    if (sequence < this.#first) this.#first = sequence;
    return sequence;
  }

  get received(): number {
    return this.#received;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Datagrams that should have come and have not (yet). */
  get lost(): number {
    return this.#highest < 0 ? 0 : Math.max(0, this.#highest - this.#first + 1 - this.#received);
  }

  /** True while everything since the last report came, in time: nothing in a report would be news. */
  get steady(): boolean {
    const unlisted = this.#highest - this.#listedUpTo;
    const isWhole = this.#received - this.#receivedAtReport === unlisted;
    return isWhole && unlisted <= STEADY_ARRIVALS && this.#worstDelayUs < STEADY_DELAY_US;
  }

  get jitterMs(): number {
    return this.#jitterUs / 1000;
  }

  /** Fills `into` with everything since the last call. Returns false when nothing has ever arrived. */
  report(nowUs: number, into: ReceiverReport): boolean {
    if (this.#highest < 0) return false;
    const from = Math.max(this.#listedUpTo + 1, this.#highest - MAX_REPORTED_ARRIVALS + 1);
    let base = Number.POSITIVE_INFINITY;
    for (let s = from; s <= this.#highest; s++) {
      const slot = s & (RING - 1);
      if (this.#sequenceOf[slot] === s) base = Math.min(base, this.#arrivalUs[slot]!);
    }
    if (base === Number.POSITIVE_INFINITY) base = nowUs;
    let count = 0;
    for (let s = from; s <= this.#highest; s++) {
      const slot = s & (RING - 1);
      const arrived = this.#sequenceOf[slot] === s;
      const units = arrived ? Math.round((this.#arrivalUs[slot]! - base) / ARRIVAL_UNIT_US) : NOT_ARRIVED;
      into.arrivals[count++] = arrived ? Math.min(units, NOT_ARRIVED - 1) : NOT_ARRIVED;
    }
    this.#listedUpTo = this.#highest;
    this.#receivedAtReport = this.#received;
    this.#worstDelayUs = 0;
    into.echoSendTimeUs = this.#newestSendTimeUs;
    into.echoDelayUs = Math.min(0xffffffff, Math.max(0, Math.round(nowUs - this.#newestArrivalUs)));
    into.highestSequence = this.#highest & 0xffff;
    into.receivedTotal = this.#received % 0x100000000;
    into.receivedBytesTotal = this.#receivedBytes % 0x100000000;
    into.arrivalBaseUs = base % 0x100000000;
    into.arrivalCount = count;
    return true;
  }
}
