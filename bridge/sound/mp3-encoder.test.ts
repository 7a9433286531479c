import { describe, expect, it } from "vitest";
import { readFrameHeader } from "../mp3/frame-header.ts";
import { BLOCK_SAMPLES, BLOCK_US } from "../programme/programme.ts";
import { MP3_FRAME_SAMPLES, type Mp3BitrateKbps, openMp3Encoder } from "./mp3-encoder.ts";
import type { SoundFrame } from "./sound-encoder.ts";

const START_US = 1_700_000_000_000_000;
/** What comes out before the first sample that was put in. */
const DELAY_US = (1105 * 1e6) / 48_000;

describe("Mp3Encoder", () => {
  it.each<Mp3BitrateKbps>([64, 96, 128, 192])(
    "puts whole frames out at %i kbit/s, none of them changing later",
    async (bitrateKbps) => {
      const frames: SoundFrame[] = [];
      const copies: Uint8Array[] = [];
      const encoder = await openMp3Encoder({
        bitrateKbps,
        onFrame(frame) {
          frames.push(frame);
          copies.push(frame.bytes.slice());
        },
      });
      for (let i = 0; i < 100; i++) {
        const sound = Float32Array.from(
          { length: BLOCK_SAMPLES },
          (_, at) => 0.4 * Math.sin((at + i * 960) ** 1.3),
        );
        encoder.push({ timeUs: START_US + i * BLOCK_US, left: sound, right: sound });
      }
      encoder.finish();
      expect(frames.length * MP3_FRAME_SAMPLES).toBeGreaterThanOrEqual(100 * BLOCK_SAMPLES + 1105);
      for (const { bytes } of frames) {
        expect(readFrameHeader(bytes)).toMatchObject({
          frameBytes: bytes.length,
          bitrateBps: bitrateKbps * 1000,
          sampleRateHz: 48_000,
        });
      }
      expect(frames.map(({ bytes }) => bytes)).toEqual(copies);
      frames.forEach(({ timeUs }, i) => {
        expect(Math.abs(timeUs - (START_US - DELAY_US + i * 24_000))).toBeLessThan(2);
      });
    },
  );

  it("keeps capture times through a gap", async () => {
    const times: number[] = [];
    const encoder = await openMp3Encoder({ bitrateKbps: 128, onFrame: ({ timeUs }) => times.push(timeUs) });
    const sound = new Float32Array(BLOCK_SAMPLES);
    for (let i = 0; i < 100; i++) {
      encoder.push({ timeUs: START_US + i * BLOCK_US + (i < 50 ? 0 : 1_000_000), left: sound, right: sound });
    }
    encoder.finish();
    const jumps = times.slice(1).map((timeUs, i) => timeUs - times[i]!);
    expect(jumps.filter((jump) => Math.abs(jump - 24_000) > 2)).toEqual([expect.closeTo(1_024_000, -2)]);
  });
});
