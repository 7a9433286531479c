import { describe, expect, test } from "vitest";
import { fromHex, toHex } from "./testing/hex.ts";
import {
  concatBytes,
  encodeVarints,
  readVarint,
  VARINT_INCOMPLETE,
  varintLength,
  writeVarint,
} from "./varint.ts";
import vectors from "./vectors/varint.json" with { type: "json" };

describe("varints", () => {
  test.each(vectors.decode)("$bytes is $value", ({ bytes, value }) => {
    expect(readVarint(concatBytes(new Uint8Array(3), fromHex(bytes)), 3)).toBe(value);
    const shortest = encodeVarints(value);
    expect(readVarint(shortest, 0)).toBe(value);
    expect(shortest.length).toBeLessThanOrEqual(bytes.length / 2);
    if (shortest.length === bytes.length / 2) expect(toHex(shortest)).toBe(bytes);
  });

  test.each(vectors.incomplete)("%s needs more bytes", (bytes) => {
    expect(readVarint(fromHex(bytes), 0)).toBe(VARINT_INCOMPLETE);
  });

  test("a value above 2^53 is read as a large number, never as a small one", () => {
    expect(readVarint(fromHex("c2197c5eff14e88c"), 0)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    expect(readVarint(fromHex("ffffffffffffffff"), 0)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53])("%s cannot be written", (value) => {
    expect(() => varintLength(value)).toThrow(RangeError);
  });

  test("writing answers the offset behind the integer and touches nothing else", () => {
    const target = new Uint8Array(8).fill(0xee);
    expect(writeVarint(target, 2, 15293)).toBe(4);
    expect(toHex(target)).toBe("eeee7bbdeeeeeeee");
  });
});
