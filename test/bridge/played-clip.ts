/** Pictures and sound for tests of bridges, made by ffmpeg and by arithmetic. */
import { spawnSync } from "node:child_process";
import { forEachNalUnit } from "../../core/media/annex-b.ts";

const NAL_DELIMITER = 9;
export const CLIP_RATE = 30;
const SAMPLE_RATE_HZ = 48_000;

/** Access units (Annex B) of a moving test picture, 30 a second, a keyframe each second, no B-frames. */
export function clipPictures(seconds: number, size = "320x180"): Uint8Array[] {
  const { status, stdout, stderr } = spawnSync(
    "ffmpeg",
    [
      ["-v", "error", "-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${CLIP_RATE}:duration=${seconds}`],
      ["-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-b:v", "600k"],
      ["-g", String(CLIP_RATE), "-pix_fmt", "yuv420p"],
      ["-bsf:v", "h264_metadata=aud=insert,dump_extra=freq=keyframe", "-f", "h264", "-"],
    ].flat(),
    { maxBuffer: 1 << 28 },
  );
  if (status !== 0) throw new Error(`ffmpeg made no clip: ${stderr}`);
  return splitAtDelimiters(new Uint8Array(stdout));
}

/** The delimiters themselves are left out. */
function splitAtDelimiters(bytes: Uint8Array): Uint8Array[] {
  const units: number[][] = [];
  forEachNalUnit(bytes, (type, start, end) => {
    if (type === NAL_DELIMITER) units.push([]);
    else units.at(-1)!.push(0, 0, 0, 1, ...bytes.subarray(start, end));
    return undefined;
  });
  return units.map((unit) => Uint8Array.from(unit));
}

/** 20 ms of a tone, mono. */
export function toneBlock(index: number, hz: number, level = 0.3): Float32Array {
  const from = index * 960;
  return Float32Array.from({ length: 960 }, (_, i) => {
    return level * Math.sin((2 * Math.PI * hz * (from + i)) / SAMPLE_RATE_HZ);
  });
}

/** Stretches that a tone is looked for in: a mix that follows a clock changes pitch by up to 0.5 %. */
const STRETCH_SAMPLES = 2_400;

/** Share of the power of `samples` that is at `hz` (Goertzel), of stretches of 50 ms. */
export function toneShare(samples: Float32Array, hz: number): number {
  let power = 0;
  let tone = 0;
  for (let at = 0; at + STRETCH_SAMPLES <= samples.length; at += STRETCH_SAMPLES) {
    let real = 0;
    let imaginary = 0;
    for (let i = 0; i < STRETCH_SAMPLES; i++) {
      const sample = samples[at + i]!;
      const angle = (2 * Math.PI * hz * i) / SAMPLE_RATE_HZ;
      real += sample * Math.cos(angle);
      imaginary += sample * Math.sin(angle);
      power += sample * sample;
    }
    tone += (2 * (real * real + imaginary * imaginary)) / STRETCH_SAMPLES;
  }
  return power === 0 ? 0 : tone / power;
}
