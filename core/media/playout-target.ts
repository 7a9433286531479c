/**
 * How long sound should wait behind the fastest arrival: what covers the network's jitter, what lost units need to come
 * back, and what picture and application ask for. Goes up at once, and down slowly: by one frame a second, or faster where
 * it is far too long.
 */
import { soundWorth } from "./cheapest-delay.ts";
import { DelayHistogram } from "./delay-histogram.ts";
import { RecoveryDelays } from "./recovery-delays.ts";

/** The jitter's part covers all units that are worth it, lost ones aside. */
const QUANTILE = 1;
/** Waiting time before anything is known of the network. */
const INITIAL_TARGET_US = 20_000;
const LEARNED_AFTER_UNITS = 25;
/** Of what is too much, so much is given up a second: time-stretch can do that without being heard. */
const FALL_SHARE = 0.5;
const MOST_FALL_US = 80_000;

export class PlayoutTarget {
  readonly #histogram = new DelayHistogram(QUANTILE, soundWorth);
  readonly #recoveries = new RecoveryDelays();
  readonly #frameUs: number;
  #minDelayUs: number;
  #maxDelayUs: number;
  #syncDelayUs = 0;
  #targetUs = INITIAL_TARGET_US;
  #followedUs: number | undefined;

  constructor(frameDurationUs: number, minDelayUs: number, maxDelayUs: number) {
    this.#frameUs = frameDurationUs;
    this.#minDelayUs = minDelayUs;
    this.#maxDelayUs = maxDelayUs;
  }

  get targetUs(): number {
    return this.#targetUs;
  }

  /** Transit of the fastest arrival of the last seconds. */
  get baseUs(): number {
    return this.#histogram.baseUs;
  }

  get jitterUs(): number {
    return this.#histogram.jitterUs;
  }

  /** What the network alone asks for. */
  get ownUs(): number {
    if (this.#histogram.count < LEARNED_AFTER_UNITS) return INITIAL_TARGET_US;
    return Math.max(this.#histogram.targetUs(), this.#recoveries.targetUs(this.#followedUs ?? 0));
  }

  setBounds(minDelayUs: number, maxDelayUs: number): void {
    this.#minDelayUs = minDelayUs;
    this.#maxDelayUs = maxDelayUs;
  }

  /** The picture asks for at least this much. */
  setSyncDelay(delayUs: number): void {
    this.#syncDelayUs = delayUs;
  }

  /** So many units more did not come when it was their turn; -1: one of them came after all. */
  noteMissing(count: number): void {
    this.#recoveries.noteMissing(count);
  }

  /** A unit arrived; `recovered`: after it had been lost. `heldOutUs`: what was left of the sound was made to last so much longer. */
  push(captureTimeUs: number, arrivedUs: number, recovered: boolean, heldOutUs: number): void {
    const relativeUs = this.#histogram.push(captureTimeUs, arrivedUs, !recovered);
    if (relativeUs !== undefined) {
      this.#recoveries.push(Math.max(0, relativeUs - heldOutUs), recovered, arrivedUs);
    }
    const wanted = Math.max(this.ownUs, this.#syncDelayUs, this.#minDelayUs);
    const bounded = Math.min(wanted, this.#maxDelayUs);
    const elapsedUs = Math.max(0, arrivedUs - (this.#followedUs ?? arrivedUs));
    this.#followedUs = Math.max(arrivedUs, this.#followedUs ?? arrivedUs);
    const excessUs = (this.#targetUs - bounded) * FALL_SHARE;
    const fallUs = (elapsedUs / 1e6) * Math.max(this.#frameUs, Math.min(MOST_FALL_US, excessUs));
    this.#targetUs = Math.max(bounded, this.#targetUs - fallUs);
    this.#targetUs = Math.min(this.#targetUs, this.#maxDelayUs);
  }
}
