/** A clock that moves only when told to, for tests of recordings and storage. */
import type { Clock, Timer } from "../../../core/clock.ts";

export class HandClock implements Clock {
  #nowUs: number;
  #tasks: { atUs: number; task: () => void }[] = [];

  constructor(startUs = 1_800_000_000_000_000) {
    this.#nowUs = startUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  after(delayMs: number, task: () => void): Timer {
    const entry = { atUs: this.#nowUs + delayMs * 1000, task };
    this.#tasks.push(entry);
    return {
      cancel: () => {
        this.#tasks = this.#tasks.filter((other) => other !== entry);
      },
    };
  }

  /** Runs what is due, and lets what follows from it at once happen. */
  async pass(delayMs: number): Promise<void> {
    const endUs = this.#nowUs + delayMs * 1000;
    for (;;) {
      const next = this.#tasks.filter((t) => t.atUs <= endUs).sort((a, b) => a.atUs - b.atUs)[0];
      if (!next) break;
      this.#tasks = this.#tasks.filter((other) => other !== next);
      this.#nowUs = next.atUs;
      next.task();
      await settled();
    }
    this.#nowUs = endUs;
    await settled();
  }
}

/** All that can happen without time passing has happened: in memory nothing takes longer. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
}
