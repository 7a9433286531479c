/** Token buckets by name, in bounded memory: the rate limits of the gateway, per address and per API key. */
import type { Clock } from "../core/clock.ts";

/** Buckets held at once; above it the one that was used longest ago is forgotten, which fills it up again. */
export const MAX_RATE_BUCKETS = 20_000;

export interface Rate {
  perSecond: number;
  /** Requests that may come at once after a pause. */
  burst: number;
}

export interface RateDecision {
  allowed: boolean;
  /** Whole requests left now. */
  remaining: number;
  /** Seconds until one more is allowed (refused) or until the bucket is full (allowed); at least 1. */
  resetSeconds: number;
}

/** What the runtime counts for many instances of the gateway together, as Workers do (worker-rate-limit.ts). */
export interface SharedRateLimit {
  /** Counts one request; false: it is one too many. Never rejects. */
  take(bucket: string): Promise<boolean>;
  /** Who is refused is told to come back after so long. */
  readonly retrySeconds: number;
}

/** A rate limit as callers meet it: this instance's own, and behind it the one it shares. */
export interface CallerLimit {
  own: RateLimit;
  shared: SharedRateLimit | undefined;
}

interface Bucket {
  level: number;
  atUs: number;
}

export class RateLimit {
  readonly rate: Rate;
  readonly #clock: Clock;
  readonly #maxBuckets: number;
  /** In order of last use: the first is the oldest. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: Clock, maxBuckets: number = MAX_RATE_BUCKETS) {
    this.rate = rate;
    this.#clock = clock;
    this.#maxBuckets = maxBuckets;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Counts one request against the bucket; a refused one costs nothing. */
  take(name: string): RateDecision {
    const { perSecond, burst } = this.rate;
    const nowUs = this.#clock.nowUs();
    const before = this.#buckets.get(name);
    const level = before
      ? Math.min(burst, before.level + ((nowUs - before.atUs) / 1_000_000) * perSecond)
      : burst;
    const allowed = level >= 1;
    const left = allowed ? level - 1 : level;
    this.#buckets.delete(name);
    this.#buckets.set(name, { level: left, atUs: nowUs });
    if (this.#buckets.size > this.#maxBuckets) {
      const oldest = this.#buckets.keys().next();
      if (!oldest.done) this.#buckets.delete(oldest.value);
    }
    const missing = allowed ? burst - left : 1 - left;
    return {
      allowed,
      remaining: Math.floor(left),
      resetSeconds: Math.max(1, Math.ceil(missing / perSecond)),
    };
  }
}
