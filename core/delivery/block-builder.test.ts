import { describe, expect, it } from "vitest";
import { MAX_SOURCE_SYMBOLS } from "../wire/limits.ts";
import { BlockBuilder } from "./block-builder.ts";

interface Unit {
  count: number;
  layer?: number;
  captureMs: number;
}

/** Blocks as lists of datagrams' units; a block whose end was not announced ends with "open". */
function blocksOf(units: readonly Unit[]): (number | "open")[][] {
  const builder = new BlockBuilder();
  const blocks: (number | "open")[][] = [];
  let ended = true;
  for (const [number, { count, layer = 0, captureMs }] of units.entries()) {
    builder.begin(count, layer, captureMs * 1000);
    for (let i = 0; i < count; i++) {
      builder.place();
      if (builder.symbol === 0) {
        if (!ended) blocks.at(-1)!.push("open");
        blocks.push([]);
      }
      expect(builder.block).toBe(blocks.length - 1);
      expect(builder.symbol).toBe(blocks.at(-1)!.length);
      blocks.at(-1)!.push(number);
      ended = builder.isEnd;
    }
  }
  return blocks;
}

function steady(units: number, count: number, intervalMs: number, layers = 1): Unit[] {
  return Array.from({ length: units }, (_, i) => ({
    count,
    layer: i % layers,
    captureMs: 1 + i * intervalMs,
  }));
}

describe("blocks", () => {
  it("are a unit each from 6 datagrams on", () => {
    const blocks = blocksOf(steady(10, 6, 33));
    expect(blocks).toHaveLength(10);
    for (const block of blocks) expect(new Set(block).size).toBe(1);
  });

  it("join small units up to about 16 datagrams", () => {
    for (const block of blocksOf(steady(64, 1, 4)).slice(0, -1)) expect(block).toHaveLength(16);
    for (const block of blocksOf(steady(60, 3, 4)).slice(1, -1)) {
      expect(block.length).toBeGreaterThanOrEqual(12);
      expect(block.length).toBeLessThanOrEqual(18);
    }
  });

  it("join small units up to 66 ms", () => {
    for (const block of blocksOf(steady(40, 1, 20)).slice(1, -1)) expect(block).toHaveLength(4);
    for (const block of blocksOf(steady(40, 1, 70)).slice(1)) expect(block).toHaveLength(1);
  });

  it("announce their end, also when layers alternate", () => {
    for (const layers of [1, 2, 3]) {
      const blocks = blocksOf(steady(60, 2, 33, layers));
      expect(blocks.slice(8).flat()).not.toContain("open");
    }
  });

  it("hold one layer only", () => {
    const units = steady(60, 2, 11, 2);
    for (const block of blocksOf(units)) {
      const layers = block.filter((unit) => unit !== "open").map((unit) => units[unit]!.layer);
      expect(new Set(layers).size).toBe(1);
    }
  });

  it("are never longer than the maximum, whatever comes", () => {
    let seed = 7;
    const random = (limit: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % limit;
    };
    let captureMs = 1;
    const units = Array.from({ length: 3_000 }, () => {
      captureMs += random(60);
      return { count: 1 + (random(10) === 0 ? random(300) : random(8)), layer: random(2), captureMs };
    });
    for (const block of blocksOf(units)) {
      expect(block.filter((unit) => unit !== "open").length).toBeLessThanOrEqual(MAX_SOURCE_SYMBOLS);
    }
  });
});
