/** The black picture that no encoder made, as ffmpeg decodes it: every sample is black, in every size. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { BlackPicture } from "../../bridge/picture/black-picture.ts";

it("is black to the last sample", () => {
  for (const [width, height] of [
    [640, 360],
    [16, 16],
    [16, 48],
    [48, 16],
    [322, 182],
  ] as const) {
    const black = new BlackPicture(width, height);
    const stream = [
      black.keyframe(),
      ...Array.from({ length: 20 }, () => black.repeat()),
      black.keyframe(),
      black.repeat(),
    ];
    const args = [
      "-v",
      "warning",
      "-f",
      "h264",
      "-i",
      "-",
      "-fps_mode",
      "passthrough",
      "-f",
      "rawvideo",
      "-pix_fmt",
      "yuv420p",
      "-",
    ];
    const result = spawnSync("ffmpeg", args, { input: Buffer.concat(stream), maxBuffer: 1 << 26 });
    expect(String(result.stderr)).toBe("");
    expect(result.stdout.length).toBe(stream.length * width * height * 1.5);
    const luma = width * height;
    for (let at = 0; at < result.stdout.length; at += luma * 1.5) {
      const picture = result.stdout.subarray(at, at + luma * 1.5);
      expect(picture.subarray(0, luma).every((value) => value === 16)).toBe(true);
      expect(picture.subarray(luma).every((value) => value === 128)).toBe(true);
    }
  }
});
