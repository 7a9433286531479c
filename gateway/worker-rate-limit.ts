/**
 * Cloudflare's rate limiting binding as a SharedRateLimit: it counts all isolates of a location together, the one thing that an
 * isolate alone cannot. Its numbers stand in wrangler.toml; a Worker cannot read them.
 */
import type { Log } from "./deps.ts";
import type { SharedRateLimit } from "./rate-limit.ts";

/** The periods that a binding may have are 10 and 60 s; wrangler.toml says 10. */
const RETRY_SECONDS = 10;

/** What a `[[ratelimits]]` entry of wrangler.toml becomes in `env`. */
export interface RateLimitBinding {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

export class WorkerRateLimit implements SharedRateLimit {
  readonly retrySeconds = RETRY_SECONDS;
  readonly #binding: RateLimitBinding;
  readonly #log: Log;
  #hasFailed = false;

  constructor(binding: RateLimitBinding, log: Log) {
    this.#binding = binding;
    this.#log = log;
  }

  /** Lets requests through while the binding fails: the isolate's own limit still holds, and a limit is no reason to keep everybody out. */
  async take(bucket: string): Promise<boolean> {
    try {
      return (await this.#binding.limit({ key: bucket })).success;
    } catch (error) {
      if (!this.#hasFailed) this.#log("error", "the rate limiting binding failed", { error: String(error) });
      this.#hasFailed = true;
      return true;
    }
  }
}
