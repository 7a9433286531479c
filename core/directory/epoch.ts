/** The one check of epochs that come from callers. */
import { DirectoryError } from "./directory.ts";
import { MAX_EPOCH } from "./limits.ts";

/** Throws DirectoryError unless a larger epoch than `after` can be counted to. */
export function assertEpoch(after: number): void {
  if (Number.isSafeInteger(after) && after >= 0 && after <= MAX_EPOCH) return;
  throw new DirectoryError(`${after} is not an epoch: give the epoch of a claim, or 0`);
}
