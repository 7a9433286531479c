/** Our AAC through ffmpeg's decoder: it is valid, and sound is where its time says. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { BLOCK_SAMPLES, BLOCK_US } from "../../bridge/programme/programme.ts";
import { openAacEncoder } from "../../bridge/sound/aac-encoder.ts";
import type { SoundFrame } from "../../bridge/sound/sound-encoder.ts";

const START_US = 1_790_000_000_000_000;

/** An access unit behind the 7-byte header of ISO/IEC 13818-7, 6.2: AAC-LC, 48 kHz, 2 channels. */
function adts(unit: Uint8Array): Uint8Array {
  const length = unit.length + 7;
  const header = [0xff, 0xf1, 0x4c, 0x80 | (length >> 11), (length >> 3) & 0xff, ((length & 7) << 5) | 0x1f];
  return Uint8Array.of(...header, 0xfc, ...unit);
}

describe("AAC as ffmpeg decodes it", () => {
  it("has a click on the very sample that it was on", async () => {
    const frames: SoundFrame[] = [];
    const encoder = await openAacEncoder({
      bitrateBps: 128_000,
      onFrame: (frame) => frames.push(frame),
      onFailure: (error) => expect.fail(error.message),
    });
    const clickAt = [30_011, 60_000, 84_321];
    for (let block = 0; block < 100; block++) {
      const samples = new Float32Array(BLOCK_SAMPLES);
      for (let i = 0; i < BLOCK_SAMPLES; i++) {
        const sample = block * BLOCK_SAMPLES + i;
        if (clickAt.some((at) => sample >= at && sample < at + 64)) samples[i] = Math.sin(sample / 2) * 0.7;
      }
      encoder.push({ timeUs: START_US + block * BLOCK_US, left: samples, right: samples });
    }
    await encoder.finish();

    const result = spawnSync(
      "ffmpeg",
      ["-v", "error", "-f", "aac", "-i", "-", "-f", "f32le", "-ac", "1", "-"],
      {
        input: Buffer.concat(frames.map(({ bytes }) => adts(bytes))),
      },
    );
    expect(String(result.stderr)).toBe("");
    const bytes = result.stdout;
    const decoded = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const firstSample = ((frames[0]!.timeUs - START_US) * 48) / 1000;
    for (const at of clickAt) {
      const near = decoded.subarray(at - 2_000 - firstSample, at + 2_000 - firstSample);
      const onset = near.findIndex((value) => Math.abs(value) > 0.3) - 2_000;
      expect(Math.abs(onset)).toBeLessThanOrEqual(4);
    }
  });
});
