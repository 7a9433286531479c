import { afterEach, describe, expect, it, vi } from "vitest";
import { BlockPool } from "./block-pool.ts";

afterEach(() => vi.unstubAllGlobals());

describe("BlockPool", () => {
  it("gives the tables kernel where WebAssembly is missing", () => {
    vi.stubGlobal("WebAssembly", undefined);
    expect(new BlockPool({ capacity: 4, kernel: "wasm" }).kernel).toBe("tables");
  });

  it("gives the tables kernel where WebAssembly refuses the module, as without SIMD", async () => {
    vi.resetModules();
    const { BlockPool: Fresh } = await import("./block-pool.ts");
    const refusal = new WebAssembly.CompileError("no such opcode");
    vi.stubGlobal("WebAssembly", {
      Module: class {
        constructor() {
          throw refusal;
        }
      },
    });
    expect(new Fresh({ capacity: 4 }).kernel).toBe("tables");
  });

  it("uses WebAssembly unless told otherwise", () => {
    expect(new BlockPool({ capacity: 4 }).kernel).toBe("wasm");
    expect(new BlockPool({ capacity: 4, kernel: "tables" }).kernel).toBe("tables");
  });

  it.each([
    { capacity: 0 },
    { capacity: 1.5 },
    { capacity: 1_000_001 },
    { capacity: 1, maxSymbolBytes: 1 },
    { capacity: 1, maxSymbolBytes: 60_001 },
  ])("refuses %o", (options) => {
    expect(() => new BlockPool(options)).toThrow(RangeError);
  });

  it("hands out blocks again, empty, with nothing of their past", () => {
    const pool = new BlockPool({ capacity: 40 });
    const first = pool.take();
    first.addSource(0, new Uint8Array(900).fill(0xff));
    first.addSource(2, new Uint8Array(900).fill(0xff));
    first.setSourceCount(3);
    first.addRepair(9, 3, new Uint8Array(902).fill(0xff));
    pool.release(first);
    expect(pool.freeSymbols).toBe(40);
    const again = pool.take();
    expect(again).toBe(first);
    expect([again.sourceCount, again.heldSources, again.heldRepairs]).toEqual([0, 0, 0]);
    // Symbols of other lengths in the same memory: what lay there before must not count as padding.
    again.addSource(0, Uint8Array.of(5));
    again.addSource(1, new Uint8Array(70).fill(6));
    again.setSourceCount(2);
    expect(again.makeRepairs(2, 1)).toBeUndefined();
    const clean = new BlockPool({ capacity: 3 }).take();
    clean.addSource(0, Uint8Array.of(5));
    clean.addSource(1, new Uint8Array(70).fill(6));
    clean.setSourceCount(2);
    clean.makeRepairs(2, 1);
    expect(again.payload(2)).toEqual(clean.payload(2));
  });
});
