import { describe, expect, it } from "vitest";
import { contentOf, forEachNalUnit } from "./annex-b.ts";

const SPS = [0x67, 0x42, 0xe0, 0x1f, 0xda];
const PPS = [0x68, 0xce, 0x3c, 0x80];
const IDR = [0x65, 0x88, 0x84, 0x00, 0x33];
const SLICE = [0x41, 0x9a, 0x22];

function stream(...units: number[][]): Uint8Array {
  return Uint8Array.from(units.flatMap((unit, index) => [...(index === 0 ? [0] : []), 0, 0, 1, ...unit]));
}

describe("forEachNalUnit", () => {
  it("finds units behind three- and four-byte start codes, without the codes", () => {
    const found: number[][] = [];
    const bytes = stream(SPS, PPS, IDR);
    forEachNalUnit(bytes, (_type, start, end) => {
      found.push([...bytes.subarray(start, end)]);
      return true;
    });
    expect(found).toEqual([SPS, PPS, IDR]);
  });

  it("stops when the visitor says so, and takes bytes without start codes as nothing", () => {
    const types: number[] = [];
    forEachNalUnit(stream(SPS, PPS, IDR), (type) => {
      types.push(type);
      return false;
    });
    expect(types).toEqual([7]);
    forEachNalUnit(Uint8Array.of(1, 2, 3, 4), () => {
      throw new Error("no unit is in there");
    });
  });
});

describe("contentOf", () => {
  it("knows a keyframe with its parameter sets and codec", () => {
    expect(contentOf(stream(SPS, PPS, IDR))).toEqual({
      keyframe: true,
      discardable: false,
      parameterSets: true,
      codec: "avc1.42E01F",
    });
  });

  it("knows a delta frame", () => {
    const content = { keyframe: false, parameterSets: false, codec: undefined };
    expect(contentOf(stream(SLICE))).toEqual({ ...content, discardable: false });
    const unreferenced = [SLICE[0]! & 0x1f, ...SLICE.slice(1)];
    expect(contentOf(stream(unreferenced))).toEqual({ ...content, discardable: true });
  });
});
