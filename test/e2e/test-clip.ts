/**
 * What the browsers' camera and microphone see and hear: a moving picture whose frames carry their number, and a tone in
 * beats. Made once, kept in test/.cache.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../start/dependencies.mjs";

export const CLIP_WIDTH = 640;
export const CLIP_HEIGHT = 360;
export const CLIP_FRAME_RATE = 30;
/** The clip repeats after this many frames (three seconds). */
export const CLIP_FRAMES = 90;
/** Rows at the top that hold the frame's number, and the first row of the colour patches at the bottom. */
export const CODE_ROWS = 24;
export const COLOUR_TOP = 320;
/** Beats rather than a steady sound, which a browser's noise suppression would take for noise. */
export const TONE_HZ = 1000;
const BEAT_MS = 250;
const TONE_SECONDS = 4;
const SAMPLE_RATE_HZ = 48_000;

export const CODE_CELLS = 16;
const CODE_CELL_WIDTH = CLIP_WIDTH / CODE_CELLS;
const WHITE = 235;
const BLACK = 16;

/** Red, green and blue of the patches, left to right. */
export const COLOURS: readonly (readonly [number, number, number])[] = [
  [191, 40, 40],
  [40, 191, 40],
  [40, 40, 191],
  [191, 191, 40],
];

export interface TestClip {
  videoPath: string;
  audioPath: string;
}

/** Paths of the two files, which are made when they are missing. */
export function testClip(): TestClip {
  const folder = join(ROOT, "test", ".cache", "clip-1");
  mkdirSync(folder, { recursive: true });
  const clip = { videoPath: join(folder, "camera.y4m"), audioPath: join(folder, "microphone.wav") };
  if (!existsSync(clip.videoPath)) writeWhole(clip.videoPath, video());
  if (!existsSync(clip.audioPath)) writeWhole(clip.audioPath, tone());
  return clip;
}

/** Luma (16 to 235) of frame `frame`, row by row. */
export function clipLuma(frame: number): Uint8Array {
  const luma = new Uint8Array(CLIP_WIDTH * CLIP_HEIGHT);
  const phase = (2 * Math.PI * frame) / CLIP_FRAMES;
  const ballX = CLIP_WIDTH / 2 + 220 * Math.sin(2 * phase);
  const ballY = 170 + 90 * Math.sin(3 * phase);
  for (let y = 0; y < CLIP_HEIGHT; y++) {
    for (let x = 0; x < CLIP_WIDTH; x++) {
      const wave = Math.sin(x / 27 + 2 * phase) * Math.cos(y / 19 - phase);
      const inBall = (x - ballX) ** 2 + (y - ballY) ** 2 < 40 ** 2;
      luma[y * CLIP_WIDTH + x] = inBall ? 210 : 110 + 70 * wave;
    }
  }
  const cells = codeOf(frame);
  for (let y = 0; y < CODE_ROWS; y++) {
    for (let x = 0; x < CLIP_WIDTH; x++) {
      luma[y * CLIP_WIDTH + x] = cells[Math.floor(x / CODE_CELL_WIDTH)] ? WHITE : BLACK;
    }
  }
  for (let y = COLOUR_TOP; y < CLIP_HEIGHT; y++) {
    for (let x = 0; x < CLIP_WIDTH; x++) luma[y * CLIP_WIDTH + x] = yuvOf(x)[0];
  }
  return luma;
}

/** Sixteen cells: light, dark, eight bits of number, four of its checksum, dark, light. */
function codeOf(frame: number): boolean[] {
  const bits = (value: number, count: number) =>
    Array.from({ length: count }, (_, i) => ((value >> i) & 1) === 1);
  return [true, false, ...bits(frame, 8), ...bits(checksumOf(frame), 4), false, true];
}

function checksumOf(frame: number): number {
  return ((frame ^ (frame >> 4)) * 7 + 5) & 15;
}

/** Number of the frame whose code cells have these brightnesses (0 to 255), undefined when it is not readable. */
export function readCode(cells: readonly number[]): number | undefined {
  const bits = cells.map((brightness) => (brightness > 127 ? 1 : 0));
  const number = (from: number, count: number) =>
    bits.slice(from, from + count).reduce((value: number, bit, i) => value | (bit << i), 0);
  const frame = number(2, 8);
  const framed = bits[0] === 1 && bits[1] === 0 && bits[14] === 0 && bits[15] === 1;
  return framed && number(10, 4) === checksumOf(frame) && frame < CLIP_FRAMES ? frame : undefined;
}

/** Y, U and V (BT.601, limited range) of the colour patch at column `x`. */
function yuvOf(x: number): [number, number, number] {
  const [r, g, b] = COLOURS[Math.floor((x * COLOURS.length) / CLIP_WIDTH)] ?? [0, 0, 0];
  return [
    16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255,
    128 + (-37.797 * r - 74.203 * g + 112 * b) / 255,
    128 + (112 * r - 93.786 * g - 18.214 * b) / 255,
  ];
}

function video(): Uint8Array {
  const header = Buffer.from(
    `YUV4MPEG2 W${CLIP_WIDTH} H${CLIP_HEIGHT} F${CLIP_FRAME_RATE}:1 Ip A1:1 C420jpeg\n`,
  );
  const frameMark = Buffer.from("FRAME\n");
  const half = CLIP_WIDTH / 2;
  const chroma = [1, 2].map((plane) => {
    const values = new Uint8Array((half * CLIP_HEIGHT) / 2).fill(128);
    for (let y = COLOUR_TOP / 2; y < CLIP_HEIGHT / 2; y++) {
      for (let x = 0; x < half; x++) values[y * half + x] = yuvOf(2 * x)[plane] ?? 128;
    }
    return values;
  });
  const frames = Array.from({ length: CLIP_FRAMES }, (_, i) => [frameMark, clipLuma(i), ...chroma]);
  return Buffer.concat([header, ...frames.flat()]);
}

/** 16-bit mono WAV. */
function tone(): Uint8Array {
  const samples = SAMPLE_RATE_HZ * TONE_SECONDS;
  const wav = Buffer.alloc(44 + samples * 2);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + samples * 2, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  wav.writeUInt32LE(SAMPLE_RATE_HZ * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++) {
    const ms = (i * 1000) / SAMPLE_RATE_HZ;
    const intoBeat = ms % (2 * BEAT_MS);
    // Ten milliseconds of rise and fall, so that beats do not click.
    const envelope = Math.max(0, Math.min(1, intoBeat / 10, (BEAT_MS - intoBeat) / 10));
    wav.writeInt16LE(
      Math.round(12_000 * envelope * Math.sin((2 * Math.PI * TONE_HZ * i) / SAMPLE_RATE_HZ)),
      44 + 2 * i,
    );
  }
  return wav;
}

/** Tests that start at the same time must not see half a file. */
function writeWhole(path: string, bytes: Uint8Array): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, bytes);
  renameSync(draft, path);
}
