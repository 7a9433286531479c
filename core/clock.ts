/**
 * Time and randomness as values that are handed in, so that the same code runs on a wall clock in
 * production and on a virtual one in simulation (test/sim).
 */

/** A timer that can be cancelled; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Microseconds since the Unix epoch; never goes backwards. */
  nowUs(): number;
  /** Calls `task` once, `delayMs` milliseconds from now. */
  after(delayMs: number, task: () => void): Timer;
}

/** Uniform random numbers in [0, 1). Never used for secrets. */
export type Random = () => number;

/** Calls `task` every `periodMs` until the returned timer is cancelled. */
export function every(clock: Clock, periodMs: number, task: () => void): Timer {
  let cancelled = false;
  let timer = clock.after(periodMs, tick);
  function tick(): void {
    task();
    if (!cancelled) timer = clock.after(periodMs, tick);
  }
  return {
    cancel(): void {
      cancelled = true;
      timer.cancel();
    },
  };
}
