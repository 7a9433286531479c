/**
 * When a media datagram is of no use any more at this end of a hop: its capture time, plus the smallest time that any took from
 * capture to arrival of late, plus the playout delay. Needs no synchronised clocks.
 */

/** The minimum is taken over one to two of these, so that a drifting clock or a longer path is followed. */
const WINDOW_US = 5_000_000;

export class PlayoutDeadline {
  #currentUs = Number.POSITIVE_INFINITY;
  #previousUs = Number.POSITIVE_INFINITY;
  #windowEndsUs = 0;

  /** Notes that something captured at `captureUs` arrived. */
  push(captureUs: number, nowUs: number): void {
    if (nowUs >= this.#windowEndsUs) {
      const isOld = nowUs >= this.#windowEndsUs + WINDOW_US;
      this.#previousUs = isOld ? Number.POSITIVE_INFINITY : this.#currentUs;
      this.#currentUs = Number.POSITIVE_INFINITY;
      this.#windowEndsUs = nowUs + WINDOW_US;
    }
    this.#currentUs = Math.min(this.#currentUs, nowUs - captureUs);
  }

  /** End of use of what was captured at `captureUs`; endless before anything arrived. */
  of(captureUs: number, playoutDelayMs: number): number {
    return captureUs + Math.min(this.#currentUs, this.#previousUs) + playoutDelayMs * 1000;
  }
}
