/**
 * How a relay process ends: the first signal drains it, so that everybody moves to another relay without a gap, and it goes when
 * it is empty or its time is over; a second signal ends it at once.
 */
import type { RunningRelay } from "./relay-config.ts";
import type { OnSignals } from "./signals.ts";

/** Saying goodbye to the directory may take so long; without it the lease runs out by itself. */
const GOODBYE_MS = 3_000;

export interface Shutdown {
  relay: RunningRelay;
  drainSeconds: number;
  /** Closes what the relay stands on. */
  close(): Promise<void>;
  log(line: string): void;
  onSignals: OnSignals;
  /** Settles when whoever supervises this relay is gone; undefined = nobody does. */
  supervisorEnd?: Promise<void> | undefined;
}

/** Resolves when the process may exit. */
export function untilShutDown(shutdown: Shutdown): Promise<void> {
  return new Promise((resolve) => {
    let isEnding = false;
    const end = async (): Promise<void> => {
      if (isEnding) return;
      isEnding = true;
      const late = new Promise<void>((giveUp) => setTimeout(giveUp, GOODBYE_MS));
      await Promise.race([shutdown.relay.stop().then(() => shutdown.close()), late]);
      resolve();
    };
    const hear = shutdown.onSignals(
      () => void drain(shutdown).then(end),
      () => void end(),
    );
    void shutdown.supervisorEnd?.then(hear);
  });
}

async function drain({ relay: { relay }, drainSeconds, log }: Shutdown): Promise<void> {
  const startMs = performance.now();
  const before = relay.record.participants;
  log(
    `draining for at most ${drainSeconds} s: ${counted(before, "participant")} in ${counted(relay.rooms.size, "room")}`,
  );
  await relay.drain(drainSeconds * 1000);
  const left = relay.record.participants;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  log(
    `drained in ${seconds} s: ${before - left} of ${counted(before, "participant")} moved, ${counted(relay.rooms.size, "room")} left`,
  );
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
