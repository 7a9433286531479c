/**
 * What capture time the speaker plays at a given moment: learned from reports of what the sound card took,
 * asked by the picture, which follows the sound.
 */

/** Without a report for this long the sound stands still and cannot lead. */
const STALE_US = 500_000;
/** A step larger than this is taken over at once (a stall, a new source); smaller ones are smoothed. */
const STEP_US = 60_000;
const SMOOTHING = 1 / 8;

export class PlayoutClock {
  #delayUs: number | undefined;
  #notedUs = 0;

  /** At local time `localUs` the speaker plays what was captured at `captureUs`. */
  note(captureUs: number, localUs: number): void {
    const delayUs = localUs - captureUs;
    const previous = this.#delayUs;
    this.#delayUs =
      previous === undefined || Math.abs(delayUs - previous) > STEP_US || localUs - this.#notedUs > STALE_US
        ? delayUs
        : previous + (delayUs - previous) * SMOOTHING;
    this.#notedUs = localUs;
  }

  /** From capture to speaker, microseconds between the two clocks; undefined while nothing plays. */
  delayUs(nowUs: number): number | undefined {
    return nowUs - this.#notedUs > STALE_US ? undefined : this.#delayUs;
  }

  /** Capture time that is heard at `localUs`; undefined while nothing plays. */
  captureAt(localUs: number): number | undefined {
    const delayUs = this.delayUs(localUs);
    return delayUs === undefined ? undefined : localUs - delayUs;
  }
}
