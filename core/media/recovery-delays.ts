/**
 * How late units come that were lost and brought back (by repair or as a redundant copy), and how long it is worth to
 * wait for them. They are few, so the histogram of all units would give them up; they are remembered
 * longer here, and forgotten at once when the loss is over.
 */
import { cheapestDelay, soundWorth } from "./cheapest-delay.ts";

const BUCKET_US = 5_000;
/** Together 400 ms: what takes longer to bring back is not worth waiting for. */
const BUCKETS = 80;
/** Weight that the past keeps with each unit: 1000 units, 20 s of 20 ms frames, count. */
const FORGET = 0.999;
/** Until so many units are known, one that came back late may be chance: it takes a second one. */
const LEAST_UNITS = 300;
/** Without another one for this long the loss is over. */
const OVER_AFTER_US = 5_000_000;

export class RecoveryDelays {
  readonly #weights = new Float64Array(BUCKETS);
  /** Units since the loss began, by the weight that they still have. */
  #units = 0;
  /** Of these, the ones that have not come. */
  #missing = 0;
  #lastUs = Number.NEGATIVE_INFINITY;

  /** So many units more are missing; -1: one fewer is. */
  noteMissing(count: number): void {
    this.#missing = Math.max(0, this.#missing + count);
  }

  /** Notes a unit of the track; `relativeUs` is its delay behind the fastest, so far as it would have had to be waited for. */
  push(relativeUs: number, recovered: boolean, nowUs: number): void {
    if (this.#isOver(nowUs) && !recovered) return;
    if (this.#isOver(nowUs)) {
      this.#weights.fill(0);
      this.#units = 0;
      this.#missing = 0;
    }
    this.#units = this.#units * FORGET + 1;
    this.#missing *= FORGET;
    for (let i = 0; i < BUCKETS; i++) this.#weights[i]! *= FORGET;
    if (!recovered) return;
    this.#lastUs = nowUs;
    const bucket = Math.floor(relativeUs / BUCKET_US);
    if (bucket >= 0 && bucket < BUCKETS) this.#weights[bucket]! += 1;
  }

  /** Wait from the fastest arrival on that is worth it for their sake; 0 while nothing, or next to nothing, is lost. */
  targetUs(nowUs: number): number {
    if (this.#isOver(nowUs)) return 0;
    const units = Math.max(LEAST_UNITS, this.#units);
    const missing = this.#missing / units;
    // No wait brings back what is missing for good, which is heard all the same.
    const worth = (late: number): number => soundWorth(missing + late);
    return cheapestDelay(this.#weights, units, BUCKET_US, worth) * BUCKET_US;
  }

  #isOver(nowUs: number): boolean {
    return nowUs - this.#lastUs > OVER_AFTER_US;
  }
}
