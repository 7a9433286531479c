/** What a camera behind a cover sees and a muted microphone hears: black pictures and digital silence. Made once, kept in test/.cache. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../start/dependencies.mjs";
import type { TestClip } from "./test-clip.ts";

const WIDTH = 320;
const HEIGHT = 180;
const FRAMES = 15;
const SAMPLE_RATE_HZ = 48_000;
const BLACK = 16;

export function darkClip(): TestClip {
  const folder = join(ROOT, "test", ".cache", "clip-dark");
  mkdirSync(folder, { recursive: true });
  const clip = { videoPath: join(folder, "camera.y4m"), audioPath: join(folder, "microphone.wav") };
  const luma = new Uint8Array(WIDTH * HEIGHT).fill(BLACK);
  const chroma = new Uint8Array((WIDTH * HEIGHT) / 2).fill(128);
  const frame = [Buffer.from("FRAME\n"), luma, chroma];
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip A1:1 C420jpeg\n`);
  writeFileSync(
    clip.videoPath,
    Buffer.concat([header, ...Array.from({ length: FRAMES }, () => frame).flat()]),
  );
  writeFileSync(clip.audioPath, silence());
  return clip;
}

/** A second of 16-bit mono PCM (RIFF WAVE). */
function silence(): Uint8Array {
  const bytes = Buffer.alloc(44 + 2 * SAMPLE_RATE_HZ);
  bytes.write("RIFF", 0, "ascii");
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write("WAVEfmt ", 8, "ascii");
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  bytes.writeUInt32LE(2 * SAMPLE_RATE_HZ, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36, "ascii");
  bytes.writeUInt32LE(bytes.length - 44, 40);
  return bytes;
}
