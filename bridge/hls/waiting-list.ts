/** Requests that wait until something is there: bounded in number and time, ended when the client goes away. */
import type { Clock } from "../../core/clock.ts";
import { MAX_WAIT_MS, MAX_WAITING_REQUESTS } from "./limits.ts";

/** `ready`: look again. `full`, `late`: answer 503. `gone`: nobody listens any more. */
export type Waited = "ready" | "full" | "late" | "gone";

interface Waiter {
  isReady(): boolean;
  finish(result: Waited): void;
}

export class WaitingList {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves when `isReady` has become true at a check(), and when it will not. */
  async until(isReady: () => boolean, signal: AbortSignal | undefined): Promise<Waited> {
    if (isReady()) return "ready";
    if (signal?.aborted === true) return "gone";
    if (this.#waiters.size >= MAX_WAITING_REQUESTS) return "full";
    return new Promise((resolve) => {
      const leave = (): void => waiter.finish("gone");
      const timer = this.#clock.after(MAX_WAIT_MS, () => waiter.finish("late"));
      const waiter: Waiter = {
        isReady,
        finish: (result) => {
          if (!this.#waiters.delete(waiter)) return;
          timer.cancel();
          signal?.removeEventListener("abort", leave);
          resolve(result);
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  /** Something has changed. */
  check(): void {
    for (const waiter of [...this.#waiters]) if (waiter.isReady()) waiter.finish("ready");
  }
}
