/**
 * Turns what the source wrote down and what the probe wrote down (source-page.js, probe-page.js) into delays, frame
 * rate, freezes and A/V offset.
 */
import { type Figures, median, quantile } from "../report.ts";

/** What the probe of one page holds; all times by the wall clock in ms. */
export interface ProbeNotes {
  /** [seen at, captured at modulo 2^26, width of the element's picture] */
  pictures: [number, number, number][];
  /** [tone 0..7, heard at] */
  bursts: [number, number][];
  silentMs: number;
  firstPictureMs: number;
  firstSoundMs: number;
  readings: number;
  readingMs: number;
}

/** [tone 0..7, emitted at] */
export type EmittedBursts = [number, number][];

const STAMP_RANGE = 2 ** 26;
/** A burst heard later than this after its like was emitted belongs to the next of the same tone. */
const LONGEST_DELAY_MS = 3_000;
/** The source's frame interval, from source-page.js. */
const FRAME_MS = 1001 / 30;
/** W3C webrtc-stats: a freeze is a picture that stays this much longer than the usual one. */
const FREEZE_EXTRA_MS = 150;

export interface Delay {
  /** When the thing was captured. */
  atMs: number;
  delayMs: number;
}

export function pictureDelays(notes: ProbeNotes): Delay[] {
  return notes.pictures.map(([seenMs, stamp]) => {
    const delayMs = (((seenMs - stamp) % STAMP_RANGE) + STAMP_RANGE) % STAMP_RANGE;
    return { atMs: seenMs - delayMs, delayMs };
  });
}

/** Each heard burst with the latest emitted one of its tone; those that match none are left out. */
export function soundDelays(notes: ProbeNotes, emitted: EmittedBursts): Delay[] {
  const delays: Delay[] = [];
  for (const [tone, heardMs] of notes.bursts) {
    const origin = emitted.findLast(([number, atMs]) => number === tone && atMs <= heardMs);
    if (origin === undefined || heardMs - origin[1] > LONGEST_DELAY_MS) continue;
    delays.push({ atMs: origin[1], delayMs: heardMs - origin[1] });
  }
  return delays;
}

/** Sound minus picture, positive = sound early: for each burst, against the picture captured nearest to it. */
export function avOffsets(sounds: readonly Delay[], pictures: readonly Delay[]): number[] {
  const offsets: number[] = [];
  for (const sound of sounds) {
    let nearest: Delay | undefined;
    for (const picture of pictures) {
      const distance = Math.abs(picture.atMs - sound.atMs);
      if (distance < 100 && distance < Math.abs((nearest?.atMs ?? Number.NEGATIVE_INFINITY) - sound.atMs))
        nearest = picture;
    }
    if (nearest !== undefined) offsets.push(nearest.delayMs - sound.delayMs);
  }
  return offsets;
}

/** How often and how long a picture stood still, by the rule of W3C webrtc-stats. A freeze may be going on at the end. */
export function freezes(notes: ProbeNotes, fromMs: number, toMs: number): { count: number; totalMs: number } {
  const times = notes.pictures.map(([seenMs]) => seenMs).filter((atMs) => atMs >= fromMs && atMs <= toMs);
  const gaps = [...times, toMs].map((atMs, index) => atMs - (index === 0 ? fromMs : times[index - 1]!));
  const frozen = gaps.filter((gapMs) => gapMs > Math.max(3 * FRAME_MS, FRAME_MS + FREEZE_EXTRA_MS));
  return { count: frozen.length, totalMs: frozen.reduce((sum, gapMs) => sum + gapMs, 0) };
}

/** All that can be told from outside about the time from `fromMs` to `toMs`. */
export function readFigures(
  notes: ProbeNotes,
  emitted: EmittedBursts,
  fromMs: number,
  toMs: number,
): Figures {
  const within = ({ atMs }: Delay) => atMs >= fromMs && atMs <= toMs;
  const pictures = pictureDelays(notes);
  const seen = pictures.filter(within);
  const heard = soundDelays(notes, emitted).filter(within);
  const emittedThen = emitted.filter(([, atMs]) => atMs >= fromMs && atMs <= toMs);
  const videoMs = seen.map(({ delayMs }) => delayMs);
  const audioMs = heard.map(({ delayMs }) => delayMs);
  const offsets = avOffsets(heard, pictures);
  const frozen = freezes(notes, fromMs, toMs);
  const minutes = (toMs - fromMs) / 60_000;
  return {
    audioDelayP50Ms: median(audioMs),
    audioDelayP95Ms: quantile(audioMs, 0.95),
    videoDelayP50Ms: median(videoMs),
    videoDelayP95Ms: quantile(videoMs, 0.95),
    avOffsetP50Ms: median(offsets),
    avOffsetP5Ms: quantile(offsets, 0.05),
    avOffsetP95Ms: quantile(offsets, 0.95),
    fps: (seen.length * 1000) / (toMs - fromMs),
    freezes: frozen.count,
    frozenMsPerMinute: frozen.totalMs / minutes,
    burstsHeardShare: emittedThen.length === 0 ? null : heard.length / emittedThen.length,
    pictureWidth: median(notes.pictures.map(([, , width]) => width)),
  };
}
