import { describe, expect, it } from "vitest";
import { contentOf } from "../../core/media/annex-b.ts";
import { formatOf } from "../fmp4/picture-format.ts";
import { BlackPicture } from "./black-picture.ts";

describe("the black picture", () => {
  it("says its size and format, cropped where macroblocks do not fit", () => {
    for (const [width, height] of [
      [640, 360],
      [16, 16],
      [322, 182],
      [1920, 1080],
      [3840, 2160],
    ] as const) {
      const format = formatOf(new BlackPicture(width, height).keyframe());
      expect([format?.width, format?.height]).toEqual([width, height]);
      expect(format?.codec).toMatch(/^avc1\.42C0/);
    }
  });

  it("is a keyframe with parameter sets, then pictures of a few bytes", () => {
    const black = new BlackPicture(640, 360);
    expect(contentOf(black.keyframe())).toMatchObject({ keyframe: true, parameterSets: true });
    for (let i = 0; i < 40; i++) {
      const repeat = black.repeat();
      expect(contentOf(repeat)).toMatchObject({ keyframe: false, discardable: false });
      expect(repeat.length).toBeLessThan(16);
    }
  });

  it("gives keyframes that follow each other different ids", () => {
    const black = new BlackPicture(64, 64);
    const [first, second, third] = [black.keyframe(), black.keyframe(), black.keyframe()];
    expect(second).not.toEqual(first);
    expect(third).toEqual(first);
  });
});
