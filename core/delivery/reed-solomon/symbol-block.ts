/**
 * One FEC block on a hop: holds source and repair symbols as they come, restores missing sources from any k symbols, and makes
 * any repair symbol of a whole block. So it is encoder, decoder and send history in one: what a relay has received
 * and restored is where its own repair symbols come from. docs/wire.md, section 4.
 */
import { MAX_BLOCK_SYMBOLS } from "../../wire/limits.ts";
import { fillRepairCoefficients, fillRestoreCoefficients, IndexList } from "./cauchy-code.ts";
import { Combination } from "./field-kernel.ts";
import { HEADROOM_BYTES, type SymbolArena } from "./symbol-arena.ts";

/**
 * Why a symbol or a request was refused; the block is as it was before.
 * - `symbol-index`: a source at or above k, or a repair below it, or above 254
 * - `duplicate-symbol`: held already
 * - `source-count`: k is not 1..254, or not what was said before, or sources at or above it are held
 * - `symbol-length`: longer than symbols may be, or source and repair lengths that cannot be of one block
 * - `too-few-symbols`: k is not known, or fewer than are needed are held
 * - `inconsistent-symbols`: what was restored is no source symbol; some symbol is forged or damaged
 * - `store-full`: as many symbols are held as the pool has room for
 */
export type SymbolFault =
  | "symbol-index"
  | "duplicate-symbol"
  | "source-count"
  | "symbol-length"
  | "too-few-symbols"
  | "inconsistent-symbols"
  | "store-full";

const MAX_SYMBOL_INDEX = MAX_BLOCK_SYMBOLS - 1;
const LENGTH_BYTES = 2;
const ABSENT = -1;

/** Working memory of one call; calls do not overlap. */
const combination = new Combination();
const missing = new IndexList();
const repairs = new IndexList();
const inputs = new IndexList();

/** Made by a BlockPool, which takes it back when it is done with. */
export class SymbolBlock {
  readonly #arena: SymbolArena;
  readonly #slots = new Int32Array(MAX_BLOCK_SYMBOLS).fill(ABSENT);
  /** One more than the highest index held. */
  #end = 0;
  #sourceCount = 0;
  #heldSources = 0;
  #heldRepairs = 0;
  /** Longest source symbol held. */
  #longestSource = 0;
  /** Length of every repair symbol, 0 while none is held. */
  #repairBytes = 0;

  constructor(arena: SymbolArena) {
    this.#arena = arena;
  }

  /** k, or 0 while it is not known. */
  get sourceCount(): number {
    return this.#sourceCount;
  }

  get heldSources(): number {
    return this.#heldSources;
  }

  get heldRepairs(): number {
    return this.#heldRepairs;
  }

  /** Every source is held, so that any repair symbol can be made. */
  get isComplete(): boolean {
    return this.#sourceCount > 0 && this.#heldSources === this.#sourceCount;
  }

  /** Enough symbols are held to restore what is missing. */
  get isRestorable(): boolean {
    return this.#sourceCount > 0 && this.#heldSources + this.#heldRepairs >= this.#sourceCount;
  }

  /** Whether the symbol with this index is held. */
  holds(index: number): boolean {
    return index >= 0 && index <= MAX_SYMBOL_INDEX && this.#slots[index] !== ABSENT;
  }

  /** Says how many sources the block has, once the last of them, or a repair symbol, has told. */
  setSourceCount(count: number): SymbolFault | undefined {
    const fault = this.#sourceCountFault(count);
    if (fault === undefined) this.#sourceCount = count;
    return fault;
  }

