import { describe, expect, it } from "vitest";
import { FrameCutter, readFrameHeader } from "./frame-header.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from([...values, ...new Array(8).fill(0)]);

describe("readFrameHeader", () => {
  it("reads what LAME writes at 128 kbit/s and 48 kHz", () => {
    expect(readFrameHeader(bytes(0xff, 0xfb, 0x94, 0x64, 0xff, 0x80))).toEqual({
      frameBytes: 384,
      samples: 1152,
      sampleRateHz: 48_000,
      bitrateBps: 128_000,
      channels: 2,
      mainDataOffset: 36,
      reservoirBytes: 511,
    });
  });
  it("knows padding, CRC, mono and lower sample rates", () => {
    expect(readFrameHeader(bytes(0xff, 0xfb, 0x92, 0x64))).toMatchObject({
      frameBytes: 418,
      sampleRateHz: 44_100,
    });
    expect(readFrameHeader(bytes(0xff, 0xfa, 0x90, 0xc0, 1, 2, 3, 0x80))).toMatchObject({
      frameBytes: 417,
      channels: 1,
      mainDataOffset: 4 + 2 + 17,
      reservoirBytes: 7,
    });
    // MPEG-2, 24 kHz, 64 kbit/s; MPEG-2.5, 8 kHz, 8 kbit/s mono.
    expect(readFrameHeader(bytes(0xff, 0xf3, 0x84, 0x40, 9))).toMatchObject({
      frameBytes: 192,
      samples: 576,
      sampleRateHz: 24_000,
      mainDataOffset: 21,
      reservoirBytes: 9,
    });
    expect(readFrameHeader(bytes(0xff, 0xe3, 0x18, 0xc0))).toMatchObject({
      frameBytes: 72,
      sampleRateHz: 8_000,
      mainDataOffset: 13,
    });
  });
  it.each([
    ["no sync", [0xfe, 0xfb, 0x94, 0x64]],
    ["half a sync", [0xff, 0x1b, 0x94, 0x64]],
    ["reserved version", [0xff, 0xeb, 0x94, 0x64]],
    ["layer II", [0xff, 0xfd, 0x94, 0x64]],
    ["free format", [0xff, 0xfb, 0x04, 0x64]],
    ["bitrate 15", [0xff, 0xfb, 0xf4, 0x64]],
    ["reserved sample rate", [0xff, 0xfb, 0x9c, 0x64]],
  ])("takes nothing with %s", (_, values) => {
    expect(readFrameHeader(bytes(...values))).toBeUndefined();
  });
  it("needs eight bytes", () => {
    expect(readFrameHeader(Uint8Array.of(0xff, 0xfb, 0x94, 0x64, 0, 0, 0))).toBeUndefined();
    expect(readFrameHeader(new Uint8Array(4), 4)).toBeUndefined();
  });
});

describe("FrameCutter", () => {
  const frame = (fill: number): Uint8Array => {
    const made = new Uint8Array(384).fill(fill);
    made.set([0xff, 0xfb, 0x94, 0x64]);
    return made;
  };
  it.each([1, 7, 383, 384, 385, 2_000])("makes whole frames of %i bytes at a time", (step) => {
    const stream = Uint8Array.from([...frame(1), ...frame(2), ...frame(3)]);
    const cutter = new FrameCutter();
    const frames: Uint8Array[] = [];
    for (let at = 0; at < stream.length; at += step)
      frames.push(...cutter.push(stream.subarray(at, at + step)));
    expect(frames).toEqual([frame(1), frame(2), frame(3)]);
    expect(frames[0]!.buffer.byteLength).toBe(384);
  });
  it("says when what comes is no MP3", () => {
    expect(() => new FrameCutter().push(new Uint8Array(100))).toThrow("no MP3 frame");
  });
});
