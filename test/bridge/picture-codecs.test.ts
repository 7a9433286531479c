/** Pictures decoded and encoded by real ffmpeg on Node.js, one by one, as a grid needs them. */
import { describe, expect, it } from "vitest";
import { FrameQueue } from "../../bridge/grid/frame-queue.ts";
import type { PictureCodecError } from "../../bridge/grid/picture-codec.ts";
import { PictureFrame } from "../../bridge/grid/picture-frame.ts";
import { formatOf } from "../../bridge/fmp4/picture-format.ts";
import { ffmpegPictureCodecs } from "../../bridge/node/ffmpeg-picture-codecs.ts";
import { contentOf } from "../../core/media/annex-b.ts";
import { testPictures } from "./test-pictures.ts";

const WHITE = "drawbox=t=fill:c=white";
const codecs = ffmpegPictureCodecs();

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

class TimedQueue extends FrameQueue {
  readonly timesUs: number[] = [];

  override commit(timeUs: number): void {
    super.commit(timeUs);
    this.timesUs.push(timeUs);
  }
}

const fail = (error: PictureCodecError): void => {
  throw error;
};

describe("ffmpeg as the grid's decoder", () => {
  it("gives each frame without waiting for the next unit", async () => {
    const frames = new TimedQueue(160, 90);
    const decoder = codecs.openDecoder({ frames, onFailure: fail });
    const units = testPictures({ seconds: 1 });
    for (const [index, { bytes, timeUs }] of units.entries()) {
      decoder.push(bytes, timeUs);
      await until(() => frames.timesUs.length === index + 1);
    }
    decoder.close();
    expect(frames.timesUs).toEqual(units.map(({ timeUs }) => timeUs));
  });

  it("gives frames of reordered pictures in the order of their times", async () => {
    const frames = new TimedQueue(160, 90);
    const decoder = codecs.openDecoder({ frames, onFailure: fail });
    const units = testPictures({ seconds: 2, bFrames: 2 });
    for (const { bytes, timeUs } of units) decoder.push(bytes, timeUs);
    await until(() => frames.timesUs.length >= units.length - 4);
    decoder.close();
    const wanted = units.map(({ timeUs }) => timeUs).sort((a, b) => a - b);
    expect(frames.timesUs).toEqual(wanted.slice(0, frames.timesUs.length));
  });

  it("goes on in the same size when the picture's changes", async () => {
    const frames = new TimedQueue(160, 90);
    const decoder = codecs.openDecoder({ frames, onFailure: fail });
    const units = [
      ...testPictures({ seconds: 1, source: "color", filter: WHITE }),
      ...testPictures({ seconds: 1, size: "180x320", source: "color", filter: WHITE }),
    ];
    for (const [index, { bytes }] of units.entries()) decoder.push(bytes, index * 33_000);
    await until(() => frames.timesUs.length === units.length);
    decoder.close();
    const { bytes } = frames.frameAt(units.length * 33_000)!;
    const middle = 45 * 160;
    // Upright in the middle, dark beside.
    expect(Math.abs(bytes[middle + 80]! - 235)).toBeLessThan(4);
    expect(Math.abs(bytes[middle + 5]! - 32)).toBeLessThan(4);
  });

  it("says that it has failed, or what to install", async () => {
    const errors: PictureCodecError[] = [];
    const onFailure = (error: PictureCodecError): void => void errors.push(error);
    ffmpegPictureCodecs("/nowhere/ffmpeg").openDecoder({ frames: new FrameQueue(16, 16), onFailure });
    await until(() => errors.length === 1);
    expect(errors[0]).toMatchObject({
      reason: "missing",
      message: expect.stringMatching(/install it .* or choose another picture/),
    });
    ffmpegPictureCodecs("/bin/false").openDecoder({ frames: new FrameQueue(16, 16), onFailure });
    await until(() => errors.length === 2);
    expect(errors[1]).toMatchObject({ reason: "failed", message: expect.stringContaining("with status 1") });
  });
});

describe("ffmpeg as the grid's encoder", () => {
  it("gives a picture for each frame, at once, and keyframes when they are asked for", async () => {
    const units: { bytes: Uint8Array; keyframe: boolean }[] = [];
    const [width, height] = [320, 180];
    const encoder = codecs.openEncoder({
      width,
      height,
      onUnit: (bytes, keyframe) => units.push({ bytes, keyframe }),
      onFailure: fail,
    });
    let taken = 0;
    for (let index = 0; index < 100; index++) {
      const frame = new PictureFrame(width, height);
      frame.darken();
      frame.bytes.fill(index * 2, 0, 3_000);
      encoder.push(frame, index === 17, () => taken++);
      await until(() => units.length === index + 1);
    }
    encoder.close();
    expect(taken).toBe(100);
    // Each 2 s, counted from the last.
    expect(units.flatMap(({ keyframe }, index) => (keyframe ? [index] : []))).toEqual([0, 17, 77]);
    for (const { bytes, keyframe } of units)
      expect(contentOf(bytes)).toMatchObject({ keyframe, parameterSets: keyframe });
    expect(formatOf(units[0]!.bytes)).toMatchObject({ width, height, codec: "avc1.4D401F" });
  });
});
