/**
 * Coefficients of the systematic Cauchy code: repair symbol i = sum over sources j of s_j / (i + j), where + is XOR
 * and i >= k > j, so that no divisor is 0 and no coefficient depends on k. docs/wire.md, section 4.
 *
 * Restoring needs no matrix inversion: the code is a generalised Reed-Solomon code whose symbols are values of one
 * polynomial at their indexes, so that each lost value follows from any k others by Lagrange's formula.
 */
import { MAX_BLOCK_SYMBOLS } from "../../wire/limits.ts";
import type { Combination } from "./field-kernel.ts";
import { GROUP_ORDER, inverse, LOGARITHMS, POWERS } from "./galois-field.ts";

/** Entry of the generator matrix for repair index `repair` and source index `source`, which differ. */
export function repairCoefficient(repair: number, source: number): number {
  return inverse(repair ^ source);
}

/** A set of symbol indexes that is filled anew for each block. */
export class IndexList {
  readonly indexes = new Uint8Array(MAX_BLOCK_SYMBOLS);
  count = 0;

  push(index: number): void {
    this.indexes[this.count++] = index;
  }
}

/** Writes the coefficients of the given repair symbols over sources 0..k-1. */
export function fillRepairCoefficients(into: Combination, repairs: IndexList, sourceCount: number): void {
  let at = 0;
  for (let row = 0; row < repairs.count; row++) {
    const repair = repairs.indexes[row]!;
    for (let source = 0; source < sourceCount; source++) {
      into.coefficients[at++] = repairCoefficient(repair, source);
    }
  }
}

const inputWeights = new Uint16Array(MAX_BLOCK_SYMBOLS);

/**
 * Writes the coefficients of the `missing` sources over `inputs`: all sources that are held, then as many repair
 * symbols, `repairs`, as sources are missing. With h an input, b a missing source and products in the field:
 * coefficient(b, h) = out(b) * in(h) / (b + h),
 * out(b) = product over repairs i of (b + i) / product over other missing l of (b + l),
 * in(h) = product over missing l of (h + l) / product over other repairs i of (h + i).
 */
export function fillRestoreCoefficients(
  into: Combination,
  missing: IndexList,
  repairs: IndexList,
  inputs: IndexList,
): void {
  for (let t = 0; t < inputs.count; t++) {
    const index = inputs.indexes[t]!;
    inputWeights[t] = logOfQuotient(index, missing, repairs);
  }
  let at = 0;
  for (let row = 0; row < missing.count; row++) {
    const index = missing.indexes[row]!;
    const weight = logOfQuotient(index, repairs, missing) + GROUP_ORDER;
    for (let t = 0; t < inputs.count; t++) {
      const log = weight + inputWeights[t]! - LOGARITHMS[index ^ inputs.indexes[t]!]!;
      into.coefficients[at++] = POWERS[log % GROUP_ORDER]!;
    }
  }
}

/** Logarithm of the product of (index + n) over `above`, divided by that over `below`; index itself is left out. */
function logOfQuotient(index: number, above: IndexList, below: IndexList): number {
  let log = 0;
  for (let n = 0; n < above.count; n++) log += LOGARITHMS[index ^ above.indexes[n]!]!;
  // The logarithm of 0 reads as 0, which leaves the index itself out of the product.
  for (let n = 0; n < below.count; n++) log += GROUP_ORDER - LOGARITHMS[index ^ below.indexes[n]!]!;
  return log % GROUP_ORDER;
}
