/**
 * Memory for the symbols of all blocks of one owner, cut into slots of one size and placed where the kernel can work
 * on them. Nothing is allocated after construction but views of symbols, and those are kept with their slot.
 */
import { MAX_STORED_SYMBOLS, MAX_SYMBOL_BYTES } from "../../wire/limits.ts";
import { COLUMN_BYTES, type FieldKernel, type KernelName } from "./field-kernel.ts";
import { TablesKernel } from "./tables-kernel.ts";
import { WasmKernel } from "./wasm-kernel.ts";

/** Room in front of a symbol, so that a datagram can be copied in whole with its headers falling there. */
export const HEADROOM_BYTES = 32;

export interface ArenaOptions {
  /** Where WebAssembly SIMD is missing, "wasm" becomes "tables"; `kernel.name` says which it is. */
  kernel: KernelName;
  /** Symbols that can be held at once. */
  capacity: number;
  /** Longest symbol, its length field included. */
  maxSymbolBytes: number;
}

export class SymbolArena {
  readonly kernel: FieldKernel;
  readonly maxSymbolBytes: number;
  readonly #slotBytes: number;
  /** Free slots; the one freed last is taken first, while it is still in the cache. */
  readonly #free: Uint32Array;
  #freeCount: number;
  /** By slot: bytes of the symbol, and up to where it is followed by zeros. */
  readonly #lengths: Uint16Array;
  readonly #zeroedTo: Uint16Array;
  readonly #views: (Uint8Array<ArrayBuffer> | undefined)[];

  /** @throws RangeError for options out of range, or when there is not so much memory */
  constructor({ kernel, capacity, maxSymbolBytes }: ArenaOptions) {
    if (!(Number.isInteger(capacity) && capacity >= 1 && capacity <= MAX_STORED_SYMBOLS)) {
      throw new RangeError(
        `capacity is a number of symbols from 1 to ${MAX_STORED_SYMBOLS}, not ${capacity}`,
      );
    }
    if (!(Number.isInteger(maxSymbolBytes) && maxSymbolBytes >= 2 && maxSymbolBytes <= MAX_SYMBOL_BYTES)) {
      throw new RangeError(`maxSymbolBytes is a length from 2 to ${MAX_SYMBOL_BYTES}, not ${maxSymbolBytes}`);
    }
    this.maxSymbolBytes = maxSymbolBytes;
    // An odd number of columns spreads the symbols of a block over the sets of the processor's cache.
    const columns = Math.ceil((HEADROOM_BYTES + maxSymbolBytes) / COLUMN_BYTES) | 1;
    this.#slotBytes = columns * COLUMN_BYTES;
    const bytes = capacity * this.#slotBytes;
    const wasm = kernel === "wasm" ? WasmKernel.create(bytes) : undefined;
    this.kernel = wasm ?? new TablesKernel(bytes);
    this.#free = new Uint32Array(capacity);
    for (let slot = 0; slot < capacity; slot++) this.#free[slot] = capacity - 1 - slot;
    this.#freeCount = capacity;
    this.#lengths = new Uint16Array(capacity);
    this.#zeroedTo = new Uint16Array(capacity);
    this.#views = new Array(capacity).fill(undefined);
  }

  get freeSlots(): number {
    return this.#freeCount;
  }

  /** `freeSlots` must be above 0. */
  take(): number {
    return this.#free[--this.#freeCount]!;
  }

  release(slot: number): void {
    this.#free[this.#freeCount++] = slot;
  }

  /** Offset of the slot's symbol in the kernel's memory. */
  offsetOf(slot: number): number {
    return this.kernel.symbolsOffset + slot * this.#slotBytes + HEADROOM_BYTES;
  }

  lengthOf(slot: number): number {
    return this.#lengths[slot]!;
  }

  /** Copies a symbol in: `bytes` from `skip` (at most HEADROOM_BYTES) on. */
  writeSymbol(slot: number, bytes: Uint8Array, skip: number): void {
    this.kernel.memory.set(bytes, this.offsetOf(slot) - skip);
    this.setLength(slot, bytes.length - skip);
  }

  /** Copies in `length u16 | bytes from skip on`. */
  writePrefixed(slot: number, bytes: Uint8Array, skip: number): void {
    const memory = this.kernel.memory;
    const at = this.offsetOf(slot);
    const length = bytes.length - skip;
    memory.set(bytes, at + 2 - skip);
    memory[at] = length >>> 8;
    memory[at + 1] = length;
    this.setLength(slot, length + 2);
  }

  /** Says how long the symbol in a slot is, after the kernel wrote it or its length field became known. */
  setLength(slot: number, length: number): void {
    this.#lengths[slot] = length;
    this.#zeroedTo[slot] = length;
  }

  /** Makes sure that zeros follow the symbol up to `end`. */
  padTo(slot: number, end: number): void {
    const from = this.#zeroedTo[slot]!;
    if (from >= end) return;
    const at = this.offsetOf(slot);
    this.kernel.memory.fill(0, at + from, at + end);
    this.#zeroedTo[slot] = end;
  }

  /** The symbol from byte `from` on, valid until the slot is released. */
  view(slot: number, from: number): Uint8Array<ArrayBuffer> {
    const at = this.offsetOf(slot) + from;
    const length = this.#lengths[slot]! - from;
    const kept = this.#views[slot];
    if (kept !== undefined && kept.byteOffset === at && kept.length === length) return kept;
    const view = this.kernel.memory.subarray(at, at + length);
    this.#views[slot] = view;
    return view;
  }
}
