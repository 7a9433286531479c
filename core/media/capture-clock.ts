/**
 * Maps a capture source's own timestamps to the local clock. Browsers count them from different origins (the page's
 * or the worker's time origin for audio, the machine's uptime for video) and switch origin in the middle of a
 * stream; sound and picture stay in step only if both land on one clock.
 */

/** A buffer arrives at most this long after its capture when its timestamp really counts from a known origin. */
const PLAUSIBLE_DELAY_US = 400_000;
/** Timestamps may run this much ahead of the clock (coarse clocks). */
const PLAUSIBLE_LEAD_US = 3_000;
/** A later origin that fits too, for this long without a break, is the one that the stream has switched to. */
const SWITCH_AFTER_US = 300_000;
/** A jump of the mapping by this much is a new origin or a stalled source: learn anew. */
const JUMP_US = 150_000;
/** The shortest delay is looked for in the last one to two windows of this length, so that drift is followed. */
const WINDOW_US = 10_000_000;

export class CaptureClock {
  readonly #originsUs: readonly number[];
  readonly #leastDelayUs: number;
  #originUs: number | undefined;
  /** Since when an origin later than ours has fitted all the time. */
  #laterFitsSinceUs: number | undefined;
  #windowStartUs = 0;
  #currentMinimum = Number.POSITIVE_INFINITY;
  #previousMinimum = Number.POSITIVE_INFINITY;

  /**
   * `originsUs`: places on the local clock that timestamps may count from, most likely first. `leastDelayUs`: how
   * long after its capture time a buffer arrives at the least (an audio buffer's length), for unknown origins.
   */
  constructor(originsUs: readonly number[], leastDelayUs: number) {
    this.#originsUs = originsUs;
    this.#leastDelayUs = leastDelayUs;
  }

  /** Local capture time of a buffer with `timestampUs` that arrived at `arrivedUs`. */
  map(timestampUs: number, arrivedUs: number): number {
    const originUs = this.#knownOrigin(timestampUs, arrivedUs);
    if (originUs !== undefined) return originUs + timestampUs;
    const offsetUs = arrivedUs - timestampUs;
    const minimum = Math.min(this.#currentMinimum, this.#previousMinimum);
    if (Number.isFinite(minimum) && Math.abs(offsetUs - minimum) > JUMP_US) {
      this.#currentMinimum = this.#previousMinimum = Number.POSITIVE_INFINITY;
      this.#windowStartUs = arrivedUs;
    } else if (arrivedUs - this.#windowStartUs > WINDOW_US) {
      this.#previousMinimum = this.#currentMinimum;
      this.#currentMinimum = Number.POSITIVE_INFINITY;
      this.#windowStartUs = arrivedUs;
    }
    this.#currentMinimum = Math.min(this.#currentMinimum, offsetUs);
    const learned = Math.min(this.#currentMinimum, this.#previousMinimum);
    return timestampUs + learned - this.#leastDelayUs;
  }

  #knownOrigin(timestampUs: number, arrivedUs: number): number | undefined {
    const origin = this.#originUs;
    if (origin !== undefined && plausible(arrivedUs - origin - timestampUs)) {
      return this.#switched(origin, timestampUs, arrivedUs) ? this.#originUs : origin;
    }
    this.#laterFitsSinceUs = undefined;
    this.#originUs = this.#originsUs.find((origin) => plausible(arrivedUs - origin - timestampUs));
    return this.#originUs;
  }

  /**
   * The page's origin lies so little before the worker's that, after a switch, it seems to fit still: every buffer
   * would be that much too old. One late buffer is no switch; all of them for a while are.
   */
  #switched(origin: number, timestampUs: number, arrivedUs: number): boolean {
    const later = this.#originsUs.find((one) => one > origin && plausible(arrivedUs - one - timestampUs));
    if (later === undefined) {
      this.#laterFitsSinceUs = undefined;
      return false;
    }
    this.#laterFitsSinceUs ??= arrivedUs;
    if (arrivedUs - this.#laterFitsSinceUs < SWITCH_AFTER_US) return false;
    this.#originUs = later;
    this.#laterFitsSinceUs = undefined;
    return true;
  }
}

function plausible(delayUs: number): boolean {
  return delayUs >= -PLAUSIBLE_LEAD_US && delayUs <= PLAUSIBLE_DELAY_US;
}
