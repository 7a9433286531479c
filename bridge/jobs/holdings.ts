/**
 * The jobs that this bridge has claimed. A claim ends when the job is deleted, when another bridge has it, or when the
 * directory has lost this bridge and does not take it back in time; whoever works on the job is told. Jobs that the directory
 * has forgotten are put back: they are the operator's wish, and whoever works on them is not disturbed.
 */
import type { Clock, Timer } from "../../core/clock.ts";
import type { BridgeDirectory, JobClaim, JobEvent } from "../../core/directory/bridge-directory.ts";
import type { BridgeJob } from "../../core/wire/bridge-jobs.ts";
import type { KnownJobs } from "./known-jobs.ts";
import { REATTACH_MS, REGISTER_RETRY_MS } from "./limits.ts";
import type { Presence } from "./presence.ts";
import { type JobLog, type JobReport, reasonOf } from "./running-job.ts";
import { StatusReporter } from "./status-reporter.ts";

export type LossReason = "deleted" | "claim-lost";

/** A job that this bridge has. */
export interface Holding {
  readonly job: BridgeJob;
  /** For the directory. */
  report(report: JobReport): void;
  /** Gives it up, so that another may have it. Nothing happens when it is lost already. */
  release(): Promise<void>;
}

interface Held {
  readonly job: BridgeJob;
  epoch: number;
  readonly reporter: StatusReporter;
  readonly onLost: (reason: LossReason) => void;
  /** The directory has lost the job, so it is put back before it is claimed. */
  isForgotten: boolean;
  /** Runs while the claim does not stand. */
  grace: Timer | undefined;
  isRestoring: boolean;
  /** Something happened that may change how restoring goes. */
  mustRestore: boolean;
}

export interface HoldingsOptions {
  directory: BridgeDirectory;
  presence: Presence;
  known: KnownJobs;
  ttlMs: number;
  clock: Clock;
  log: JobLog;
}

export class Holdings {
  readonly #options: HoldingsOptions;
  readonly #held = new Map<string, Held>();

  constructor(options: HoldingsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size;
  }

  has(jobId: string): boolean {
    return this.#held.has(jobId);
  }

  /** Claims a job that nobody has. Undefined when somebody has it, or it is gone. Rejects with DirectoryError. */
  claim(job: BridgeJob, onLost: (reason: LossReason) => void): Promise<Holding | undefined> {
    return this.#hold(job, onLost, false);
  }

  /** Claims a job whoever has it. Undefined when it is gone. Rejects with DirectoryError. */
  take(job: BridgeJob, onLost: (reason: LossReason) => void): Promise<Holding | undefined> {
    return this.#hold(job, onLost, true);
  }

