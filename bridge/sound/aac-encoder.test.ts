import { describe, expect, it } from "vitest";
import { BLOCK_SAMPLES, BLOCK_US, type SoundBlock } from "../programme/programme.ts";
import { openAacEncoder } from "./aac-encoder.ts";
import { MAX_WAITING_BLOCKS } from "./limits.ts";
import type { SoundFrame } from "./sound-encoder.ts";

const START_US = 1_790_000_000_123_457;
const FRAME_US = (1024 * 1e6) / 48_000;

function tone(index: number, timeUs = START_US + index * BLOCK_US): SoundBlock {
  const left = Float32Array.from({ length: BLOCK_SAMPLES }, (_, i) =>
    Math.sin((index * BLOCK_SAMPLES + i) / 17),
  );
  return { timeUs, left, right: left.map((value) => -value) };
}

async function encode(blocks: readonly SoundBlock[]) {
  const frames: SoundFrame[] = [];
  const encoder = await openAacEncoder({
    bitrateBps: 128_000,
    onFrame: (frame) => frames.push(frame),
    onFailure: (error) => expect.fail(error.message),
  });
  for (const block of blocks) encoder.push(block);
  await encoder.finish();
  encoder.close();
  return { frames, encoder };
}

describe("the AAC encoder", () => {
  it("stamps frames with the time of their first sample, with no drift from rounding", async () => {
    const { frames, encoder } = await encode(Array.from({ length: 120 }, (_, i) => tone(i)));
    // AAC-LC, 48 kHz, 2 channels (ISO/IEC 14496-3, table 1.15).
    expect([...encoder.config.subarray(0, 2)]).toEqual([0x11, 0x90]);
    expect(frames.length).toBe(Math.ceil((120 * BLOCK_SAMPLES) / 1024));
    frames.forEach((frame, index) => {
      expect(frame.timeUs).toBe(START_US + Math.round(index * FRAME_US));
      expect(frame.bytes.length).toBeGreaterThan(100);
      // No ADTS sync word in front.
      expect(frame.bytes[0] === 0xff && (frame.bytes[1]! & 0xf0) === 0xf0).toBe(false);
    });
    expect(encoder.droppedBlocks).toBe(0);
  });

  it("goes on at the time of the block behind a gap", async () => {
    const gapUs = 3_000_000;
    const blocks = Array.from({ length: 96 }, (_, i) =>
      tone(i, START_US + i * BLOCK_US + (i < 48 ? 0 : gapUs)),
    );
    const { frames } = await encode(blocks);
    const before = frames.filter(({ timeUs }) => timeUs < START_US + 48 * BLOCK_US);
    expect(before.length).toBe(45);
    // 48 blocks are 45 frames exactly, so the next one begins with the block behind the gap.
    expect(frames[45]?.timeUs).toBe(START_US + 48 * BLOCK_US + gapUs);
    expect(frames.length).toBe(90);
  });

  it("takes so many blocks at once and counts what is above", async () => {
    const { encoder } = await encode(Array.from({ length: MAX_WAITING_BLOCKS + 10 }, (_, i) => tone(i)));
    // One is with the encoder already.
    expect(encoder.droppedBlocks).toBe(9);
  });

  it("takes nothing once it is closed", async () => {
    const frames: SoundFrame[] = [];
    const encoder = await openAacEncoder({
      bitrateBps: 64_000,
      onFrame: (frame) => frames.push(frame),
      onFailure: (error) => expect.fail(error.message),
    });
    encoder.push(tone(0));
    encoder.close();
    encoder.push(tone(1));
    await encoder.finish();
    expect(frames).toEqual([]);
  });
});
