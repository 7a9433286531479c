/** RTMP's 32-bit milliseconds as microseconds that go on: across 2^32, with jitter straightened on each track. */
import { MAX_STEP_BACK_MS } from "./limits.ts";

/** One clock for all tracks of a publication. */
export class Timeline {
  #raw: number | undefined;
  #ms = 0;

  /** Milliseconds that do not wrap; the first are as they came. Differences of up to 2^31 either way are understood. */
  at(timestamp: number): number {
    if (this.#raw === undefined) {
      this.#raw = timestamp;
      this.#ms = timestamp;
      return timestamp;
    }
    const step = (timestamp - this.#raw) | 0;
    const ms = this.#ms + step;
    if (step > 0) {
      this.#raw = timestamp;
      this.#ms = ms;
    }
    return ms;
  }
}

/** Decode times of one track, which grow. */
export class TrackTimes {
  #lastUs = Number.NEGATIVE_INFINITY;

  /** Undefined: time has run backwards by more than jitter. */
  next(timeUs: number): number | undefined {
    if (this.#lastUs - timeUs > MAX_STEP_BACK_MS * 1000) return undefined;
    this.#lastUs = Math.max(timeUs, this.#lastUs + 1);
    return this.#lastUs;
  }
}