  /** After the known jobs have taken it. */
  onEvent(event: JobEvent): void {
    if (event.type === "job-gone") {
      const held = this.#held.get(event.jobId);
      if (held && !event.forgotten) this.#lose(held, "deleted");
      else if (held) {
        held.isForgotten = true;
        void this.#restore(held);
      }
    } else if (event.type === "claim") {
      const held = this.#held.get(event.claim.jobId);
      if (!held || event.claim.epoch <= held.epoch) return;
      if (event.claim.bridgeId === this.#options.presence.bridgeId) held.epoch = event.claim.epoch;
      else this.#lose(held, "claim-lost");
    } else if (event.type === "claim-gone") {
      const held = this.#held.get(event.claim.jobId);
      if (held && event.claim.epoch === held.epoch) void this.#restore(held);
    }
  }

  /** The directory knows this bridge again. */
  onRegistered(): void {
    for (const held of this.#held.values()) void this.#restore(held);
  }

  /** It does not. */
  onUnregistered(): void {
    for (const held of this.#held.values()) this.#beginGrace(held);
  }

  /** Nothing is told any more, to anybody. */
  close(): void {
    for (const held of this.#held.values()) this.#forget(held);
  }

  async #hold(
    job: BridgeJob,
    onLost: (reason: LossReason) => void,
    evenIfHeld: boolean,
  ): Promise<Holding | undefined> {
    const { presence, known, clock } = this.#options;
    const { registration, bridgeId } = presence;
    if (!registration || this.#held.has(job.id)) return undefined;
    const claim = await (evenIfHeld ? registration.takeJob(job.id) : registration.claimJob(job.id));
    if (claim) known.noteClaim(claim);
    if (!claim || !this.#stands(claim) || presence.registration !== registration) return undefined;
    const held: Held = {
      job,
      epoch: claim.epoch,
      reporter: new StatusReporter(clock, { jobId: job.id, bridgeId }, async (status) => {
        await presence.registration?.report(status);
      }),
      onLost,
      isForgotten: false,
      grace: undefined,
      isRestoring: false,
      mustRestore: false,
    };
    this.#held.set(job.id, held);
    return {
      job,
      report: (report) => held.reporter.take(report),
      release: () => this.#release(held),
    };
  }

  /** Whether a claim is this bridge's, for a job that is still there, as far as the watch has come. */
  #stands({ jobId, bridgeId, epoch }: JobClaim): boolean {
    const { presence, known } = this.#options;
    if (bridgeId !== presence.bridgeId || this.#held.has(jobId) || !known.job(jobId)) return false;
    return (known.claim(jobId)?.epoch ?? 0) <= epoch;
  }

  /** Sees to it that the directory says that this bridge has the job, or finds that it does not. */
  async #restore(held: Held): Promise<void> {
    if (!this.#isHeld(held)) return;
    this.#beginGrace(held);
    held.mustRestore = true;
    if (held.isRestoring) return;
    held.isRestoring = true;
    const { presence, clock, log } = this.#options;
    while (held.mustRestore) {
      held.mustRestore = false;
      try {
        await this.#reclaim(held);
      } catch (error) {
        log("warn", "a job cannot be claimed again, trying on", { job: held.job.id, error: reasonOf(error) });
        if (presence.registration) clock.after(REGISTER_RETRY_MS, () => void this.#restore(held));
      }
    }
    held.isRestoring = false;
  }

  async #reclaim(held: Held): Promise<void> {
    const { directory, presence, known } = this.#options;
    const { registration } = presence;
    const { job } = held;
    if (!registration || !this.#isHeld(held)) return;
    if (held.isForgotten) {
      const standing = await directory.putJob(job);
      held.isForgotten = false;
      if (standing.id !== job.id) return this.#lose(held, "deleted");
    }
    const claim = await registration.claimJob(job.id);
    // It is not there: the watch will say whether somebody has deleted it or it was forgotten.
    if (!claim || !this.#isHeld(held) || presence.registration !== registration) return;
    known.noteClaim(claim);
    if (claim.bridgeId !== presence.bridgeId) return this.#lose(held, "claim-lost");
    held.epoch = claim.epoch;
    held.grace?.cancel();
    held.grace = undefined;
    held.reporter.again();
  }

  #beginGrace(held: Held): void {
    const { clock, ttlMs } = this.#options;
    held.grace ??= clock.after(Math.min(REATTACH_MS, ttlMs), () => this.#lose(held, "claim-lost"));
  }

  #isHeld(held: Held): boolean {
    return this.#held.get(held.job.id) === held;
  }

  #lose(held: Held, reason: LossReason): void {
    if (!this.#isHeld(held)) return;
    this.#forget(held);
    this.#options.log("info", "the bridge has a job no more", { job: held.job.id, reason });
    held.onLost(reason);
  }

  #forget(held: Held): void {
    this.#held.delete(held.job.id);
    held.grace?.cancel();
    held.reporter.stop();
  }

  async #release(held: Held): Promise<void> {
    if (!this.#isHeld(held)) return;
    this.#forget(held);
    try {
      await this.#options.presence.registration?.releaseJob(held.job.id);
    } catch (error) {
      // It goes with the lease at the latest; a bridge that keeps its lease finds the claim in its watch and takes it up again.
      this.#options.log("warn", "a job could not be released", { job: held.job.id, error: reasonOf(error) });
    }
  }
}
