/** Pauses between attempts: longer each time, and over at once when something is new. */
import type { Clock, Random } from "../../clock.ts";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export class BackOff {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #longestMs: (pauses: number) => number;
  #pauses = 0;
  #wake: (() => void) | undefined;

  /** `longestMs`: of the pause behind so many others. */
  constructor(clock: Clock, random: Random, longestMs: (pauses: number) => number = doubled) {
    this.#clock = clock;
    this.#random = random;
    this.#longestMs = longestMs;
  }

  async pause(): Promise<void> {
    // Full jitter keeps a thousand clients of one dead relay from coming back at once.
    const delayMs = this.#longestMs(this.#pauses++) * (0.5 + this.#random() / 2);
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

function doubled(pauses: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** pauses);
}
