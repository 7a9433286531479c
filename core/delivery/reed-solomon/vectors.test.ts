/** Vectors made by another implementation (bitwise products, Gauss elimination) from docs/wire.md, section 4. */
import { describe, expect, it } from "vitest";
import vectors from "../../wire/vectors/reed-solomon.json" with { type: "json" };
import { BlockPool } from "./block-pool.ts";
import { repairCoefficient } from "./cauchy-code.ts";
import { inverse, multiply } from "./galois-field.ts";

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("field and matrix", () => {
  it.each(vectors.field.products)("$a times $b is $product", ({ a, b, product }) => {
    expect(multiply(a, b)).toBe(product);
  });

  it.each(vectors.field.inverses)("1 / $of is $inverse", (vector) => {
    expect(inverse(vector.of)).toBe(vector.inverse);
  });

  it.each(vectors.matrix)("row $repair, source $source: $coefficient", ({ repair, source, coefficient }) => {
    expect(repairCoefficient(repair, source)).toBe(coefficient);
  });
});

describe.each(["wasm", "tables"] as const)("blocks with the kernel %s", (kernel) => {
  const pool = new BlockPool({ capacity: 512, kernel });

  it.each(vectors.blocks)("makes and restores: $name", ({ mediaParts, repairs, received }) => {
    expect(pool.kernel).toBe(kernel);
    const parts = mediaParts.map(bytesOf);
    const encoder = pool.take();
    for (const [index, part] of parts.entries()) expect(encoder.addSource(index, part)).toBeUndefined();
    expect(encoder.setSourceCount(parts.length)).toBeUndefined();
    for (const { index, symbol } of repairs) {
      expect(encoder.makeRepairs(index, 1)).toBeUndefined();
      expect(hexOf(encoder.payload(index))).toBe(symbol);
    }
    pool.release(encoder);

    const decoder = pool.take();
    for (const index of received) {
      const repair = repairs.find((one) => one.index === index);
      const fault =
        repair === undefined
          ? decoder.addSource(index, parts[index]!)
          : decoder.addRepair(index, parts.length, bytesOf(repair.symbol));
      expect(fault).toBeUndefined();
    }
    expect(decoder.restore()).toBeUndefined();
    expect(parts.map((_, index) => hexOf(decoder.payload(index)))).toEqual(mediaParts);
    pool.release(decoder);
  });
});
