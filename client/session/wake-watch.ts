/**
 * Notices that the machine, or the page, has slept: the wall clock has gone on further than the timers of this thread. `performance.now`
 * is no measure of it, because some systems stop that clock too.
 */

const LOOK_EVERY_MS = 1_000;
/** Later than this a look tells of more than a busy thread. */
const SLEPT_MS = 3_000;

/** `wallMs`: Date.now; `repeat`: setInterval. Calls `onWake` with how long it was; the answer ends it. */
export function watchWake(
  onWake: (sleptMs: number) => void,
  wallMs: () => number = Date.now,
  repeat: (look: () => void, everyMs: number) => () => void = repeatReally,
): () => void {
  let lastMs = wallMs();
  return repeat(() => {
    const nowMs = wallMs();
    const lateMs = nowMs - lastMs - LOOK_EVERY_MS;
    lastMs = nowMs;
    if (lateMs > SLEPT_MS) onWake(lateMs);
  }, LOOK_EVERY_MS);
}

function repeatReally(look: () => void, everyMs: number): () => void {
  const timer = setInterval(look, everyMs);
  return () => clearInterval(timer);
}
