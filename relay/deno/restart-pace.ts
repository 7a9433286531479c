/** How long a worker that died waits before it is started again: longer each time it dies soon, never in step with others. */
import type { Random } from "../../core/clock.ts";

/** Least and longest pause. A worker that dies at once is started at most every LONGEST_PAUSE_MS / 2. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** Whoever lived so long has not died of how it was started. */
const STEADY_MS = 60_000;

export class RestartPace {
  readonly #random: Random;
  #early = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** To be called when the worker has died. */
  pauseMs(livedMs: number): number {
    this.#early = livedMs >= STEADY_MS ? 0 : this.#early + 1;
    const doublings = Math.min(Math.max(0, this.#early - 1), 10);
    return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** doublings) * (0.5 + this.#random() / 2);
  }
}
