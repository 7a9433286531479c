/**
 * Capture times of a sound's buffers by counting their samples. What the browser says is when a buffer was handed over, early in
 * none and late in many: the samples themselves follow each other without a gap, and receivers take unsteady times for jitter.
 */

/** The earliest is looked for in the last one to two windows of this length, so that drifting clocks are followed. */
const WINDOW_US = 2_000_000;
/** Off by more than this, sound is missing, or the source has another clock now. */
const JUMP_US = 60_000;

export class SampleClock {
  /** Length of all sound so far. */
  #countedUs = 0;
  #windowStartUs = 0;
  /** Stated minus counted time, the least of each window. */
  #current = Number.POSITIVE_INFINITY;
  #previous = Number.POSITIVE_INFINITY;

  /** Capture time of the first sample of the next buffer, which is `durationUs` long and said to be of `statedUs`. */
  next(statedUs: number, durationUs: number): number {
    const offsetUs = statedUs - this.#countedUs;
    const before = Math.min(this.#current, this.#previous);
    if (Number.isFinite(before) && Math.abs(offsetUs - before) > JUMP_US) {
      this.#current = this.#previous = Number.POSITIVE_INFINITY;
      this.#windowStartUs = this.#countedUs;
    } else if (this.#countedUs - this.#windowStartUs > WINDOW_US) {
      this.#previous = this.#current;
      this.#current = Number.POSITIVE_INFINITY;
      this.#windowStartUs = this.#countedUs;
    }
    this.#current = Math.min(this.#current, offsetUs);
    const captureUs = this.#countedUs + Math.min(this.#current, this.#previous);
    this.#countedUs += durationUs;
    return captureUs;
  }
}
