/**
 * Jobs that the directory has forgotten and this bridge does not have itself: they are put back, since nobody has deleted
 * them. What nobody had, everybody puts back at once; for what another bridge had that bridge is given time to do so.
 */
import type { Clock, Random, Timer } from "../../core/clock.ts";
import type { BridgeDirectory } from "../../core/directory/bridge-directory.ts";
import type { BridgeJob } from "../../core/wire/bridge-jobs.ts";
import { FIRST_CLAIM_MS, MAX_PUT_BACK_ATTEMPTS } from "./limits.ts";
import { type JobLog, reasonOf } from "./running-job.ts";

export interface ForgottenJobsOptions {
  directory: BridgeDirectory;
  /** After so long, and half as much again at random, whoever had a job will not put it back. */
  patienceMs: number;
  clock: Clock;
  random: Random;
  log: JobLog;
}

export class ForgottenJobs {
  readonly #options: ForgottenJobsOptions;
  readonly #waiting = new Map<string, Timer>();

  constructor(options: ForgottenJobsOptions) {
    this.#options = options;
  }

  add(job: BridgeJob, hadBridge: boolean): void {
    const { patienceMs, random } = this.#options;
    const waitMs = hadBridge ? patienceMs * (1 + random() / 2) : FIRST_CLAIM_MS * random();
    this.#later(job, waitMs, MAX_PUT_BACK_ATTEMPTS);
  }

  /** The job is there again. If it is deleted later, that is somebody's wish. */
  isBack(jobId: string): void {
    this.#waiting.get(jobId)?.cancel();
    this.#waiting.delete(jobId);
  }

  close(): void {
    for (const timer of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
  }

  #later(job: BridgeJob, waitMs: number, attempts: number): void {
    this.#waiting.get(job.id)?.cancel();
    this.#waiting.set(
      job.id,
      this.#options.clock.after(waitMs, () => void this.#putBack(job, attempts)),
    );
  }

  async #putBack(job: BridgeJob, attempts: number): Promise<void> {
    const { directory, patienceMs, log } = this.#options;
    try {
      await directory.putJob(job);
      this.#waiting.delete(job.id);
    } catch (error) {
      if (!this.#waiting.has(job.id)) return;
      if (attempts > 1) return this.#later(job, patienceMs, attempts - 1);
      this.#waiting.delete(job.id);
      const fields = { job: job.id, room: job.room, error: reasonOf(error) };
      log("error", "a job that the directory forgot could not be put back: make it anew", fields);
    }
  }
}
