/**
 * Tells the past that the relay replays to a late joiner (docs/wire.md, GOP cache) from what happens now: replayed
 * units come faster than they were captured, so each has been on its way for less time than the one before.
 */

/** A unit that was this much faster than the first one of the present shows that the present had not begun. */
const FALL_US = 100_000;
/** Pictures go back by less than this to be put in order; by more where a stream begins anew. */
const REORDERED_US = 500_000;

export class CatchUp {
  #catchingUp = true;
  /** Transit of the unit that the present was last thought to begin with. */
  #liveTransitUs = 0;
  /** Undefined before the first unit. */
  #lastCaptureUs: number | undefined;
  #lastArrivedUs = 0;
  #newestUs = Number.NEGATIVE_INFINITY;
  #liveFromUs = Number.POSITIVE_INFINITY;

  /** Notes a unit, in the order of arrival; true when it is the first one of the present. */
  push(captureUs: number, arrivedUs: number): boolean {
    // B-frames go back in time, and are later than what they lie between: they say nothing about speed.
    if (captureUs < this.#newestUs && captureUs > this.#newestUs - REORDERED_US) return false;
    this.#newestUs = captureUs;
    const transitUs = arrivedUs - captureUs;
    const sinceCaptureUs = captureUs - (this.#lastCaptureUs ?? captureUs);
    const sinceArrivedUs = arrivedUs - this.#lastArrivedUs;
    this.#lastCaptureUs = captureUs;
    this.#lastArrivedUs = arrivedUs;
    if (!this.#catchingUp && transitUs < this.#liveTransitUs - FALL_US) this.#catchingUp = true;
    // Out of order says nothing about speed.
    if (!this.#catchingUp || sinceCaptureUs <= 0 || sinceArrivedUs < sinceCaptureUs / 2) return false;
    this.#catchingUp = false;
    this.#liveFromUs = Math.floor(captureUs);
    this.#liveTransitUs = transitUs;
    return true;
  }

  /** True for what was captured before the present began. */
  isPast(captureUs: number): boolean {
    return this.#catchingUp || captureUs < this.#liveFromUs;
  }

  /** The stream starts over: what comes next may be the past again. */
  reset(): void {
    this.#catchingUp = true;
    this.#lastCaptureUs = undefined;
    this.#newestUs = Number.NEGATIVE_INFINITY;
    this.#liveFromUs = Number.POSITIVE_INFINITY;
  }
}
