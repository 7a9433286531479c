/** How busy the machine is as a whole: with much else running on it, every figure is worse than the system's own. */
import { cpus } from "node:os";

/** Above this share of all cores the figures are the machine's, not the system's. */
const BUSY_SHARE = 0.8;

/** Begins to count; the answer gives the share of all cores that was busy since then, 0 to 1. */
export function watchLoad(): () => number {
  const before = ticks();
  return () => {
    const after = ticks();
    return after.all === before.all ? 0 : (after.busy - before.busy) / (after.all - before.all);
  };
}

/** A sentence to say when the machine had too much to do, else undefined. */
export function tooBusy(busyShare: number): string | undefined {
  if (busyShare <= BUSY_SHARE) return undefined;
  return `  The machine was ${Math.round(busyShare * 100)} % busy: run this again when it has less to do.`;
}

function ticks(): { busy: number; all: number } {
  const times = cpus().map((core) => core.times);
  const idle = times.reduce((sum, core) => sum + core.idle, 0);
  const all = times.reduce((sum, core) => sum + core.idle + core.user + core.nice + core.sys + core.irq, 0);
  return { busy: all - idle, all };
}
