/** Figures of a row beyond those of every call: what the system itself counts, and how long it took to recover. */
import type { Account } from "../media/call-system.ts";
import {
  avOffsets,
  type EmittedBursts,
  freezes,
  type ProbeNotes,
  pictureDelays,
  soundDelays,
} from "../media/readings.ts";
import { type Figures, median } from "../report.ts";
import { AV_BOUNDS_MS } from "./conditions.ts";

/** A counter may start anew when a connection does; only what it grew by counts. */
function growth(accounts: readonly Account[], read: (account: Account) => number): number {
  let sum = 0;
  for (const [index, account] of accounts.entries()) {
    const before = accounts[index - 1];
    if (before === undefined) continue;
    const grown = read(account) - read(before);
    sum += grown >= 0 ? grown : read(account);
  }
  return sum;
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/**
 * What looks at a system's own account say about the time from the first to the last.
 * @param roadMs of the road one way: what a picture's delay counted from its capture (Tributary's) has in it beside the
 *   buffer. Capture and encoding stay in it.
 */
export function accountFigures(accounts: readonly Account[], roadMs: number): Figures {
  const first = accounts[0];
  const last = accounts.at(-1);
  const spanMs = first === undefined || last === undefined ? 0 : last.atMs - first.atMs;
  const playedMs = growth(accounts, ({ playedMs: value }) => value);
  const widths = accounts.flatMap(({ pictureWidth }) => (pictureWidth === null ? [] : [pictureWidth]));
  const videoMs = mean(accounts.map(({ videoBufferMs }) => videoBufferMs));
  return {
    concealedShare: playedMs === 0 ? null : growth(accounts, ({ concealedMs }) => concealedMs) / playedMs,
    audioBufferMs: mean(accounts.map(({ audioBufferMs }) => audioBufferMs)),
    videoBufferMs: videoMs === null ? null : Math.max(0, videoMs - roadMs),
    receivedKbps: spanMs === 0 ? null : (growth(accounts, (account) => account.receivedBytes) * 8) / spanMs,
    pictureWidth: median(widths),
    smallestPictureWidth: widths.length === 0 ? null : Math.min(...widths),
  };
}

/** Must be good for this long to count as recovered. */
const STEADY_MS = 1_000;

/**
 * Milliseconds from the end of an outage until pictures flow again without a freeze, sound is heard, and both are in
 * step, all of it for a second; null when that did not come before `untilMs`.
 */
export function recoveredMs(
  notes: ProbeNotes,
  emitted: EmittedBursts,
  endMs: number,
  untilMs: number,
): number | null {
  const pictures = pictureDelays(notes);
  const sounds = soundDelays(notes, emitted);
  const isSteady = (fromMs: number): boolean => {
    if (freezes(notes, fromMs, fromMs + STEADY_MS).count > 0) return false;
    const heard = sounds.filter(({ atMs, delayMs }) => {
      const heardMs = atMs + delayMs;
      return heardMs >= fromMs && heardMs <= fromMs + STEADY_MS;
    });
    const offsets = avOffsets(heard, pictures);
    const { early, late } = AV_BOUNDS_MS;
    return offsets.length > 0 && offsets.every((offset) => offset <= early && offset >= -late);
  };
  const seen = notes.pictures.map(([seenMs]) => seenMs).filter((seenMs) => seenMs >= endMs);
  for (const fromMs of [endMs, ...seen]) {
    if (fromMs + STEADY_MS > untilMs) return null;
    if (isSteady(fromMs)) return fromMs - endMs;
  }
  return null;
}
