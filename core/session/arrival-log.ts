/**
 * What arrived on one direction of a hop: extended sequence numbers, loss, jitter (RFC 3550, section 6.4.1),
 * and the arrivals that the next receiver report lists.
 */
import { MAX_REPORTED_ARRIVALS } from "../wire/limits.ts";
import { ARRIVAL_UNIT_US, NOT_ARRIVED, type ReceiverReport } from "../wire/receiver-report.ts";

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
    const transitUs = (nowUs % 0x100000000) - sendTimeUs;
    if (this.#previousTransitUs !== undefined) {
      const difference = Math.abs(transitUs - this.#previousTransitUs);
      if (difference < 0x80000000) this.#jitterUs += (difference - this.#jitterUs) / 16;
    }
    this.#previousTransitUs = transitUs;
    return undefined;
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
