/**
 * Which output is claimed when. One after another, in no order (bridges that look at the same moment look at different ones);
 * a bridge that is fuller than another leaves a job to it the longer. What nobody has taken in that time it takes itself.
 */
import type { Clock, Random, Timer } from "../../core/clock.ts";
import {
  CLAIM_JITTER_MS,
  CLAIM_LAG_MS,
  CLAIM_LOAD_MS,
  CLAIM_RETRY_MS,
  FIRST_CLAIM_MS,
  MAX_CLAIM_WAIT_MS,
} from "./limits.ts";

export interface ClaimQueueOptions {
  clock: Clock;
  random: Random;
  /** False: nothing can be claimed now; `look` is called when that changes. */
  mayClaim(): boolean;
  /** By how much more of its capacity this bridge uses than the emptiest one: 0 to 1. */
  aheadBy(): number;
  /** Claims a job and begins it, or finds that somebody has it. Rejects when the directory does not answer. */
  claim(jobId: string): Promise<void>;
}

export class ClaimQueue {
  readonly #options: ClaimQueueOptions;
  /** Jobs that no live bridge has, as far as is known, and since when, oldest first. */
  readonly #open = new Map<string, number>();
  #next: Timer | undefined;
  #claiming: Promise<void> | undefined;
  /** Something was claimed last; otherwise who had a job may have it back first. */
  #isBusy = false;

  constructor(options: ClaimQueueOptions) {
    this.#options = options;
  }

  set(jobId: string, isOpen: boolean): void {
    if (!isOpen) {
      this.#open.delete(jobId);
      return;
    }
    if (!this.#open.has(jobId)) this.#open.set(jobId, this.#options.clock.nowUs());
    this.look();
  }

  /** Goes on if there is something to claim. */
  look(pauseMs?: number): void {
    const { clock, mayClaim } = this.#options;
    if (this.#next || this.#claiming) return;
    if (this.#open.size === 0 || !mayClaim()) {
      this.#isBusy = false;
      return;
    }
    this.#next = clock.after(pauseMs ?? this.#waitMs(), () => {
      this.#next = undefined;
      this.#claiming = this.#claimOne().then((nextPauseMs) => {
        this.#claiming = undefined;
        this.look(nextPauseMs);
      });
    });
    this.#isBusy = true;
  }

  /** Resolves when no claim is being made. */
  async settled(): Promise<void> {
    await this.#claiming;
  }

  #waitMs(): number {
    const { clock, random, aheadBy } = this.#options;
    const pauseMs = this.#isBusy ? CLAIM_JITTER_MS * random() : FIRST_CLAIM_MS * (1 + random());
    const [sinceUs = 0] = this.#open.values();
    const leaveMs = Math.min(MAX_CLAIM_WAIT_MS, CLAIM_LOAD_MS * aheadBy());
    return pauseMs + Math.max(0, leaveMs - (clock.nowUs() - sinceUs) / 1000);
  }

  /** Resolves to how long to wait before the next, where that is not the usual. Never rejects. */
  async #claimOne(): Promise<number | undefined> {
    const { mayClaim, claim } = this.#options;
    const jobId = this.#anyOpen();
    if (jobId === undefined || !mayClaim()) return undefined;
    try {
      await claim(jobId);
      return this.#open.has(jobId) ? CLAIM_LAG_MS : undefined;
    } catch {
      // Whoever claims has told the log; the job is still open.
      return CLAIM_RETRY_MS;
    }
  }

  #anyOpen(): string | undefined {
    let skip = Math.floor(this.#options.random() * this.#open.size);
    for (const jobId of this.#open.keys()) {
      if (skip-- <= 0) return jobId;
    }
    return undefined;
  }
}