  /**
   * Copies a source symbol in.
   * @param bytes a media part, or a datagram with one
   * @param skip bytes before the media part, 0..32
   */
  addSource(index: number, bytes: Uint8Array, skip = 0): SymbolFault | undefined {
    const end = this.#sourceCount === 0 ? MAX_SYMBOL_INDEX : this.#sourceCount;
    if (!(index >= 0 && index < end)) return "symbol-index";
    if (this.#slots[index] !== ABSENT) return "duplicate-symbol";
    const length = bytes.length - skip + LENGTH_BYTES;
    if (!this.#isLength(length, skip)) return "symbol-length";
    if (this.#repairBytes !== 0 && length > this.#repairBytes) return "symbol-length";
    if (this.#arena.freeSlots === 0) return "store-full";
    const slot = this.#take(index);
    this.#arena.writePrefixed(slot, bytes, skip);
    this.#heldSources += 1;
    if (length > this.#longestSource) this.#longestSource = length;
    return undefined;
  }

  /**
   * Copies a repair symbol in.
   * @param bytes a symbol, or a datagram with one
   * @param skip bytes before the symbol, 0..32
   */
  addRepair(index: number, sourceCount: number, bytes: Uint8Array, skip = 0): SymbolFault | undefined {
    const fault = this.#sourceCountFault(sourceCount);
    if (fault !== undefined) return fault;
    if (!(index >= sourceCount && index <= MAX_SYMBOL_INDEX)) return "symbol-index";
    if (this.#slots[index] !== ABSENT) return "duplicate-symbol";
    const length = bytes.length - skip;
    if (!this.#isLength(length, skip) || length < this.#longestSource) return "symbol-length";
    if (this.#repairBytes !== 0 && length !== this.#repairBytes) return "symbol-length";
    if (this.isComplete && length !== this.#longestSource) return "symbol-length";
    if (this.#arena.freeSlots === 0) return "store-full";
    this.#sourceCount = sourceCount;
    const slot = this.#take(index);
    this.#arena.writeSymbol(slot, bytes, skip);
    this.#heldRepairs += 1;
    this.#repairBytes = length;
    return undefined;
  }

  /** Restores every missing source. Which those were, `holds` tells before. */
  restore(): SymbolFault | undefined {
    if (this.isComplete) return undefined;
    if (!this.isRestorable) return "too-few-symbols";
    const lost = this.#sourceCount - this.#heldSources;
    if (this.#arena.freeSlots < lost) return "store-full";
    this.#listForRestore(lost);
    this.#loadInputs(this.#repairBytes);
    for (let row = 0; row < lost; row++) this.#addOutput(missing.indexes[row]!);
    fillRestoreCoefficients(combination, missing, repairs, inputs);
    this.#arena.kernel.combine(combination);
    if (!this.#acceptRestored()) {
      for (let row = 0; row < lost; row++) this.#drop(missing.indexes[row]!);
      return "inconsistent-symbols";
    }
    this.#heldSources = this.#sourceCount;
    return undefined;
  }

  /**
   * Makes the repair symbols first..first + count - 1 that are not held yet; several at once cost less than one by one.
   * The block must be complete.
   */
  makeRepairs(first: number, count: number): SymbolFault | undefined {
    if (!this.isComplete) return "too-few-symbols";
    if (!(first >= this.#sourceCount && first + count <= MAX_BLOCK_SYMBOLS)) return "symbol-index";
    repairs.count = 0;
    for (let index = first; index < first + count; index++) {
      if (this.#slots[index] === ABSENT) repairs.push(index);
    }
    if (repairs.count === 0) return undefined;
    if (this.#arena.freeSlots < repairs.count) return "store-full";
    inputs.count = 0;
    for (let index = 0; index < this.#sourceCount; index++) inputs.push(index);
    // Repair symbols from the hop before have the same length, which restore has checked or all sources tell.
    this.#repairBytes = this.#longestSource;
    this.#loadInputs(this.#repairBytes);
    for (let row = 0; row < repairs.count; row++) {
      this.#arena.setLength(this.#addOutput(repairs.indexes[row]!), this.#repairBytes);
    }
    fillRepairCoefficients(combination, repairs, this.#sourceCount);
    this.#arena.kernel.combine(combination);
    this.#heldRepairs += repairs.count;
    return undefined;
  }

  /**
   * A held symbol as it travels: a source's media part, a repair's symbol. A view that is valid until the block goes back to
   * its pool.
   * @throws RangeError when it is not held
   */
  payload(index: number): Uint8Array<ArrayBuffer> {
    if (!this.holds(index)) throw new RangeError(`symbol ${index} of the block is not held`);
    const isRepair = this.#sourceCount > 0 && index >= this.#sourceCount;
    return this.#arena.view(this.#slots[index]!, isRepair ? 0 : LENGTH_BYTES);
  }

  /** Lets go of every symbol. The pool calls it. */
  clear(): void {
    for (let index = 0; index < this.#end; index++) {
      if (this.#slots[index] !== ABSENT) this.#drop(index);
    }
    this.#end = 0;
    this.#sourceCount = 0;
    this.#heldSources = 0;
    this.#heldRepairs = 0;
    this.#longestSource = 0;
    this.#repairBytes = 0;
  }

  #isLength(length: number, skip: number): boolean {
    return (
      skip >= 0 && skip <= HEADROOM_BYTES && length >= LENGTH_BYTES && length <= this.#arena.maxSymbolBytes
    );
  }

  #sourceCountFault(count: number): SymbolFault | undefined {
    if (this.#sourceCount !== 0) return count === this.#sourceCount ? undefined : "source-count";
    // Before k is known only sources are held, so #end is one more than the highest of them.
    return Number.isInteger(count) && count >= 1 && count <= MAX_SYMBOL_INDEX && count >= this.#end
      ? undefined
      : "source-count";
  }

  #take(index: number): number {
    const slot = this.#arena.take();
    this.#slots[index] = slot;
    if (index >= this.#end) this.#end = index + 1;
    return slot;
  }

  #drop(index: number): void {
    this.#arena.release(this.#slots[index]!);
    this.#slots[index] = ABSENT;
  }

  /** Fills `missing`, `repairs` (as many as are missing) and `inputs` (held sources, then those repairs). */
  #listForRestore(lost: number): void {
    missing.count = 0;
    repairs.count = 0;
    inputs.count = 0;
    for (let index = 0; index < this.#sourceCount; index++) {
      (this.#slots[index] === ABSENT ? missing : inputs).push(index);
    }
    for (let index = this.#sourceCount; repairs.count < lost; index++) {
      if (this.#slots[index] === ABSENT) continue;
      repairs.push(index);
      inputs.push(index);
    }
  }

  /** Begins a combination of symbols of `bytes` each; shorter ones are padded with zeros. */
  #loadInputs(bytes: number): void {
    combination.bytes = bytes;
    combination.outputCount = 0;
    combination.inputCount = inputs.count;
    for (let t = 0; t < inputs.count; t++) {
      const slot = this.#slots[inputs.indexes[t]!]!;
      this.#arena.padTo(slot, bytes);
      combination.inputs[t] = this.#arena.offsetOf(slot);
    }
  }

  #addOutput(index: number): number {
    const slot = this.#take(index);
    combination.outputs[combination.outputCount++] = this.#arena.offsetOf(slot);
    return slot;
  }

  /** Reads the restored symbols' lengths. False when they are none that a sender can have made. */
  #acceptRestored(): boolean {
    const memory = this.#arena.kernel.memory;
    let longest = this.#longestSource;
    for (let row = 0; row < missing.count; row++) {
      const slot = this.#slots[missing.indexes[row]!]!;
      const at = this.#arena.offsetOf(slot);
      const length = LENGTH_BYTES + ((memory[at]! << 8) | memory[at + 1]!);
      if (length > this.#repairBytes) return false;
      for (let n = length; n < this.#repairBytes; n++) if (memory[at + n] !== 0) return false;
      this.#arena.setLength(slot, length);
      if (length > longest) longest = length;
    }
    if (longest !== this.#repairBytes) return false;
    this.#longestSource = longest;
    return true;
  }
}
