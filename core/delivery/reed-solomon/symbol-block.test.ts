import { describe, expect, it } from "vitest";
import { BlockPool } from "./block-pool.ts";
import type { SymbolBlock } from "./symbol-block.ts";

const pool = new BlockPool({ capacity: 600 });
const tables = new BlockPool({ capacity: 600, kernel: "tables" });

/** A generator of whole numbers below `limit`, the same for the same seed. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % limit;
  };
}

type Random = ReturnType<typeof randomOf>;

function partsOf(random: Random, count: number, maxBytes: number): Uint8Array[] {
  return Array.from({ length: count }, () =>
    Uint8Array.from({ length: random(maxBytes + 1) }, () => random(256)),
  );
}

function shuffled(random: Random, count: number): number[] {
  const order = Array.from({ length: count }, (_, n) => n);
  for (let n = count - 1; n > 0; n--) {
    const other = random(n + 1);
    [order[n], order[other]] = [order[other]!, order[n]!];
  }
  return order;
}

function wholeBlock(from: BlockPool, parts: readonly Uint8Array[]): SymbolBlock {
  const block = from.take();
  for (const [index, part] of parts.entries()) block.addSource(index, part);
  expect(block.setSourceCount(parts.length)).toBeUndefined();
  return block;
}

/** Gives `decoder` the symbols of `encoder` with these indexes, restores, and compares. */
function expectRestored(
  decoder: SymbolBlock,
  encoder: SymbolBlock,
  parts: readonly Uint8Array[],
  indexes: readonly number[],
): void {
  for (const index of indexes) {
    const fault =
      index < parts.length
        ? decoder.addSource(index, parts[index]!)
        : decoder.addRepair(index, parts.length, encoder.payload(index));
    if (fault !== undefined) expect([index, fault]).toEqual("added");
  }
  expect(decoder.setSourceCount(parts.length)).toBeUndefined();
  expect(decoder.restore()).toBeUndefined();
  for (const [index, part] of parts.entries()) {
    if (Buffer.compare(decoder.payload(index), part) !== 0) expect([indexes, index]).toEqual("restored");
  }
}

describe("any k symbols give the block", () => {
  it("for every choice of them in small blocks", () => {
    const random = randomOf(1);
    for (let k = 1; k <= 6; k++) {
      for (let m = 1; m <= 4; m++) {
        const parts = partsOf(random, k, 20);
        const encoder = wholeBlock(pool, parts);
        expect(encoder.makeRepairs(k, m)).toBeUndefined();
        for (let chosen = 0; chosen < 1 << (k + m); chosen++) {
          const indexes = Array.from({ length: k + m }, (_, n) => n).filter((n) => (chosen >> n) & 1);
          if (indexes.length !== k) continue;
          const decoder = pool.take();
          expectRestored(decoder, encoder, parts, indexes);
          pool.release(decoder);
        }
        pool.release(encoder);
      }
    }
    expect(pool.freeSymbols).toBe(600);
  });

  it("for random large blocks, in any order, with both kernels alike", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = randomOf(seed);
      const k = 1 + random(seed % 5 === 0 ? 254 : 64);
      const m = 1 + random(Math.min(255 - k, k + 3));
      const first = k + random(255 - k - m + 1);
      const parts = partsOf(random, k, seed % 3 === 0 ? 990 : 120);
      const [encoder, other] = [wholeBlock(pool, parts), wholeBlock(tables, parts)];
      expect(encoder.makeRepairs(first, m)).toBeUndefined();
      expect(other.makeRepairs(first, m)).toBeUndefined();
      for (let index = first; index < first + m; index++) {
        if (Buffer.compare(encoder.payload(index), other.payload(index)) !== 0) expect(seed).toBe("equal");
      }
      const indexes = shuffled(random, k + m)
        .slice(0, k)
        .map((n) => (n < k ? n : n - k + first));
      for (const from of [pool, tables]) {
        const decoder = from.take();
        expectRestored(decoder, encoder, parts, indexes);
        from.release(decoder);
      }
      pool.release(encoder);
      tables.release(other);
    }
  });
});

describe("one block through a relay", () => {
  it("makes from restored sources the repair symbols that the publisher would have made", () => {
    const parts = partsOf(randomOf(7), 12, 300);
    const publisher = wholeBlock(pool, parts);
    publisher.makeRepairs(12, 3);
    const relay = pool.take();
    expectRestored(relay, publisher, parts, [0, 1, 3, 4, 5, 6, 7, 9, 10, 12, 13, 14]);
    publisher.makeRepairs(15, 5);
    expect(relay.makeRepairs(12, 8)).toBeUndefined();
    for (let index = 12; index < 20; index++) {
      expect(relay.payload(index)).toEqual(publisher.payload(index));
    }
    pool.release(publisher);
    pool.release(relay);
  });

  it("makes the same symbol by itself, in a batch, and after its neighbours", () => {
    const parts = partsOf(randomOf(8), 9, 200);
    const batch = wholeBlock(pool, parts);
    batch.makeRepairs(9, 7);
    const single = wholeBlock(pool, parts);
    for (const index of [15, 9, 12]) {
      single.makeRepairs(index, 1);
      expect(single.payload(index)).toEqual(batch.payload(index));
    }
    single.makeRepairs(9, 7);
    for (let index = 9; index < 16; index++) expect(single.payload(index)).toEqual(batch.payload(index));
    pool.release(batch);
    pool.release(single);
  });

  it("takes symbols from the middle of a datagram, whatever slot they fall into", () => {
    const parts = partsOf(randomOf(9), 5, 100);
    const datagramOf = (header: number, body: Uint8Array) =>
      Uint8Array.of(...new Array(header).fill(0xee), ...body);
    const encoder = pool.take();
    for (const [index, part] of parts.entries()) encoder.addSource(index, datagramOf(8, part), 8);
    encoder.setSourceCount(5);
    encoder.makeRepairs(5, 2);
    const decoder = pool.take();
    decoder.addRepair(5, 5, datagramOf(20, encoder.payload(5)), 20);
    decoder.addRepair(6, 5, datagramOf(32, encoder.payload(6)), 32);
    for (const index of [4, 2, 0]) decoder.addSource(index, datagramOf(32, parts[index]!), 32);
    expect(decoder.restore()).toBeUndefined();
    for (const [index, part] of parts.entries()) expect([...decoder.payload(index)]).toEqual([...part]);
    for (const [index, part] of parts.entries()) expect([...encoder.payload(index)]).toEqual([...part]);
    pool.release(encoder);
    pool.release(decoder);
  });
});

