/**
 * How late units of a track arrive compared with the fastest of the last seconds, and how long to wait so that
 * nearly all make it: an exponentially forgetting histogram of relative delay, as in NetEQ (docs, "Jitter buffer").
 */
import { cheapestDelay, type LossWorth } from "./cheapest-delay.ts";

const BUCKET_US = 5_000;
/** Together 400 ms. What is later than that comes after an outage, and is not worth waiting for the next time; nor are the units behind it that were stuck with it. */
const BUCKETS = 80;
/** The same holds of what comes late by this much after nothing has come for so long: a road that opens again brings what waited for it. */
const LATE_US = 60_000;
const SILENCE_US = 400_000;
/** Weight that the past keeps with each unit, once enough have been seen. */
const FORGET = 0.992;
/** At first it keeps less: what a join keeps busy says little of what comes after it. */
const FIRST_FORGET = 0.97;
const FIRST_UNITS = 250;
/** The fastest transit is looked for in the last one to two windows of this length. */
const WINDOW_US = 2_000_000;

export class DelayHistogram {
  readonly #shares = new Float64Array(BUCKETS);
  readonly #quantile: number;
  readonly #worth: LossWorth | undefined;
  #count = 0;
  #windowStartUs = 0;
  #currentMinimum = Number.POSITIVE_INFINITY;
  #previousMinimum = Number.POSITIVE_INFINITY;
  #jitterUs = 0;
  #previousTransitUs: number | undefined;
  /** Capture time at the end of the last outage: what was captured before was stuck in it. */
  #outageEndUs = Number.NEGATIVE_INFINITY;
  #arrivedUs = Number.POSITIVE_INFINITY;

  /**
   * @param quantile share of units that should be in time, 0..1
   * @param worth how much delay units in time are worth; the quantile is not waited for at a higher price
   */
  constructor(quantile: number, worth?: LossWorth) {
    this.#quantile = quantile;
    this.#worth = worth;
  }

  /**
   * Notes one unit, whose delay counts for the wait if `counts`; both times in microseconds, of any two clocks. Returns its
   * relative delay; undefined when it was stuck in an outage, so that its delay says nothing of the road as it is.
   */
  push(captureTimeUs: number, arrivedUs: number, counts = true): number | undefined {
    const transitUs = arrivedUs - captureTimeUs;
    if (arrivedUs - this.#windowStartUs > WINDOW_US) {
      this.#previousMinimum = this.#currentMinimum;
      this.#currentMinimum = Number.POSITIVE_INFINITY;
      this.#windowStartUs = arrivedUs;
    }
    this.#currentMinimum = Math.min(this.#currentMinimum, transitUs);
    const relativeUs = transitUs - this.baseUs;
    const bucket = Math.floor(relativeUs / BUCKET_US);
    const wasSilent = arrivedUs - this.#arrivedUs > SILENCE_US;
    this.#arrivedUs = arrivedUs;
    const isStuck = bucket >= BUCKETS || (wasSilent && relativeUs > LATE_US);
    if (isStuck && captureTimeUs > this.#outageEndUs) this.#outageEndUs = arrivedUs - this.baseUs;
    if (isStuck || captureTimeUs < this.#outageEndUs) return undefined;
    if (!counts) return relativeUs;
    this.#count++;
    // Early on the past weighs little, so that the first guess is forgotten soon.
    const forget = Math.min(this.#count < FIRST_UNITS ? FIRST_FORGET : FORGET, 1 - 1 / (this.#count + 1));
    for (let i = 0; i < BUCKETS; i++) this.#shares[i]! *= forget;
    this.#shares[bucket]! += 1 - forget;
    if (this.#previousTransitUs !== undefined) {
      this.#jitterUs += (Math.abs(transitUs - this.#previousTransitUs) - this.#jitterUs) / 16;
    }
    this.#previousTransitUs = transitUs;
    return relativeUs;
  }

  /** Transit of the fastest recent unit, arrival clock minus capture clock; 0 before the first. */
  get baseUs(): number {
    const minimum = Math.min(this.#currentMinimum, this.#previousMinimum);
    return Number.isFinite(minimum) ? minimum : 0;
  }

  /** Interarrival jitter (RFC 3550, section 6.4.1). */
  get jitterUs(): number {
    return this.#jitterUs;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Wait, from the fastest transit on, that covers the quantile or what is worth it; by another price than usual, or from `leastUs` on that
   * are waited for in any case. 0 before the first unit.
   */
  targetUs(worth = this.#worth, leastUs = 0): number {
    let total = 0;
    for (let i = 0; i < BUCKETS; i++) total += this.#shares[i]!;
    if (total === 0) return 0;
    let buckets = 0;
    for (let below = 0; buckets < BUCKETS && below < total * this.#quantile; buckets++) {
      below += this.#shares[buckets]!;
    }
    if (worth === undefined) return BUCKET_US * buckets;
    const least = Math.min(BUCKETS, Math.max(0, Math.round(leastUs / BUCKET_US)));
    return BUCKET_US * Math.min(buckets, cheapestDelay(this.#shares, total, BUCKET_US, worth, least));
  }
}
