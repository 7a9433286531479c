/**
 * The last FEC blocks of one track rendition, by number: what a hop's receiver restores from and its senders make repair
 * symbols of. A relay has one for both, shared by all subscribers. Bounded by MAX_HISTORY_BLOCKS,
 * RECOVERY_HISTORY_MS and the pool. docs/wire.md, section 4.
 */
import { MAX_HISTORY_BLOCKS, MAX_SOURCE_SYMBOLS, RECOVERY_HISTORY_MS } from "../../wire/limits.ts";
import type { BlockPool } from "../reed-solomon/block-pool.ts";
import type { SymbolBlock, SymbolFault } from "../reed-solomon/symbol-block.ts";

/** How far block `a` is ahead of block `b`, -32768..32767. */
export function blocksAhead(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

export class BlockHistory {
  readonly #pool: BlockPool;
  readonly #numbers = new Int32Array(MAX_HISTORY_BLOCKS).fill(-1);
  readonly #openedUs = new Float64Array(MAX_HISTORY_BLOCKS);
  readonly #blocks: (SymbolBlock | undefined)[] = new Array(MAX_HISTORY_BLOCKS).fill(undefined);
  /** 1 = the block was whole, and its symbols were let go of. */
  readonly #closed = new Uint8Array(MAX_HISTORY_BLOCKS);
  readonly #keepsWhole: boolean;
  #newest = -1;
  /** Oldest block that may still be there. */
  #oldest = 0;
  #touchedUs = 0;

  /** `keepsWhole`: whole blocks are kept, to make repair symbols of; else only the fact that they were whole. */
  constructor(pool: BlockPool, keepsWhole = true) {
    this.#pool = pool;
    this.#keepsWhole = keepsWhole;
  }

  /** The highest block number met, -1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  find(number: number): SymbolBlock | undefined {
    const slot = number % MAX_HISTORY_BLOCKS;
    return this.#numbers[slot] === number ? this.#blocks[slot] : undefined;
  }

  /** Whether a block was whole and its symbols are gone. */
  isClosed(number: number): boolean {
    const slot = number % MAX_HISTORY_BLOCKS;
    return this.#numbers[slot] === number && this.#closed[slot] === 1;
  }

  /** Nothing more is expected of a block. */
  close(number: number): void {
    const slot = number % MAX_HISTORY_BLOCKS;
    const block = this.#blocks[slot];
    if (this.#keepsWhole || block === undefined || this.#numbers[slot] !== number) return;
    this.#pool.release(block);
    this.#blocks[slot] = undefined;
    this.#closed[slot] = 1;
  }

  /** The block of that number, a new one when it is not there; undefined when it is older than what is kept. */
  open(number: number, nowUs: number): SymbolBlock | undefined {
    const found = this.find(number);
    if (found !== undefined || this.isClosed(number)) return found;
    // After a long pause numbers say nothing about order.
    if (nowUs - this.#touchedUs > 2000 * RECOVERY_HISTORY_MS) this.clear();
    if (this.#newest < 0) {
      this.#newest = number;
      this.#oldest = number;
    } else {
      const ahead = blocksAhead(number, this.#newest);
      if (ahead <= -MAX_HISTORY_BLOCKS) return undefined;
      if (ahead > 0) this.#advance(number, ahead);
      else if (blocksAhead(number, this.#oldest) < 0) this.#oldest = number;
    }
    this.#touchedUs = nowUs;
    this.#expire(nowUs);
    const slot = number % MAX_HISTORY_BLOCKS;
    const block = this.#pool.take();
    this.#numbers[slot] = number;
    this.#openedUs[slot] = nowUs;
    this.#blocks[slot] = block;
    return block;
  }

  /** Copies a source symbol in; `skip` bytes of `datagram` lie before its media part. Makes room at the oldest's cost. */
  addSource(
    number: number,
    index: number,
    datagram: Uint8Array,
    skip: number,
    nowUs: number,
  ): SymbolFault | "stale" | undefined {
    if (index >= MAX_SOURCE_SYMBOLS) return "symbol-index";
    if (this.isClosed(number)) return "duplicate-symbol";
    const block = this.open(number, nowUs);
    if (block === undefined) return "stale";
    this.makeRoom(number, 1);
    return block.addSource(index, datagram, skip);
  }

  /** Lets go of old blocks, never of `number`, until the pool has room for `symbols` more. */
  makeRoom(number: number, symbols: number): void {
    while (this.#pool.freeSymbols < symbols && blocksAhead(this.#oldest, this.#newest) < 0) {
      if (this.#oldest === number) return;
      this.#release(this.#oldest);
      this.#oldest = (this.#oldest + 1) & 0xffff;
    }
  }

  #advance(number: number, ahead: number): void {
    const first = Math.max(1, ahead - MAX_HISTORY_BLOCKS + 1);
    for (let step = first; step <= ahead; step++) {
      const slot = (this.#newest + step) & (MAX_HISTORY_BLOCKS - 1);
      if (this.#numbers[slot] !== -1) this.#release(this.#numbers[slot]!);
    }
    this.#newest = number;
    if (blocksAhead(this.#oldest, number) <= -MAX_HISTORY_BLOCKS) {
      this.#oldest = (number - MAX_HISTORY_BLOCKS + 1) & 0xffff;
    }
  }

  #expire(nowUs: number): void {
    while (blocksAhead(this.#oldest, this.#newest) < 0) {
      const slot = this.#oldest % MAX_HISTORY_BLOCKS;
      const present = this.#numbers[slot] === this.#oldest;
      if (present && nowUs - this.#openedUs[slot]! < 1000 * RECOVERY_HISTORY_MS) return;
      if (present) this.#release(this.#oldest);
      this.#oldest = (this.#oldest + 1) & 0xffff;
    }
  }

  #release(number: number): void {
    const slot = number % MAX_HISTORY_BLOCKS;
    if (this.#numbers[slot] !== number) return;
    const block = this.#blocks[slot];
    if (block !== undefined) this.#pool.release(block);
    this.#blocks[slot] = undefined;
    this.#closed[slot] = 0;
    this.#numbers[slot] = -1;
  }

  /** Lets go of everything; the pool has its memory back. */
  clear(): void {
    for (const number of this.#numbers) if (number >= 0) this.#release(number);
    this.#newest = -1;
    this.#oldest = 0;
  }
}
