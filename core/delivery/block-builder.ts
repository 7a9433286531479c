/**
 * Which media datagrams form an FEC block: an access unit of some size by itself, small ones of one layer together, large ones
 * in several. The end of a block is foreseen from the pace of the units, so that its last datagram can say it.
 * docs/wire.md, "FEC blocks and repair datagrams".
 */
import { MAX_SOURCE_SYMBOLS } from "../wire/limits.ts";

/** A unit of so many datagrams is a block by itself. */
const OWN_BLOCK_SYMBOLS = 6;
/** Smaller units are merged up to about so many datagrams, or so much time. */
const MERGED_SYMBOLS = 16;
const MERGED_SPAN_US = 66_000;
/** Weight of a new unit in the expected interval and size. */
const SMOOTHING = 1 / 4;
const MAX_INTERVAL_US = 200_000;
/** After a change of layer, so many units of one layer must follow before units are merged again. */
const SAME_LAYER_UNITS = 8;

export class BlockBuilder {
  /** Where the datagram at hand belongs. */
  block = 0;
  symbol = 0;
  /** True when it is the last of its block. */
  isEnd = false;
  #block = 0;
  #next = 0;
  #startedUs = 0;
  #lastCaptureUs: number | undefined;
  #intervalUs = 0;
  #unitSymbols = 0;
  #layer = -1;
  #sameLayer = SAME_LAYER_UNITS;
  /** Datagrams of the unit at hand that are still to come, and how many each block of it takes. */
  #left = 0;
  #piece = 0;
  #endsWithUnit = false;

  /** Begins an access unit of `count` datagrams. */
  begin(count: number, layer: number, captureUs: number): void {
    this.#learn(count, layer, captureUs);
    const open = this.#next;
    const spanUs = captureUs - this.#startedUs;
    const fits = open + count <= MAX_SOURCE_SYMBOLS && spanUs >= 0 && spanUs <= MERGED_SPAN_US;
    if (open > 0 && (layer !== this.#layer || !fits)) this.#endBlock();
    this.#layer = layer;
    if (this.#next === 0) this.#startedUs = captureUs;
    this.#left = count;
    // A large unit is cut into blocks of equal size, so that none of them is a remainder of a few.
    const isLarge = this.#next === 0 && count > MAX_SOURCE_SYMBOLS;
    this.#piece = isLarge ? Math.ceil(count / Math.ceil(count / MAX_SOURCE_SYMBOLS)) : MAX_SOURCE_SYMBOLS;
    const after = this.#next + count;
    this.#endsWithUnit =
      count >= OWN_BLOCK_SYMBOLS ||
      this.#sameLayer < SAME_LAYER_UNITS ||
      after + this.#unitSymbols / 2 > MERGED_SYMBOLS ||
      captureUs - this.#startedUs + this.#intervalUs > MERGED_SPAN_US;
  }

  #learn(count: number, layer: number, captureUs: number): void {
    const intervalUs = Math.min(MAX_INTERVAL_US, Math.max(0, captureUs - (this.#lastCaptureUs ?? captureUs)));
    const isFirst = this.#intervalUs === 0;
    this.#intervalUs += (intervalUs - this.#intervalUs) * (isFirst ? 1 : SMOOTHING);
    this.#unitSymbols += (count - this.#unitSymbols) * (this.#unitSymbols === 0 ? 1 : SMOOTHING);
    this.#lastCaptureUs = captureUs;
    if (layer === this.#layer || this.#layer < 0) this.#sameLayer++;
    else this.#sameLayer = 0;
  }

  /** Takes the unit's next datagram; `block`, `symbol` and `isEnd` are about it. */
  place(): void {
    this.block = this.#block;
    this.symbol = this.#next++;
    this.#left--;
    this.isEnd = this.#next >= this.#piece || (this.#left === 0 && this.#endsWithUnit);
    if (this.isEnd) this.#endBlock();
  }

  #endBlock(): void {
    this.#block = (this.#block + 1) & 0xffff;
    this.#next = 0;
  }
}
