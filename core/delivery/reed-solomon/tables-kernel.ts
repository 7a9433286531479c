/**
 * The kernel in plain JavaScript. A table of 32-bit words holds the products of one input byte with the coefficients
 * of four outputs, so that one look-up serves four; tables are made on the fly, which costs a sixth of their use.
 */
import { COLUMN_BYTES, type Combination, type FieldKernel } from "./field-kernel.ts";

/** Outputs in one word. */
const LANES = 4;
const TABLE_WORDS = 256;

export class TablesKernel implements FieldKernel {
  readonly name = "tables";
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly symbolsOffset = 0;
  /** Four tables: as many inputs are added at a time, to load and store each sum less often. */
  readonly #tables = new Int32Array(4 * TABLE_WORDS);
  readonly #sums: Int32Array;

  /** @param symbolBytes longest symbol, a multiple of COLUMN_BYTES */
  constructor(bytes: number, symbolBytes: number) {
    this.memory = new Uint8Array(bytes);
    this.#sums = new Int32Array(Math.ceil(symbolBytes / COLUMN_BYTES) * COLUMN_BYTES);
  }

  combine(combination: Combination): void {
    const { inputs, inputCount, outputCount, bytes } = combination;
    for (let row = 0; row < outputCount; row += LANES) {
      this.#sums.fill(0, 0, bytes);
      let t = 0;
      for (; t + 3 < inputCount; t += 4) {
        for (let n = 0; n < 4; n++) fillTable(this.#tables, n * TABLE_WORDS, combination, row, t + n);
        this.#addFour(inputs[t]!, inputs[t + 1]!, inputs[t + 2]!, inputs[t + 3]!, bytes);
      }
      for (; t < inputCount; t++) {
        fillTable(this.#tables, 0, combination, row, t);
        this.#addOne(inputs[t]!, bytes);
      }
      for (let lane = 0; lane < LANES && row + lane < outputCount; lane++) {
        this.#store(combination.outputs[row + lane]!, lane * 8, bytes);
      }
    }
  }

  #addFour(a: number, b: number, c: number, d: number, bytes: number): void {
    const memory = this.memory;
    const sums = this.#sums;
    const tables = this.#tables;
    for (let n = 0; n < bytes; n++) {
      sums[n]! ^=
        tables[memory[a + n]!]! ^
        tables[TABLE_WORDS | memory[b + n]!]! ^
        tables[(2 * TABLE_WORDS) | memory[c + n]!]! ^
        tables[(3 * TABLE_WORDS) | memory[d + n]!]!;
    }
  }

  #addOne(a: number, bytes: number): void {
    const memory = this.memory;
    const sums = this.#sums;
    const tables = this.#tables;
    for (let n = 0; n < bytes; n++) sums[n]! ^= tables[memory[a + n]!]!;
  }

  #store(output: number, shift: number, bytes: number): void {
    const memory = this.memory;
    const sums = this.#sums;
    for (let n = 0; n < bytes; n++) memory[output + n] = sums[n]! >>> shift;
  }
}

/** Products of every byte with the coefficients of input `t` in outputs `row` to `row + 3`, lowest byte first. */
function fillTable(table: Int32Array, at: number, combination: Combination, row: number, t: number): void {
  const { coefficients, inputCount, outputCount } = combination;
  let products = 0;
  for (let lane = 0; lane < LANES && row + lane < outputCount; lane++) {
    products |= coefficients[(row + lane) * inputCount + t]! << (8 * lane);
  }
  table[at] = 0;
  for (let bit = 1; bit < TABLE_WORDS; bit <<= 1) {
    for (let lower = 0; lower < bit; lower++) table[at + bit + lower] = table[at + lower]! ^ products;
    products = doubleEach(products);
  }
}

/** Doubles four field elements at once: shifts each and subtracts the polynomial where x^8 came out. */
function doubleEach(four: number): number {
  const carries = (four >>> 7) & 0x01010101;
  return ((four & 0x7f7f7f7f) << 1) ^ Math.imul(carries, 0x1d);
}
