/** How many of something may happen: a steady rate with a burst above it (RFC 2697 without colours). */

export class TokenBucket {
  readonly #perUs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAtUs: number;

  constructor(perSecond: number, burst: number, nowUs: number) {
    this.#perUs = perSecond / 1_000_000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAtUs = nowUs;
  }

  /** Takes `amount`, or nothing and returns false when there is not enough. */
  take(amount: number, nowUs: number): boolean {
    const tokens = Math.min(this.#burst, this.#tokens + (nowUs - this.#filledAtUs) * this.#perUs);
    this.#filledAtUs = nowUs;
    if (tokens < amount) {
      this.#tokens = tokens;
      return false;
    }
    this.#tokens = tokens - amount;
    return true;
  }
}
