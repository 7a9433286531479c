/** The measurements of `bench -- rs`, on the product's blocks as links use them. Runs in Node and Deno alike. */
import { BlockPool } from "../../core/delivery/reed-solomon/block-pool.ts";
import type { KernelName } from "../../core/delivery/reed-solomon/field-kernel.ts";
import { type Figures, median, quantile } from "../report.ts";

export interface BlockShape {
  /** Source symbols. */
  k: number;
  /** Repair symbols. */
  m: number;
}

interface Setting extends BlockShape {
  kernel: KernelName;
  /** Length of a symbol, its two length bytes included. */
  symbolBytes: number;
  /** Measured time of each figure. */
  milliseconds: number;
}

/** Long against the clock's resolution, short against a scheduler's turn. */
const SLICE_MS = 2;
/** Blocks that the sender cycles through, as a history does; together they are larger than the nearest cache. */
const BLOCKS = 8;
/** Hop header and repair header. */
const REPAIR_OVERHEAD_BYTES = 20;
/** More than the last cache of a core holds. */
const EVICTION_BYTES = 8 * 1024 * 1024;

interface Bench {
  pool: BlockPool;
  parts: Uint8Array[][];
  repairs: Uint8Array[];
  lost: number;
}

/** @throws Error when the kernel asked for does not run here, or a block is not restored as it was */
function prepare({ kernel, k, m, symbolBytes }: Setting): Bench {
  const pool = new BlockPool({ kernel, capacity: (BLOCKS + 1) * (k + m), maxSymbolBytes: symbolBytes });
  if (pool.kernel !== kernel) throw new Error(`The kernel ${kernel} does not run here.`);
  const parts = Array.from({ length: BLOCKS }, (_, block) =>
    Array.from({ length: k }, (_, j) => mediaPart(symbolBytes - 2, block * 255 + j)),
  );
  const encoder = pool.take();
  for (let j = 0; j < k; j++) encoder.addSource(j, parts[0]![j]!);
  encoder.setSourceCount(k);
  encoder.makeRepairs(k, m);
  const repairs = Array.from({ length: m }, (_, i) => encoder.payload(k + i).slice());
  pool.release(encoder);
  const bench = { pool, parts, repairs, lost: Math.min(k, m) };
  const decoder = pool.take();
  receive(bench, decoder, k);
  const isSame = parts[0]!.every((part, j) => part.every((byte, n) => decoder.payload(j)[n] === byte));
  if (!isSame) throw new Error(`${k}+${m} was not restored as it was.`);
  pool.release(decoder);
  return bench;
}

function mediaPart(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, n) => Math.imul(n + 1, 2654435761 + seed * 40503) >>> 24);
}

type Block = ReturnType<BlockPool["take"]>;

/** The first `lost` sources are lost; the rest and as many repair symbols arrive. */
function receive({ parts, repairs, lost }: Bench, block: Block, k: number): void {
  for (let j = lost; j < k; j++) block.addSource(j, parts[0]![j]!);
  for (let i = 0; i < lost; i++) block.addRepair(k + i, k, repairs[i]!);
  if (block.restore() !== undefined) throw new Error("The block was not restored.");
}

/** Runs `work` for so long, in slices. @returns milliseconds of one run: median and the spread of its slices */
function time(milliseconds: number, work: () => void): { medianMs: number; p10Ms: number } {
  // Long enough for the compilers of the runtimes to have done their best.
  const warm = performance.now() + Math.min(200, milliseconds);
  let runs = 0;
  while (performance.now() < warm) {
    work();
    runs += 1;
  }
  const perSlice = Math.max(1, Math.round((runs / Math.min(200, milliseconds)) * SLICE_MS));
  const slices: number[] = [];
  const end = performance.now() + milliseconds;
  do {
    const from = performance.now();
    for (let n = 0; n < perSlice; n++) work();
    slices.push((performance.now() - from) / perSlice);
  } while (performance.now() < end);
  return { medianMs: median(slices)!, p10Ms: quantile(slices, 0.1)! };
}

/** GB of source data a second, medians; `quiet` figures are the fastest tenth of the slices, `make` leaves out the copying. */
export function measureCodec(setting: Setting): Figures {
  const bench = prepare(setting);
  const { pool, parts } = bench;
  const { k, m, symbolBytes, milliseconds } = setting;
  const gigabytes = (k * symbolBytes) / 1e9;
  let turn = 0;
  const encode = time(milliseconds, () => {
    const block = pool.take();
    const sources = parts[turn++ % BLOCKS]!;
    for (let j = 0; j < k; j++) block.addSource(j, sources[j]!);
    block.setSourceCount(k);
    block.makeRepairs(k, m);
    pool.release(block);
  });
  const copy = time(milliseconds, () => {
    const block = pool.take();
    const sources = parts[turn++ % BLOCKS]!;
    for (let j = 0; j < k; j++) block.addSource(j, sources[j]!);
    pool.release(block);
  });
  const decode = time(milliseconds, () => {
    const block = pool.take();
    receive(bench, block, k);
    pool.release(block);
  });
  return {
    encodeGBps: (gigabytes / encode.medianMs) * 1000,
    decodeGBps: (gigabytes / decode.medianMs) * 1000,
    quietEncodeGBps: (gigabytes / encode.p10Ms) * 1000,
    quietDecodeGBps: (gigabytes / decode.p10Ms) * 1000,
    copyShare: copy.medianMs / encode.medianMs,
  };
}

/**
 * What a relay spends on FEC for one stream of `mbps`: every block comes with m sources lost, is restored, and m fresh
 * repair symbols are made of it and copied into datagrams. `coldCoreShare` is the same with nothing of it in the caches.
 */
export function measureRelayCost(setting: Setting & { mbps: number }): Figures {
  const bench = prepare(setting);
  const { pool } = bench;
  const { k, m, symbolBytes, milliseconds, mbps } = setting;
  const datagram = new Uint8Array(symbolBytes + REPAIR_OVERHEAD_BYTES);
  const relay = (): void => {
    const block = pool.take();
    receive(bench, block, k);
    block.makeRepairs(k + m, m);
    for (let i = 0; i < m; i++) datagram.set(block.payload(k + m + i), REPAIR_OVERHEAD_BYTES);
    pool.release(block);
  };
  const warm = time(milliseconds, relay);
  const eviction = new Uint8Array(EVICTION_BYTES);
  const cold: number[] = [];
  const end = performance.now() + milliseconds;
  do {
    for (let n = 0; n < EVICTION_BYTES; n += 64) eviction[n] = (eviction[n]! + 1) & 0xff;
    const from = performance.now();
    relay();
    cold.push(performance.now() - from);
  } while (performance.now() < end);
  const blocksPerSecond = (mbps * 1e6) / 8 / (k * symbolBytes);
  return {
    usPerBlock: warm.medianMs * 1000,
    coreShare: (warm.medianMs * blocksPerSecond) / 1000,
    coldCoreShare: (median(cold)! * blocksPerSecond) / 1000,
  };
}
