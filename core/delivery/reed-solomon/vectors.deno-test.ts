/** The vectors on Deno, where relays run: its WebAssembly is another build of the engine than Node's. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import vectors from "../../wire/vectors/reed-solomon.json" with { type: "json" };
import { BlockPool } from "./block-pool.ts";

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

for (const kernel of ["wasm", "tables"] as const) {
  Deno.test(`the kernel ${kernel} makes and restores the blocks of the vectors`, () => {
    const pool = new BlockPool({ capacity: 512, kernel });
    strictEqual(pool.kernel, kernel);
    for (const { mediaParts, repairs, received } of vectors.blocks) {
      const k = mediaParts.length;
      const encoder = pool.take();
      for (const [index, part] of mediaParts.entries()) encoder.addSource(index, bytesOf(part));
      encoder.setSourceCount(k);
      const decoder = pool.take();
      for (const { index, symbol } of repairs) {
        strictEqual(encoder.makeRepairs(index, 1), undefined);
        deepStrictEqual(encoder.payload(index), bytesOf(symbol));
        if (received.includes(index)) decoder.addRepair(index, k, encoder.payload(index));
      }
      for (const index of received.filter((one) => one < k)) {
        decoder.addSource(index, bytesOf(mediaParts[index] ?? ""));
      }
      strictEqual(decoder.restore(), undefined);
      for (const [index, part] of mediaParts.entries()) {
        deepStrictEqual(decoder.payload(index), bytesOf(part));
      }
      pool.release(encoder);
      pool.release(decoder);
    }
  });
}
