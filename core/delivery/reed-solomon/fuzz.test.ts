/**
 * Random operations with random, mostly wrong arguments: every answer is a named fault or none, books stay right, and
 * bytes of other blocks are never touched. FUZZ_RUNS sets how many (200).
 */
import { expect, it } from "vitest";
import { BlockPool } from "./block-pool.ts";
import type { SymbolBlock, SymbolFault } from "./symbol-block.ts";

const RUNS = Number(process.env.FUZZ_RUNS ?? 200);
const FAULTS = new Set<SymbolFault | undefined>([
  undefined,
  "symbol-index",
  "duplicate-symbol",
  "source-count",
  "symbol-length",
  "too-few-symbols",
  "inconsistent-symbols",
  "store-full",
]);

function randomOf(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function operate(block: SymbolBlock, random: (limit: number) => number): SymbolFault | undefined {
  const index = random(random(2) === 0 ? 8 : 260) - 2;
  const bytes = Uint8Array.from({ length: random(random(3) === 0 ? 160 : 24) }, () => random(3));
  const skip = random(3) === 0 ? random(40) - 2 : 0;
  switch (random(6)) {
    case 0:
      return block.addRepair(index, 1 + random(7), bytes, skip);
    case 1:
      return block.setSourceCount(random(random(2) === 0 ? 8 : 300) - 1);
    case 2:
      return block.restore();
    case 3:
      return block.makeRepairs(index, random(6) - 1);
    default:
      return block.addSource(index, bytes, skip);
  }
}

it.each(["wasm", "tables"] as const)("survives anything with the kernel %s", (kernel) => {
  const pool = new BlockPool({ capacity: 64, kernel, maxSymbolBytes: 100 });
  const bystander = pool.take();
  const content = Uint8Array.from({ length: 98 }, (_, n) => n * 7);
  for (let index = 0; index < 8; index++) bystander.addSource(index, content);
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = randomOf(seed);
    const blocks = [pool.take(), pool.take()];
    for (let step = 0; step < 60; step++) {
      const fault = operate(blocks[random(2)]!, random);
      if (!FAULTS.has(fault)) expect({ seed, step, fault }).toEqual("a named fault");
    }
    let held = 8;
    for (const block of blocks) {
      const indexes = Array.from({ length: 255 }, (_, n) => n).filter((n) => block.holds(n));
      expect(block.heldSources + block.heldRepairs, `seed ${seed}`).toBe(indexes.length);
      for (const index of indexes) expect(block.payload(index).length).toBeLessThanOrEqual(100);
      held += indexes.length;
    }
    expect(pool.freeSymbols, `seed ${seed}`).toBe(64 - held);
    for (const block of blocks) pool.release(block);
    for (let index = 0; index < 8; index++) {
      if (Buffer.compare(bystander.payload(index), content) !== 0) expect(seed).toBe("untouched");
    }
  }
});
