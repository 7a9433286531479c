import { describe, expect, it } from "vitest";
import { type Amf0Value, decodeAmf0, EcmaArray, encodeAmf0 } from "./amf0.ts";
import { RtmpError } from "./rtmp-error.ts";

function faultOf(bytes: number[]): string {
  try {
    decodeAmf0(Uint8Array.from(bytes));
  } catch (error) {
    if (error instanceof RtmpError) return error.fault;
    throw error;
  }
  return "none";
}

describe("AMF0", () => {
  it("brings back what was encoded", () => {
    const values: Amf0Value[] = [
      "connect",
      1,
      { app: "live", nested: { deep: [1, "two", null, undefined, true] } },
      -0.5,
      "ü".repeat(9_000),
    ];
    expect(decodeAmf0(encodeAmf0(values))).toEqual(values);
  });

  it("reads ECMA arrays as objects, with or without their end, whatever count they say", () => {
    const bytes = encodeAmf0([new EcmaArray({ width: 640, height: 360 })]);
    expect(decodeAmf0(bytes)).toEqual([{ width: 640, height: 360 }]);
    expect(decodeAmf0(bytes.subarray(0, -3))).toEqual([{ width: 640, height: 360 }]);
    bytes[4] = 99;
    expect(decodeAmf0(bytes)).toEqual([{ width: 640, height: 360 }]);
  });

  it("reads dates, long strings, XML and typed objects", () => {
    const date = [0x0b, 0x42, 0x70, 0, 0, 0, 0, 0, 0, 0, 0];
    const long = [0x0c, 0, 0, 0, 2, 0x61, 0x62];
    const xml = [0x0f, 0, 0, 0, 1, 0x78];
    const typed = [0x10, 0, 1, 0x43, 0, 1, 0x6b, 0x05, 0, 0, 9];
    expect(decodeAmf0(Uint8Array.from([...date, ...long, ...xml, ...typed]))).toEqual([
      2 ** 40,
      "ab",
      "x",
      { k: null },
    ]);
  });

  it("keeps __proto__ a key like any other", () => {
    const bytes = encodeAmf0([JSON.parse('{"__proto__": {"admin": true}}')]);
    const [object] = decodeAmf0(bytes) as [Record<string, unknown>];
    expect(Object.keys(object)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
    expect(object.admin).toBeUndefined();
  });

  it("refuses what is cut off, too deep, too long, too much or of another kind", () => {
    expect(faultOf([0x00, 1, 2])).toBe("malformed");
    expect(faultOf([0x03, 0, 0, 8])).toBe("malformed");
    expect(faultOf(Array.from({ length: 40 }, () => [0x0a, 0, 0, 0, 1]).flat())).toBe("too-large");
    expect(faultOf([0x0a, 0xff, 0xff, 0xff, 0xff])).toBe("too-large");
    expect(faultOf([0x0c, 0xff, 0xff, 0xff, 0xff])).toBe("too-large");
    expect(faultOf(Array.from({ length: 1_025 }, () => 0x05))).toBe("too-large");
    expect(faultOf([0x11, 0x01])).toBe("unsupported");
    expect(faultOf([0x07, 0, 0])).toBe("unsupported");
  });
});
