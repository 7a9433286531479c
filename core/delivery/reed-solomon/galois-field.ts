/**
 * Arithmetic of GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1: addition is XOR, multiplication goes through logarithms
 * to the base 2. docs/wire.md, "FEC blocks and repair datagrams".
 */

/** The field polynomial, highest power first; 2 generates every element but 0. */
const FIELD_POLYNOMIAL = 0x11d;

/** Number of elements that have a logarithm; powers of 2 repeat after so many. */
export const GROUP_ORDER = 255;

/** 2 to the power of the index, twice over, so that a sum of two logarithms is a valid index. */
export const POWERS = new Uint8Array(2 * GROUP_ORDER);

/** Power of 2 that gives the index. Entry 0 means nothing: 0 is no power of 2. */
export const LOGARITHMS = new Uint8Array(256);

for (let power = 0, element = 1; power < GROUP_ORDER; power++) {
  POWERS[power] = element;
  POWERS[power + GROUP_ORDER] = element;
  LOGARITHMS[element] = power;
  element <<= 1;
  if (element > 255) element ^= FIELD_POLYNOMIAL;
}

/** Product of two elements, 0..255 each. */
export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : POWERS[LOGARITHMS[a]! + LOGARITHMS[b]!]!;
}

/** The element that gives 1 when multiplied by `a`, 1..255. */
export function inverse(a: number): number {
  return POWERS[GROUP_ORDER - LOGARITHMS[a]!]!;
}
