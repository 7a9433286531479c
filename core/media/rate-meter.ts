/** How much of something (bytes, frames) came in the last seconds. */

const BUCKET_US = 250_000;
const BUCKETS = 8;

export class RateMeter {
  readonly #sums = new Float64Array(BUCKETS);
  #bucket = 0;
  #firstUs: number | undefined;

  push(value: number, nowUs: number): void {
    this.#firstUs ??= nowUs;
    this.#advance(nowUs);
    this.#sums[this.#bucket % BUCKETS]! += value;
  }

  /** Per second, over the last two seconds or as long as there was anything. */
  perSecond(nowUs: number): number {
    if (this.#firstUs === undefined) return 0;
    this.#advance(nowUs);
    let sum = 0;
    for (let i = 0; i < BUCKETS; i++) sum += this.#sums[i]!;
    const intoBucketUs = nowUs - this.#bucket * BUCKET_US;
    const spanUs = Math.min((BUCKETS - 1) * BUCKET_US + intoBucketUs, nowUs - this.#firstUs);
    return spanUs < BUCKET_US ? 0 : (sum * 1e6) / spanUs;
  }

  #advance(nowUs: number): void {
    const bucket = Math.floor(nowUs / BUCKET_US);
    if (bucket - this.#bucket >= BUCKETS) this.#sums.fill(0);
    else for (let i = this.#bucket + 1; i <= bucket; i++) this.#sums[i % BUCKETS] = 0;
    this.#bucket = Math.max(this.#bucket, bucket);
  }
}
