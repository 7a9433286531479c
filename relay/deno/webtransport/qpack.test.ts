import { describe, expect, test } from "vitest";
import { H3_EXCESSIVE_LOAD, Http3Error, QPACK_DECOMPRESSION_FAILED } from "./http3-codes.ts";
import { decodeFieldSection, encodeFieldSection } from "./qpack.ts";
import { huffmanDecode, huffmanEncode } from "./qpack-huffman.ts";
import { type HeaderField, STATIC_TABLE } from "./qpack-static-table.ts";
import { fromHex, toHex } from "./testing/hex.ts";
import vectors from "./vectors/qpack.json" with { type: "json" };

const LIMITS = { maxHeaderBytes: 4096, maxHeaderFields: 20 };

function codeOf(action: () => unknown): number | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof Http3Error) return error.code;
    throw error;
  }
  return undefined;
}

describe("the Huffman code", () => {
  test.each(vectors.huffman)("of $text", ({ text, bytes }) => {
    expect(toHex(huffmanEncode(new TextEncoder().encode(text)))).toBe(bytes);
    expect(new TextDecoder().decode(huffmanDecode(fromHex(bytes)))).toBe(text);
  });

  test.each(vectors.huffmanRefused)("refuses $why", ({ bytes }) => {
    expect(codeOf(() => huffmanDecode(fromHex(bytes)))).toBe(QPACK_DECOMPRESSION_FAILED);
  });

  test("brings every byte back", () => {
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(huffmanDecode(huffmanEncode(all))).toEqual(all);
  });
});

describe("header sections", () => {
  test.each(vectors.sections)("$bytes", ({ bytes, fields }) => {
    expect(decodeFieldSection(fromHex(bytes), LIMITS)).toEqual(fields);
    expect(decodeFieldSection(encodeFieldSection(fields as unknown as HeaderField[]), LIMITS)).toEqual(
      fields,
    );
  });

  test.each(vectors.sectionsRefused)("refuse: $why", ({ bytes }) => {
    expect(codeOf(() => decodeFieldSection(fromHex(bytes), LIMITS))).toBe(QPACK_DECOMPRESSION_FAILED);
  });

  test("the static table has 99 entries and each is found by its index", () => {
    expect(STATIC_TABLE).toHaveLength(99);
    expect(STATIC_TABLE[98]).toEqual(["x-frame-options", "sameorigin"]);
    const limits = { maxHeaderBytes: 10_000, maxHeaderFields: 99 };
    expect(decodeFieldSection(encodeFieldSection(STATIC_TABLE), limits)).toEqual(STATIC_TABLE);
  });

  test("more fields or bytes than allowed are refused", () => {
    const many = encodeFieldSection(Array.from({ length: 21 }, (): HeaderField => ["a", "b"]));
    expect(codeOf(() => decodeFieldSection(many, LIMITS))).toBe(H3_EXCESSIVE_LOAD);
    const long = encodeFieldSection([["a", "b".repeat(4064)]]);
    expect(codeOf(() => decodeFieldSection(long, LIMITS))).toBe(H3_EXCESSIVE_LOAD);
    const fits = encodeFieldSection([["a", "b".repeat(4063)]]);
    expect(codeOf(() => decodeFieldSection(fits, LIMITS))).toBeUndefined();
  });

  test("characters outside a byte are refused when encoding", () => {
    expect(() => encodeFieldSection([["a", "\u0100"]])).toThrow(RangeError);
  });
});
