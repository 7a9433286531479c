/**
 * What arrives on one direction of a hop, as its receiver sees it: gaps in the hop sequence, how late overtaken
 * datagrams come, share lost and length of bursts. Feeds the timing of NACKs.
 */
import { LossEstimator } from "../delivery/recovery/loss-estimator.ts";

/** Remembered arrivals, a power of two. */
const RING = 256;
/** Fate is settled so many datagrams later. */
const SETTLED_AFTER = 12;
/** The delay that this share of overtaken datagrams stay below is waited for. */
const LATE_QUANTILE = 0.95;
const LATE_STEP_MS = 0.6;
const MAX_REORDER_MS = 60;
/** Without overtaking for so many datagrams, the wait shrinks. */
const REORDER_MEMORY = 256;

export class HopArrivals {
  readonly estimator = new LossEstimator();
  /** Hop sequences that were skipped when a later one arrived, ever. */
  holesSeen = 0;
  reorderMs = 0;
  readonly #sequences = new Int32Array(RING).fill(-1);
  readonly #arrivalUs = new Float64Array(RING);
  readonly #sendUs = new Float64Array(RING);
  #highest = -1;
  /** Sequences below are counted; extended like #highest. */
  #settled = 0;
  #sinceLate = 0;
  #lastSendUs = 0;

  /** Notes a datagram; `sendTimeUs` is the sender's clock modulo 2^32. */
  push(hopSequence: number, sendTimeUs: number, nowUs: number): void {
    const sequence = this.#highest < 0 ? 0x10000 + hopSequence : this.#extend(hopSequence);
    if (this.#highest < 0) this.#settled = sequence;
    const slot = sequence & (RING - 1);
    if (sequence > this.#highest) {
      if (this.#highest >= 0) this.holesSeen += sequence - this.#highest - 1;
      this.#highest = sequence;
      this.#settle(nowUs);
    } else if (sequence > this.#highest - RING) {
      this.#noteLate(sequence, nowUs);
    } else {
      return;
    }
    this.#sequences[slot] = sequence;
    this.#arrivalUs[slot] = nowUs;
    this.#sendUs[slot] = sendTimeUs;
    if (++this.#sinceLate > REORDER_MEMORY) this.reorderMs *= 0.995;
  }

  #extend(hopSequence: number): number {
    return this.#highest + (((hopSequence - this.#highest) << 16) >> 16);
  }

  /** How long after its first successor an overtaken datagram came moves the estimate by a small step. */
  #noteLate(sequence: number, nowUs: number): void {
    for (let later = sequence + 1; later <= this.#highest; later++) {
      const slot = later & (RING - 1);
      if (this.#sequences[slot] !== later) continue;
      const lateMs = Math.min(MAX_REORDER_MS, (nowUs - this.#arrivalUs[slot]!) / 1000);
      const step = lateMs > this.reorderMs ? LATE_QUANTILE : LATE_QUANTILE - 1;
      this.reorderMs = Math.max(0, this.reorderMs + LATE_STEP_MS * step);
      // The first few set it, so that it need not climb.
      if (this.#sinceLate > REORDER_MEMORY && lateMs > this.reorderMs) this.reorderMs = lateMs;
      this.#sinceLate = 0;
      return;
    }
  }

  #settle(nowUs: number): void {
    const until = this.#highest - SETTLED_AFTER;
    if (until - this.#settled > RING - SETTLED_AFTER) this.#settled = until - (RING - SETTLED_AFTER);
    for (; this.#settled < until; this.#settled++) {
      const slot = this.#settled & (RING - 1);
      const lost = this.#sequences[slot] !== this.#settled;
      // Lost ones were sent between their neighbours; the order is what matters for bursts.
      if (!lost) this.#lastSendUs = this.#unwrapped(this.#sendUs[slot]!);
      this.estimator.count(lost ? 1 : 0, 1, nowUs);
      this.estimator.sample(lost, lost ? this.#between() : this.#lastSendUs);
    }
  }

  /** Send time of a lost datagram: in proportion between those that arrived around it. */
  #between(): number {
    for (let later = this.#settled + 1; later <= this.#highest; later++) {
      const slot = later & (RING - 1);
      if (this.#sequences[slot] !== later) continue;
      const afterUs = this.#unwrapped(this.#sendUs[slot]!);
      this.#lastSendUs += (afterUs - this.#lastSendUs) / (later - this.#settled + 1);
      return this.#lastSendUs;
    }
    return this.#lastSendUs;
  }

  #unwrapped(sendTimeUs: number): number {
    const step = (sendTimeUs - this.#lastSendUs) % 0x100000000;
    const near = step > 0x80000000 ? step - 0x100000000 : step < -0x80000000 ? step + 0x100000000 : step;
    return this.#lastSendUs + near;
  }
}
