/**
 * How long to wait when waiting longer has its price too: a delay is worth it while each millisecond saves enough units
 * from being late. NetEQ weighs loss against delay in the same way (its "ms per loss percent").
 */

/** One per cent of all sound that is concealed is as bad as so much more delay. */
export const SOUND_PER_CENT_WORTH_US = 150_000;

/**
 * End of the bucket that is the cheapest to wait for, in buckets; 0 when it is cheapest not to wait at all.
 * @param weights share of units by how late they come
 * @param total what the weights are shares of
 * @param price buckets of delay that it is worth to have all units instead of none
 */
export function cheapestDelay(weights: Float64Array, total: number, price: number): number {
  let late = 0;
  for (let i = 0; i < weights.length; i++) late += weights[i]!;
  let best = 0;
  let lowest = (late / total) * price;
  for (let i = 0; i < weights.length; i++) {
    late -= weights[i]!;
    const cost = i + 1 + (late / total) * price;
    if (cost >= lowest - 1e-6) continue;
    lowest = cost;
    best = i + 1;
  }
  return best;
}
