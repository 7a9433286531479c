/**
 * How a relay process ends: the first signal drains it, so that everybody moves to another relay without a gap, and it goes when
 * it is empty or its time is over; a second signal ends it at once.
 */
import { onSignals } from "./signals.ts";
import type { RunningRelay } from "./start-relay.ts";

/** Saying goodbye to the directory may take so long; without it the lease runs out by itself. */
const GOODBYE_MS = 3_000;

export interface Shutdown {
  relay: RunningRelay;
  drainSeconds: number;
  /** Closes what the relay stands on. */
  close(): Promise<void>;
  log(line: string): void;
}

/** Resolves when the process may exit. */
export function untilShutDown(shutdown: Shutdown, isSupervised: boolean): Promise<void> {
  return new Promise((resolve) => {
    let isEnding = false;
    const end = async (): Promise<void> => {
      if (isEnding) return;
      isEnding = true;
      const late = new Promise<void>((giveUp) => setTimeout(giveUp, GOODBYE_MS));
      await Promise.race([shutdown.relay.stop().then(() => shutdown.close()), late]);
      resolve();
    };
    const hear = onSignals(
      () => void drain(shutdown).then(end),
      () => void end(),
    );
    // Whoever started this relay holds its standard input open for as long as it lives itself.
    if (isSupervised) void endOf(Deno.stdin.readable).then(hear);
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

async function endOf(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _ of stream) {
    // Nothing is said there; only its end matters.
  }
}
