/** When a target is tried again: at once at first, then longer each time, jittered so that many outputs of one dead target do not come back together. */
import type { Random } from "../../core/clock.ts";
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS, LONGEST_REFUSED_PAUSE_MS } from "./limits.ts";

export class RetryPace {
  readonly #random: Random;
  #failures = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Nothing has failed since it last worked for a while. */
  get isFresh(): boolean {
    return this.#failures === 0;
  }

  /** Milliseconds until the next attempt, between half of the pause and all of it. */
  next(reason: "lost" | "refused"): number {
    const longest = reason === "lost" ? LONGEST_PAUSE_MS : LONGEST_REFUSED_PAUSE_MS;
    const pauseMs = Math.min(longest, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    return pauseMs * (0.5 + this.#random() / 2);
  }

  /** It has worked for a while. */
  reset(): void {
    this.#failures = 0;
  }
}
