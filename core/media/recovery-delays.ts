/**
 * How late units come that were lost and brought back (by repair or as a redundant copy), and how long to wait so that
 * hardly any of them is missed. They are few, so the histogram of all units would give them up; they are remembered
 * longer here, and forgotten at once when the loss is over.
 */

const BUCKET_US = 5_000;
/** Together 400 ms: what takes longer to bring back is not worth waiting for. */
const BUCKETS = 80;
/** Weight that the past keeps with each unit: 1000 units, 20 s of 20 ms frames, count. */
const FORGET = 0.999;
const FULL_WEIGHT = 1 / (1 - FORGET);
/** Share of all units that may miss their time because they were brought back too late. */
const MISSED_SHARE = 0.001;
/** Without another one for this long the loss is over. */
const OVER_AFTER_US = 5_000_000;

export class RecoveryDelays {
  readonly #weights = new Float64Array(BUCKETS);
  #lastUs = Number.NEGATIVE_INFINITY;

  /** Notes a unit of the track; `relativeUs` is its delay behind the fastest. */
  push(relativeUs: number, recovered: boolean, nowUs: number): void {
    if (this.#isOver(nowUs) && !recovered) return;
    if (this.#isOver(nowUs)) this.#weights.fill(0);
    for (let i = 0; i < BUCKETS; i++) this.#weights[i]! *= FORGET;
    if (!recovered) return;
    this.#lastUs = nowUs;
    const bucket = Math.floor(relativeUs / BUCKET_US);
    if (bucket >= 0 && bucket < BUCKETS) this.#weights[bucket]! += 1;
  }

  /** Wait from the fastest arrival on that covers them; 0 while nothing, or next to nothing, is lost. */
  targetUs(nowUs: number): number {
    if (this.#isOver(nowUs)) return 0;
    let missed = 0;
    for (let i = BUCKETS - 1; i >= 0; i--) {
      missed += this.#weights[i]!;
      // One that came back later than all others may be chance: it takes a second one.
      if (missed > MISSED_SHARE * FULL_WEIGHT) return (i + 1) * BUCKET_US;
    }
    return 0;
  }

  #isOver(nowUs: number): boolean {
    return nowUs - this.#lastUs > OVER_AFTER_US;
  }
}