describe("refusals", () => {
  const part = Uint8Array.of(1, 2, 3);

  it("names what is wrong with a source", () => {
    const block = pool.take();
    expect(block.addSource(3, part)).toBeUndefined();
    expect(block.addSource(3, part)).toBe("duplicate-symbol");
    for (const index of [-1, 254, 255, 1e9, Number.NaN])
      expect(block.addSource(index, part)).toBe("symbol-index");
    expect(block.addSource(0, new Uint8Array(999))).toBe("symbol-length");
    expect(block.addSource(0, part, 4)).toBe("symbol-length");
    expect(block.addSource(0, new Uint8Array(100), 33)).toBe("symbol-length");
    expect(block.addSource(0, part, -1)).toBe("symbol-length");
    expect(block.setSourceCount(3)).toBe("source-count");
    expect(block.setSourceCount(0)).toBe("source-count");
    expect(block.setSourceCount(255)).toBe("source-count");
    expect(block.setSourceCount(4)).toBeUndefined();
    expect(block.setSourceCount(5)).toBe("source-count");
    expect(block.addSource(4, part)).toBe("symbol-index");
    expect(block.restore()).toBe("too-few-symbols");
    expect(block.makeRepairs(4, 1)).toBe("too-few-symbols");
    expect(block.heldSources).toBe(1);
    pool.release(block);
  });

  it("names what is wrong with a repair", () => {
    const block = pool.take();
    block.addSource(1, part);
    const symbol = new Uint8Array(10);
    expect(block.addRepair(5, 1, symbol)).toBe("source-count");
    expect(block.addRepair(3, 4, symbol)).toBe("symbol-index");
    expect(block.addRepair(255, 4, symbol)).toBe("symbol-index");
    expect(block.addRepair(4, 4, new Uint8Array(4))).toBe("symbol-length");
    expect(block.addRepair(4, 4, new Uint8Array(1001))).toBe("symbol-length");
    expect(block.sourceCount).toBe(0);
    expect(block.addRepair(4, 4, symbol)).toBeUndefined();
    expect(block.addRepair(4, 4, symbol)).toBe("duplicate-symbol");
    expect(block.addRepair(5, 3, symbol)).toBe("source-count");
    expect(block.addRepair(5, 4, new Uint8Array(11))).toBe("symbol-length");
    expect(block.addSource(0, new Uint8Array(9))).toBe("symbol-length");
    expect(() => block.payload(0)).toThrow("symbol 0 of the block is not held");
    expect(block.heldRepairs).toBe(1);
    pool.release(block);
  });

  it("finds forged symbols by what they restore, and stays as it was", () => {
    const parts = partsOf(randomOf(3), 4, 50);
    const encoder = wholeBlock(pool, parts);
    encoder.makeRepairs(4, 2);
    const decoder = pool.take();
    decoder.addSource(0, parts[0]!);
    decoder.addSource(1, parts[1]!);
    decoder.addRepair(4, 4, encoder.payload(4));
    const forged = encoder.payload(5).map((byte) => byte ^ 0x55);
    decoder.addRepair(5, 4, forged);
    const free = pool.freeSymbols;
    expect(decoder.restore()).toBe("inconsistent-symbols");
    expect(pool.freeSymbols).toBe(free);
    expect(decoder.holds(2)).toBe(false);
    expect(decoder.isComplete).toBe(false);
    pool.release(encoder);
    pool.release(decoder);
  });

  it("does nothing by halves when memory is out", () => {
    const small = new BlockPool({ capacity: 5 });
    const block = wholeBlock(small, partsOf(randomOf(4), 4, 9));
    expect(block.makeRepairs(4, 2)).toBe("store-full");
    expect(block.makeRepairs(250, 6)).toBe("symbol-index");
    expect(block.makeRepairs(4, 1)).toBeUndefined();
    const other = small.take();
    expect(other.addSource(0, part)).toBe("store-full");
    expect(other.addRepair(1, 1, part)).toBe("store-full");
    small.release(block);
    expect(small.freeSymbols).toBe(5);
    expect(other.addSource(0, part)).toBeUndefined();
  });
});
