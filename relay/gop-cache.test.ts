import { describe, expect, it } from "vitest";
import {
  DATAGRAM_MEDIA,
  emptyMediaHeader,
  FLAG_KEYFRAME,
  HOP_HEADER_BYTES,
  MEDIA_HEADER_BYTES,
  mediaFrameIdOf,
  writeHopHeader,
  writeMediaHeader,
} from "../core/wire/datagram.ts";
import { MAX_GOP_CACHE_BYTES, MAX_GOP_CACHE_DATAGRAMS } from "../core/wire/limits.ts";
import { CacheBudget, GopCache } from "./gop-cache.ts";

function datagram(frameId: number, keyframe: boolean, index = 0, count = 1, payload = 10): Uint8Array {
  const bytes = new Uint8Array(HOP_HEADER_BYTES + MEDIA_HEADER_BYTES + payload);
  writeHopHeader(bytes, 0, DATAGRAM_MEDIA, 0, 0);
  writeMediaHeader(bytes, HOP_HEADER_BYTES, {
    ...emptyMediaHeader(),
    frameId: frameId >>> 0,
    fragmentIndex: index,
    fragmentCount: count,
    flags: keyframe ? FLAG_KEYFRAME : 0,
  });
  return bytes;
}

function frames(cache: GopCache): number[] {
  return Array.from({ length: cache.count }, (_, i) => mediaFrameIdOf(cache.datagram(i)));
}

const bigBudget = (): CacheBudget => new CacheBudget(1e9);

describe.each([0, 100, 0xfffffffe])("GopCache from frame %i on", (first) => {
  it("holds what came since the newest keyframe, and nothing before the first", () => {
    const cache = new GopCache(bigBudget());
    const id = (n: number): number => (first + n) >>> 0;
    expect(cache.push(datagram(id(0), false))).toBe(false);
    cache.push(datagram(id(1), true, 0, 2));
    cache.push(datagram(id(1), true, 1, 2));
    cache.push(datagram(id(2), false));
    expect(frames(cache)).toEqual([id(1), id(1), id(2)]);
    expect(cache.whole).toBe(true);
    const { generation } = cache;
    cache.push(datagram(id(3), true));
    expect(frames(cache)).toEqual([id(3)]);
    expect(cache.generation).toBeGreaterThan(generation);
    // Late ones of the GOP before are not mixed in.
    expect(cache.push(datagram(id(2), false))).toBe(false);
    expect(cache.push(datagram(id(1), true))).toBe(false);
    expect(frames(cache)).toEqual([id(3)]);
  });

  it("knows when something is missing", () => {
    const cache = new GopCache(bigBudget());
    cache.push(datagram(first, true, 0, 2));
    expect(cache.whole).toBe(false);
    cache.push(datagram(first, true, 1, 2));
    expect(cache.whole).toBe(true);
    cache.push(datagram(first + 2, false));
    expect(cache.whole).toBe(false);
  });
});

describe("GopCache bounds", () => {
  it("is emptied at the maximum of datagrams, until the next keyframe", () => {
    const cache = new GopCache(bigBudget());
    cache.push(datagram(0, true));
    for (let i = 1; i < MAX_GOP_CACHE_DATAGRAMS; i++) cache.push(datagram(i, false));
    expect(cache.count).toBe(MAX_GOP_CACHE_DATAGRAMS);
    expect(cache.push(datagram(MAX_GOP_CACHE_DATAGRAMS, false))).toBe(false);
    expect(cache.count).toBe(0);
    expect(cache.push(datagram(5000, false))).toBe(false);
    expect(cache.push(datagram(5001, true))).toBe(true);
  });

  it("is emptied at the maximum of bytes", () => {
    const budget = bigBudget();
    const cache = new GopCache(budget);
    cache.push(datagram(0, true));
    for (let i = 1; i < 3500 && cache.count > 0; i++) cache.push(datagram(i, false, 0, 1, 1400));
    expect(cache.count).toBe(0);
    expect(budget.takenBytes).toBeLessThanOrEqual(MAX_GOP_CACHE_BYTES);
  });

  it("shares a budget with others, and gives back what it took", () => {
    const budget = new CacheBudget(100_000);
    const a = new GopCache(budget);
    const b = new GopCache(budget);
    expect(a.push(datagram(0, true))).toBe(true);
    expect(b.push(datagram(0, true))).toBe(false);
    a.end();
    expect(budget.takenBytes).toBe(0);
    expect(b.push(datagram(1, true))).toBe(true);
  });
});
