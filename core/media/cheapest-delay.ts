/**
 * How long to wait when waiting longer has its price too: a delay is worth it while each millisecond saves enough units
 * from being late. NetEQ weighs loss against delay in the same way (its "ms per loss percent").
 */

/** How much delay it is worth to have all units instead of all but a share, microseconds. */
export type LossWorth = (share: number) => number;

/** Each per cent is worth the same. */
export function evenWorth(perCentWorthUs: number): LossWorth {
  return (share) => share * 100 * perCentWorthUs;
}

/** What is lost of sound up to this share should come back whenever a wait can bring it. */
const FEW = 0.004;
const fewWorth = evenWorth(150_000);
const moreWorth = evenWorth(20_000);

/**
 * Of sound. The first losses are heard most, each further per cent less (the E-model's packet-loss impairment flattens in the same
 * way, ITU-T G.107 section 7.5), so that a long wait for the longest of many bursts is not worth it.
 */
export function soundWorth(share: number): number {
  return share <= FEW ? fewWorth(share) : fewWorth(FEW) + moreWorth(share - FEW);
}

/**
 * End of the bucket that is the cheapest to wait for, in buckets; 0 when it is cheapest not to wait at all.
 * @param weights share of units by how late they come
 * @param total what the weights are shares of
 * @param bucketUs length of a bucket
 * @param least buckets that are waited for in any case
 */
export function cheapestDelay(
  weights: Float64Array,
  total: number,
  bucketUs: number,
  worth: LossWorth,
  least = 0,
): number {
  let late = 0;
  for (let i = least; i < weights.length; i++) late += weights[i]!;
  let best = least;
  let lowest = least * bucketUs + worth(late / total);
  for (let i = least; i < weights.length; i++) {
    // What is left of adding and taking away again is no unit.
    late = Math.max(0, late - weights[i]!);
    const cost = (i + 1) * bucketUs + worth(late / total);
    if (cost >= lowest - 1e-3) continue;
    lowest = cost;
    best = i + 1;
  }
  return best;
}
