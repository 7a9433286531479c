/** The real time as a Clock, for tests that run against real sockets or a memory session without simulation. */
import type { Clock } from "../../core/clock.ts";

export const wallClock: Clock = {
  nowUs: () => (performance.timeOrigin + performance.now()) * 1000,
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
