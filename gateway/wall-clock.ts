/** The clock of a gateway in production. The only file of the gateway, entries aside, that reads the time. */
import type { Clock } from "../core/clock.ts";

export function wallClock(): Clock {
  let lastUs = 0;
  return {
    nowUs(): number {
      // A clock that is set back stands still until the old time comes round again.
      lastUs = Math.max(lastUs, Date.now() * 1000);
      return lastUs;
    },
    after(delayMs, task) {
      const timer = setTimeout(task, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}
