/** Counts values in buckets with fixed upper bounds, as a Prometheus histogram shows them. */

export class Histogram {
  /** Upper bounds, ascending; above the last one there is one more bucket. */
  readonly bounds: readonly number[];
  /** Values in each bucket by itself. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array(bounds.length + 1).fill(0) as number[];
  }

  push(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += value;
    this.count++;
  }
}
