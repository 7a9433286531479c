/** The worker's clock and randomness: wall time that never goes backwards. */
import type { Clock, Random, Timer } from "../../core/clock.ts";

export const workerClock: Clock = {
  nowUs: () => (performance.timeOrigin + performance.now()) * 1000,
  after(delayMs: number, task: () => void): Timer {
    const id = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(id) };
  },
};

export const workerRandom: Random = () => Math.random();
