/**
 * Reed-Solomon blocks of one owner (a link, a room, a relay): one memory, one kernel, blocks that are used again.
 * docs/wire.md, section 4; about the choice of kernel, docs/patents.md.
 */
import { MAX_MEDIA_DATAGRAM_BYTES } from "../../wire/limits.ts";
import type { KernelName } from "./field-kernel.ts";
import { type ArenaOptions, SymbolArena } from "./symbol-arena.ts";
import { SymbolBlock } from "./symbol-block.ts";

export class BlockPool {
  readonly #arena: SymbolArena;
  readonly #idle: SymbolBlock[] = [];

  /**
   * Memory is reserved at once, and taken from the system as symbols come.
   * @param options `capacity` in symbols is required; by default the kernel is "wasm" and symbols fit media datagrams
   * @throws RangeError for options out of range, or when there is not so much memory
   */
  constructor(options: Pick<ArenaOptions, "capacity"> & Partial<ArenaOptions>) {
    this.#arena = new SymbolArena({ kernel: "wasm", maxSymbolBytes: MAX_MEDIA_DATAGRAM_BYTES, ...options });
  }

  /** The kernel at work: "tables" also where "wasm" was asked for and cannot run. */
  get kernel(): KernelName {
    return this.#arena.kernel.name;
  }

  /** Symbols that can be held in addition to those that are. */
  get freeSymbols(): number {
    return this.#arena.freeSlots;
  }

  /** An empty block, the caller's until it releases it. */
  take(): SymbolBlock {
    return this.#idle.pop() ?? new SymbolBlock(this.#arena);
  }

  /** Frees a block of this pool with all its symbols. The caller and its views of it must not use it after. */
  release(block: SymbolBlock): void {
    block.clear();
    this.#idle.push(block);
  }
}
