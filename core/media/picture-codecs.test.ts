import { describe, expect, it } from "vitest";
import { codecOf, codecOrder, spokenCodec } from "./picture-codecs.ts";

describe("picture codecs", () => {
  it.each([
    ["avc1.42E01F", "h264", "H.264"],
    ["avc3.640028", "h264", "H.264"],
    ["vp8", "vp8", "VP8"],
    ["vp09.00.31.08", "vp9", "VP9"],
    ["vp9", "vp9", "VP9"],
    ["av01.0.04M.08", "av1", "AV1"],
    ["hvc1.1.6.L93.B0", undefined, "hvc1.1.6.L93.B0"],
    ["vp80", undefined, "vp80"],
  ])("%s is %s", (codec, name, spoken) => {
    expect(codecOf(codec)).toBe(name);
    expect(spokenCodec(codec)).toBe(spoken);
  });

  it.each([
    { wished: [], decodable: ["h264"], order: ["h264", "vp8", "vp9", "av1"] },
    { wished: ["av1"], decodable: ["av1", "h264"], order: ["av1", "h264", "vp8", "vp9"] },
    // A room that does not have the wished one gets what it can decode.
    { wished: ["av1"], decodable: ["h264", "vp8"], order: ["h264", "vp8", "av1", "vp9"] },
    { wished: ["vp9", "vp8"], decodable: [], order: ["vp9", "vp8", "h264", "av1"] },
    { wished: [], decodable: ["vp9", "hevc"], order: ["vp9", "h264", "vp8", "av1"] },
  ] as const)("$wished in a room of $decodable: $order", ({ wished, decodable, order }) => {
    expect(codecOrder(wished, decodable)).toEqual(order);
  });
});
