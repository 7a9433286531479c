/** The real time as a Clock. The one place of the relay that reads it. */
import type { Clock } from "../../core/clock.ts";

/** The wall clock at start plus monotonic time since: it never jumps, and differs from the wall clock by its later changes. */
const originUs = performance.timeOrigin * 1000;

export const systemClock: Clock = {
  nowUs: () => originUs + performance.now() * 1000,
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
