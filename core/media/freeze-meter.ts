/** Counts freezes as W3C webrtc-stats defines them (freezeCount, totalFreezesDuration) from the times of rendered frames. */

/** Frames whose average duration a gap is compared with. */
const AVERAGED_FRAMES = 30;
const LEAST_EXCESS_US = 150_000;

export class FreezeMeter {
  readonly #durations = new Float64Array(AVERAGED_FRAMES);
  #seen = 0;
  #lastUs: number | undefined;
  #count = 0;
  #totalUs = 0;

  get count(): number {
    return this.#count;
  }

  get totalMs(): number {
    return this.#totalUs / 1000;
  }

  push(renderedUs: number): void {
    const lastUs = this.#lastUs;
    this.#lastUs = renderedUs;
    if (lastUs === undefined) return;
    const gapUs = renderedUs - lastUs;
    const known = Math.min(this.#seen, AVERAGED_FRAMES);
    if (known > 0) {
      let sum = 0;
      for (let i = 0; i < known; i++) sum += this.#durations[i]!;
      const average = sum / known;
      if (gapUs >= Math.max(3 * average, average + LEAST_EXCESS_US)) {
        this.#count++;
        this.#totalUs += gapUs;
      }
    }
    this.#durations[this.#seen++ % AVERAGED_FRAMES] = gapUs;
  }

  /** The picture stopped on purpose (mute, unpublish): the gap is no freeze. */
  pause(): void {
    this.#lastUs = undefined;
  }
}
