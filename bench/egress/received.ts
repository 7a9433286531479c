/**
 * What of two barcoded and beeping sources (bench/media/source-page.js) came out at a recording of the programme: which source is seen and
 * heard when, and how far sound and picture lie apart. Times in the file are seconds.
 */
import { readFile } from "node:fs/promises";
import { runProgram } from "../../test/bridge/run-program.ts";
import { toneLevel } from "../../test/bridge/tones.ts";

const RATE_HZ = 48_000;
const BLOCKS = 40;
const STAMP_RANGE = 2 ** 26;
const TONES_HZ = [600, 900, 1200, 1500, 1800, 2100, 2400, 2700];
const BASE_HZ = 300;
const HIGHER_HZ = 100;
const BURST_LEVEL = 0.25;
/** Shorter than the shortest time between two bursts of a source. */
const BURST_APART_S = 0.1;

export interface SeenPicture {
  seconds: number;
  /** 0: no barcode, e.g. a black picture. */
  source: number;
  /** Wall clock, milliseconds modulo 2^26. */
  capturedMs: number;
}

export interface HeardBurst {
  seconds: number;
  source: number;
  tone: number;
}

/** Every picture as decoded, in the order of the file. Leaves their times in a file beside it. */
export async function seenPictures(file: string): Promise<SeenPicture[]> {
  const timesFile = `${file}.times`;
  // Times are printed for pictures that have some statistics.
  const print = `signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=${timesFile}`;
  const strip = `crop=iw:ih*8/360:0:ih*4/360,scale=${BLOCKS}:2:flags=area,${print},format=gray`;
  const pictureBytes = BLOCKS * 2;
  const strips = await runProgram("ffmpeg", [
    ...["-v", "error", "-i", file, "-an", "-vf", strip, "-fps_mode", "passthrough", "-f", "rawvideo", "-"],
  ]);
  const printed = await readFile(timesFile, "utf8");
  const times = [...printed.matchAll(/pts_time:(\S+)/g)].map(([, seconds]) => Number(seconds));
  const count = strips.length / pictureBytes;
  // ffmpeg may give the last one twice.
  if (count < times.length || count > times.length + 1)
    throw new Error(`${times.length} pictures were timed, ${count} came out`);
  return times.map((seconds, at) => ({
    seconds,
    ...readBarcode(strips.subarray(at * pictureBytes, at * pictureBytes + BLOCKS)),
  }));
}

function readBarcode(levels: Uint8Array): { source: number; capturedMs: number } {
  const bits = Array.from(levels, (level) => Number(level > 125));
  const number = (from: number, length: number): number =>
    bits.slice(from, from + length).reduce((sum, bit) => sum * 2 + bit, 0);
  const [time, source] = [number(2, 26), number(28, 4)];
  const check = (time ^ (time >>> 8) ^ (time >>> 16) ^ (time >>> 24) ^ (source * 37) ^ 0x5a) & 0xff;
  const isRead = bits[0] === 1 && bits[1] === 0 && number(32, 8) === check;
  return isRead ? { source, capturedMs: time } : { source: 0, capturedMs: 0 };
}

/** `samples`: mono, 48 kHz, of which the first lies at `beginS`. */
export function heardBursts(samples: Float32Array, beginS: number, sources: number): HeardBurst[] {
  const bursts: HeardBurst[] = [];
  const step = RATE_HZ / 1000;
  for (let at = 0; at + 30 * step <= samples.length; at++) {
    if (Math.abs(samples[at]!) < BURST_LEVEL) continue;
    // The first loud sample is up to a quarter of a period after the beginning.
    const window = samples.subarray(at, at + 25 * step);
    let best = { level: 0, source: 0, tone: 0 };
    for (let source = 1; source <= sources; source++) {
      for (const [tone, hertz] of TONES_HZ.entries()) {
        const level = toneLevel(window, hertz + HIGHER_HZ * (source - 1), RATE_HZ);
        if (level > best.level) best = { level, source, tone };
      }
    }
    const { level, source, tone } = best;
    if (level > BURST_LEVEL / 2) bursts.push({ seconds: beginS + at / RATE_HZ, source, tone });
    at += BURST_APART_S * RATE_HZ;
  }
  return bursts;
}

/** Level of a source's quiet tone in each tenth of a second. */
export function voiceLevels(samples: Float32Array, source: number): number[] {
  const length = RATE_HZ / 10;
  return Array.from({ length: Math.floor(samples.length / length) }, (_, at) =>
    toneLevel(samples.subarray(at * length, (at + 1) * length), BASE_HZ + HIGHER_HZ * (source - 1), RATE_HZ),
  );
}

/** Sound minus picture at the receiver for each burst that was recognised, milliseconds, positive = sound late; with its time. */
export function offsetsOf(
  pictures: readonly SeenPicture[],
  bursts: readonly HeardBurst[],
  emitted: ReadonlyMap<number, readonly (readonly [tone: number, wallMs: number])[]>,
): { seconds: number; ms: number }[] {
  const offsets: { seconds: number; ms: number }[] = [];
  let from = 0;
  for (const { seconds, source, tone } of bursts) {
    while (from < pictures.length && pictures[from]!.seconds < seconds - 1) from++;
    const near = pictures
      .slice(from, from + 100)
      .filter((picture) => picture.source === source && Math.abs(picture.seconds - seconds) < 0.5)
      .sort((a, b) => Math.abs(a.seconds - seconds) - Math.abs(b.seconds - seconds))[0];
    if (near === undefined) continue;
    const madeMs = near.capturedMs + (seconds - near.seconds) * 1000;
    const apart = (emitted.get(source) ?? [])
      .filter(([number]) => number === tone)
      .map(([, wallMs]) => signed(madeMs - wallMs))
      .sort((a, b) => Math.abs(a) - Math.abs(b))[0];
    if (apart !== undefined && Math.abs(apart) < 1_000) offsets.push({ seconds, ms: apart });
  }
  return offsets;
}

function signed(ms: number): number {
  const inRange = ((ms % STAMP_RANGE) + STAMP_RANGE) % STAMP_RANGE;
  return inRange > STAMP_RANGE / 2 ? inRange - STAMP_RANGE : inRange;
}
