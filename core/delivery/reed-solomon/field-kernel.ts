/**
 * What a Reed-Solomon kernel does: linear combinations of symbols over GF(2^8). Making repair symbols and restoring
 * lost ones are both of this form and differ only in their coefficients. docs/wire.md, section 4.
 */
import { MAX_BLOCK_SYMBOLS } from "../../wire/limits.ts";

/** "wasm": WebAssembly SIMD, nibble tables. "tables": plain JavaScript, one table look-up for four outputs. */
export type KernelName = "wasm" | "tables";

/** Symbols begin at multiples of so many bytes, and kernels may read and write up to the next one after their end. */
export const COLUMN_BYTES = 32;

/** outputs[r] = sum over t of coefficients[r * inputCount + t] * inputs[t]. No output is an input too. */
export class Combination {
  /** Offsets of symbols in the kernel's memory. */
  readonly inputs = new Uint32Array(MAX_BLOCK_SYMBOLS);
  inputCount = 0;
  /** Offsets of the symbols to write. */
  readonly outputs = new Uint32Array(MAX_BLOCK_SYMBOLS);
  outputCount = 0;
  /** Row by row. A block has at most 255 symbols, so rows times inputs are at most 127 * 128. */
  readonly coefficients = new Uint8Array((MAX_BLOCK_SYMBOLS ** 2 - 1) / 4);
  /** Length of every input and output, at least 1. */
  bytes = 0;
}

export interface FieldKernel {
  readonly name: KernelName;
  /** Where inputs and outputs lie. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** The kernel keeps its own tables below this offset. */
  readonly symbolsOffset: number;
  combine(combination: Combination): void;
}
