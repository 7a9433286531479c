/** A set of source symbol indexes 0..63 of one block, in two words. */
import { MAX_SOURCE_SYMBOLS } from "../../wire/limits.ts";

export class SymbolMask {
  #low = 0;
  #high = 0;

  add(index: number): void {
    if (index < 32) this.#low |= 1 << index;
    else this.#high |= 1 << (index - 32);
  }

  remove(index: number): void {
    if (index < 32) this.#low &= ~(1 << index);
    else this.#high &= ~(1 << (index - 32));
  }

  has(index: number): boolean {
    const word = index < 32 ? this.#low : this.#high;
    return (word & (1 << (index & 31))) !== 0;
  }

  clear(): void {
    this.#low = 0;
    this.#high = 0;
  }

  get count(): number {
    return bitsOf(this.#low) + bitsOf(this.#high);
  }

  /** How many are in `other` too. */
  countWith(other: SymbolMask): number {
    return bitsOf(this.#low & other.#low) + bitsOf(this.#high & other.#high);
  }

  /** Highest index, -1 when empty. */
  get highest(): number {
    if (this.#high !== 0) return 63 - Math.clz32(this.#high);
    return 31 - Math.clz32(this.#low);
  }

  set(other: SymbolMask): void {
    this.#low = other.#low;
    this.#high = other.#high;
  }

  addAll(other: SymbolMask): void {
    this.#low |= other.#low;
    this.#high |= other.#high;
  }

  removeAll(other: SymbolMask): void {
    this.#low &= ~other.#low;
    this.#high &= ~other.#high;
  }

  /** Takes out what a NACK's bitmap says is held: bit i & 7 of byte i >> 3. */
  removeHeld(bitmap: Uint8Array): void {
    for (let index = 0; index < MAX_SOURCE_SYMBOLS && index >> 3 < bitmap.length; index++) {
      if ((bitmap[index >> 3]! & (1 << (index & 7))) === 0) continue;
      this.remove(index);
    }
  }

  /** The lowest index at or above `from`, or -1. */
  next(from: number): number {
    for (let index = from; index < MAX_SOURCE_SYMBOLS; index++) if (this.has(index)) return index;
    return -1;
  }
}

function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
