import { describe, expect, it } from "vitest";
import { hostileBytes } from "../../test/fuzz/mutation.ts";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { BlackPicture } from "../picture/black-picture.ts";
import { formatOf, isSameFormat, toSample } from "./picture-format.ts";

/** SPS and PPS of x264, High profile, 1280x720, and the beginning of a slice. */
const X264 =
  "0000000167640 01facd9405005bb016a02020280000003008000001e078c18cb 0000000168ebe3cb22c0 00000001658884".replaceAll(
    " ",
    "",
  );
const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g)!, (byte) => Number.parseInt(byte, 16));

describe("the format of a keyframe", () => {
  it("is read from a High profile SPS with VUI", () => {
    expect(formatOf(bytesOf(X264))).toMatchObject({
      width: 1280,
      height: 720,
      codec: "avc1.64001F",
      chroma: 1,
    });
  });

  it("is unknown without parameter sets, and for a delta picture", () => {
    expect(formatOf(bytesOf("00000001658884"))).toBeUndefined();
    expect(formatOf(new BlackPicture(64, 64).repeat())).toBeUndefined();
    expect(formatOf(bytesOf("000000016742c00d00000001 68ce".replace(" ", "")))).toBeUndefined();
  });

  it("tells formats apart by their parameter sets", () => {
    const [a, b] = [new BlackPicture(64, 64), new BlackPicture(64, 80)].map(
      (black) => formatOf(black.keyframe())!,
    );
    expect(isSameFormat(a!, a!)).toBe(true);
    expect(isSameFormat(a!, b!)).toBe(false);
  });

  it("survives hostile parameter sets", () => {
    const random = seededRandom(7);
    const samples = [bytesOf(X264), new BlackPicture(320, 180).keyframe()];
    const count = Number(process.env.TRIBUTARY_FUZZ_INPUTS ?? 5_000);
    for (let i = 0; i < count; i++) {
      const bytes = hostileBytes(random, samples);
      const format = formatOf(bytes);
      if (format !== undefined) expect(format.width * format.height).toBeGreaterThan(0);
      expect(toSample(bytes).length).toBeLessThanOrEqual(bytes.length * 2);
    }
  });
});

describe("samples", () => {
  it("have lengths in place of start codes, and no delimiters", () => {
    const sample = toSample(bytesOf("0000000109f0000001671234000001680100000165aabb00000141cc"));
    expect([...sample]).toEqual([
      ...[0, 0, 0, 3, 0x67, 0x12, 0x34],
      ...[0, 0, 0, 2, 0x68, 0x01],
      ...[0, 0, 0, 3, 0x65, 0xaa, 0xbb],
      ...[0, 0, 0, 2, 0x41, 0xcc],
    ]);
  });
});
