/**
 * The kernel in WebAssembly SIMD (kernel.wat). Its memory: nibble tables of all 256 coefficients, the list of terms
 * of the combination under way, then symbols. The module is a few hundred bytes, so that compiling it at once is
 * allowed everywhere, the main thread of browsers included.
 */
import { MAX_BLOCK_SYMBOLS } from "../../wire/limits.ts";
import type { Combination, FieldKernel } from "./field-kernel.ts";
import { multiply } from "./galois-field.ts";
import { KERNEL_HEX } from "./kernel-binary.ts";

/** The part of WebAssembly that is used here; core/ is compiled without any runtime's types. */
interface WebAssemblyRuntime {
  Module: new (binary: Uint8Array) => object;
  Memory: new (descriptor: { initial: number }) => { readonly buffer: ArrayBuffer };
  Instance: new (module: object, imports: object) => { readonly exports: object };
}

interface KernelExports {
  combineTwo(terms: number, end: number, first: number, second: number, bytes: number): void;
  combineOne(terms: number, end: number, output: number, bytes: number): void;
}

/** Products with 0..15, then with 16 times those. */
const TABLE_BYTES = 32;
const TERMS_OFFSET = 256 * TABLE_BYTES;
/** Input address and two table addresses, 4 bytes each. */
const TERM_BYTES = 12;
const SYMBOLS_OFFSET = Math.ceil((TERMS_OFFSET + MAX_BLOCK_SYMBOLS * TERM_BYTES) / 64) * 64;
const PAGE_BYTES = 65_536;

export class WasmKernel implements FieldKernel {
  readonly name = "wasm";
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly symbolsOffset = SYMBOLS_OFFSET;
  readonly #exports: KernelExports;
  readonly #terms: Uint32Array;

  private constructor(buffer: ArrayBuffer, exports: KernelExports) {
    this.memory = new Uint8Array(buffer);
    this.#exports = exports;
    this.#terms = new Uint32Array(buffer, TERMS_OFFSET, (MAX_BLOCK_SYMBOLS * TERM_BYTES) / 4);
    for (let coefficient = 0; coefficient < 256; coefficient++) {
      for (let nibble = 0; nibble < 16; nibble++) {
        const at = coefficient * TABLE_BYTES + nibble;
        this.memory[at] = multiply(coefficient, nibble);
        this.memory[at + 16] = multiply(coefficient, nibble << 4);
      }
    }
  }

  /**
   * @param symbolsBytes memory for symbols
   * @returns undefined where WebAssembly or its SIMD is missing or forbidden
   * @throws RangeError when there is not so much memory
   */
  static create(symbolsBytes: number): WasmKernel | undefined {
    const { WebAssembly: runtime } = globalThis as { WebAssembly?: WebAssemblyRuntime };
    const module = runtime === undefined ? undefined : compile(runtime);
    if (runtime === undefined || module === undefined) return undefined;
    const memory = new runtime.Memory({ initial: Math.ceil((SYMBOLS_OFFSET + symbolsBytes) / PAGE_BYTES) });
    const { exports } = new runtime.Instance(module, { kernel: { memory } });
    return new WasmKernel(memory.buffer, exports as KernelExports);
  }

  combine(combination: Combination): void {
    const { outputs, outputCount, inputCount, bytes } = combination;
    const end = TERMS_OFFSET + inputCount * TERM_BYTES;
    for (let row = 0; row < outputCount; row += 2) {
      const isPair = row + 1 < outputCount;
      this.#writeTerms(combination, row, isPair ? row + 1 : row);
      if (isPair) this.#exports.combineTwo(TERMS_OFFSET, end, outputs[row]!, outputs[row + 1]!, bytes);
      else this.#exports.combineOne(TERMS_OFFSET, end, outputs[row]!, bytes);
    }
  }

  #writeTerms({ inputs, inputCount, coefficients }: Combination, first: number, second: number): void {
    const terms = this.#terms;
    const firstRow = first * inputCount;
    const secondRow = second * inputCount;
    for (let t = 0, at = 0; t < inputCount; t++, at += 3) {
      terms[at] = inputs[t]!;
      terms[at + 1] = coefficients[firstRow + t]! * TABLE_BYTES;
      terms[at + 2] = coefficients[secondRow + t]! * TABLE_BYTES;
    }
  }
}

let compiled: object | undefined;

function compile(runtime: WebAssemblyRuntime): object | undefined {
  try {
    compiled ??= new runtime.Module(kernelBinary());
    return compiled;
  } catch (error) {
    // No SIMD (CompileError), or a content security policy without 'wasm-unsafe-eval': the caller has another kernel.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function kernelBinary(): Uint8Array {
  const binary = new Uint8Array(KERNEL_HEX.length / 2);
  for (let n = 0; n < binary.length; n++) binary[n] = Number.parseInt(KERNEL_HEX.slice(2 * n, 2 * n + 2), 16);
  return binary;
}
