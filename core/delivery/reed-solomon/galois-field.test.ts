import { describe, expect, it } from "vitest";
import { inverse, multiply } from "./galois-field.ts";

const elements = Array.from({ length: 256 }, (_, n) => n);

/** Multiplication as docs/wire.md defines it: shift and subtract the polynomial. */
function slowProduct(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product <<= 1;
    if (product > 255) product ^= 0x11d;
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

describe("GF(2^8)", () => {
  it("multiplies as polynomials do, for every pair", () => {
    for (const a of elements) {
      for (const b of elements) if (multiply(a, b) !== slowProduct(a, b)) expect([a, b]).toEqual("equal");
    }
  });

  it("has an inverse of every element but 0", () => {
    for (const a of elements.slice(1)) expect(multiply(a, inverse(a))).toBe(1);
  });

  it("is associative and distributive", () => {
    for (const a of elements) {
      for (const b of [0, 1, 2, 3, 29, 128, 142, 255]) {
        for (const c of [1, 7, 83, 202, 254]) {
          expect(multiply(multiply(a, b), c)).toBe(multiply(a, multiply(b, c)));
          expect(multiply(a, b ^ c)).toBe(multiply(a, b) ^ multiply(a, c));
        }
      }
    }
  });
});
