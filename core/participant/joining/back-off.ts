/** Pauses between attempts: longer each time, and over at once when something is new. */
import type { Clock, Random } from "../../clock.ts";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** How the pauses grow. */
export interface Pauses {
  firstMs: number;
  longestMs: number;
  factor: number;
}

export class BackOff {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #pauses: Pauses;
  #pauseMs: number;
  #wake: (() => void) | undefined;

  constructor(
    clock: Clock,
    random: Random,
    pauses: Pauses = { firstMs: FIRST_PAUSE_MS, longestMs: LONGEST_PAUSE_MS, factor: 2 },
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#pauses = pauses;
    this.#pauseMs = pauses.firstMs;
  }

  async pause(): Promise<void> {
    // Full jitter keeps a thousand clients of one dead relay from coming back at once.
    const delayMs = this.#pauseMs * (0.5 + this.#random() / 2);
    const { longestMs, factor } = this.#pauses;
    this.#pauseMs = Math.min(longestMs, this.#pauseMs * factor);
    let timer: { cancel(): void } | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = this.#clock.after(delayMs, resolve);
    });
    timer?.cancel();
  }

  /** Ends the pause that goes on. */
  wake(): void {
    this.#wake?.();
  }
}
