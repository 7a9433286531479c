/**
 * The kernel in plain JavaScript. A table of 32-bit words holds the products of one input byte with the coefficients
 * of four outputs, so that one look-up serves four; tables are made on the fly, which costs a sixth of their use.
 */
import { MAX_SYMBOL_BYTES } from "../../wire/limits.ts";
import type { Combination, FieldKernel } from "./field-kernel.ts";

/** Outputs in one word. */
const LANES = 4;
const TABLE_WORDS = 256;

/**
 * Working memory of one call; calls do not overlap. Constants of the module and not of an object, because compilers
 * then know their place and size: that makes the loops faster by a quarter.
 */
const tables = new Int32Array(4 * TABLE_WORDS);
const sums = new Int32Array(MAX_SYMBOL_BYTES);

export class TablesKernel implements FieldKernel {
  readonly name = "tables";
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly symbolsOffset = 0;

  constructor(bytes: number) {
    this.memory = new Uint8Array(bytes);
  }

  combine(combination: Combination): void {
    const { memory } = this;
    const { inputs, inputCount, outputCount, bytes } = combination;
    for (let row = 0; row < outputCount; row += LANES) {
      sums.fill(0, 0, bytes);
      let t = 0;
      for (; t + 3 < inputCount; t += 4) {
        for (let n = 0; n < 4; n++) fillTable(n * TABLE_WORDS, combination, row, t + n);
        addFour(memory, inputs[t]!, inputs[t + 1]!, inputs[t + 2]!, inputs[t + 3]!, bytes);
      }
      for (; t < inputCount; t++) {
        fillTable(0, combination, row, t);
        addOne(memory, inputs[t]!, bytes);
      }
      for (let lane = 0; lane < LANES && row + lane < outputCount; lane++) {
        store(memory, combination.outputs[row + lane]!, lane * 8, bytes);
      }
    }
  }
}

function addFour(memory: Uint8Array, a: number, b: number, c: number, d: number, bytes: number): void {
  for (let n = 0; n < bytes; n++) {
    sums[n]! ^=
      tables[memory[a + n]!]! ^
      tables[TABLE_WORDS | memory[b + n]!]! ^
      tables[(2 * TABLE_WORDS) | memory[c + n]!]! ^
      tables[(3 * TABLE_WORDS) | memory[d + n]!]!;
  }
}

function addOne(memory: Uint8Array, a: number, bytes: number): void {
  for (let n = 0; n < bytes; n++) sums[n]! ^= tables[memory[a + n]!]!;
}

function store(memory: Uint8Array, output: number, shift: number, bytes: number): void {
  for (let n = 0; n < bytes; n++) memory[output + n] = sums[n]! >>> shift;
}

/** Products of every byte with the coefficients of input `t` in outputs `row` to `row + 3`, lowest byte first. */
function fillTable(at: number, combination: Combination, row: number, t: number): void {
  const { coefficients, inputCount, outputCount } = combination;
  let products = 0;
  for (let lane = 0; lane < LANES && row + lane < outputCount; lane++) {
    products |= coefficients[(row + lane) * inputCount + t]! << (8 * lane);
  }
  tables[at] = 0;
  for (let bit = 1; bit < TABLE_WORDS; bit <<= 1) {
    for (let lower = 0; lower < bit; lower++) tables[at + bit + lower] = tables[at + lower]! ^ products;
    products = doubleEach(products);
  }
}

/** Doubles four field elements at once: shifts each and subtracts the polynomial where x^8 came out. */
function doubleEach(four: number): number {
  const carries = (four >>> 7) & 0x01010101;
  return ((four & 0x7f7f7f7f) << 1) ^ Math.imul(carries, 0x1d);
}
