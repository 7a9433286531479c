/**
 * Unit classes, in which a relay may leave pictures out, and how much of each a track rendition has carried of late.
 * A class is the temporal layer, and another for units of that layer that no other needs.
 */
import { FLAG_DISCARDABLE } from "../core/wire/datagram.ts";

/** Eight layers, each with and without the discardable flag. */
const UNIT_CLASSES = 16;
/** Long enough to hold a keyframe most of the time. */
const BUCKETS = 8;
const BUCKET_US = 500_000;
/** A shorter time is taken for this one: the keyframe that all begins with is not the rate. */
const LEAST_US = 1_000_000;

/** What a subscriber gets at most: everything, layers 0 to 7 without discardable units, or no picture. */
export const LEVEL_ALL = 8;
export const LEVEL_PAUSED = -1;

/** Bit of a unit's class in masks of classes. */
export function classBitOf(temporalLayer: number, flags: number): number {
  return 1 << ((flags & FLAG_DISCARDABLE) === 0 ? temporalLayer : temporalLayer + LEVEL_ALL);
}

/** Classes that a level lets through. */
export function maskOfLevel(level: number): number {
  return level === LEVEL_ALL ? 0xffff : (1 << (level + 1)) - 1;
}

/** Classes up to a temporal layer. */
export function maskOfLayers(maxTemporalLayer: number): number {
  return ((1 << (maxTemporalLayer + 1)) - 1) * 0x101;
}

export class LayerRates {
  readonly #bytes = new Float64Array(BUCKETS * UNIT_CLASSES);
  #bucket = -1;
  #firstUs = 0;

  add(classBit: number, bytes: number, nowUs: number): void {
    const bucket = Math.floor(nowUs / BUCKET_US);
    if (bucket !== this.#bucket) this.#roll(bucket);
    const slot = (bucket % BUCKETS) * UNIT_CLASSES + 31 - Math.clz32(classBit);
    this.#bytes[slot] = this.#bytes[slot]! + bytes;
  }

  #roll(bucket: number): void {
    if (this.#bucket < 0) this.#firstUs = bucket * BUCKET_US;
    const from = Math.max(this.#bucket + 1, bucket - BUCKETS + 1);
    for (let next = from; next <= bucket; next++) {
      const start = (next % BUCKETS) * UNIT_CLASSES;
      this.#bytes.fill(0, start, start + UNIT_CLASSES);
    }
    this.#bucket = bucket;
  }

  /** Bits a second of these classes, datagram headers included. */
  bps(mask: number, nowUs: number): number {
    const bucket = Math.floor(nowUs / BUCKET_US);
    if (this.#bucket < 0) return 0;
    if (bucket > this.#bucket) this.#roll(bucket);
    let bytes = 0;
    for (let slot = 0; slot < this.#bytes.length; slot++) {
      if ((mask >> (slot % UNIT_CLASSES)) & 1) bytes += this.#bytes[slot]!;
    }
    const sinceUs = Math.max(this.#firstUs, (this.#bucket - BUCKETS + 1) * BUCKET_US);
    return (bytes * 8_000_000) / Math.max(LEAST_US, nowUs - sinceUs);
  }
}
