/**
 * What makes a bridge do what the cluster's directory asks for: it claims outputs that no live bridge has, runs them, and gives
 * them up when it drains, when they are deleted, or when another bridge has them. Ingests are not run but known by their
 * stream key (ingest-keys.ts).
 */
import type { Clock, Random } from "../../core/clock.ts";
import type { BridgeDirectory, JobEvent } from "../../core/directory/bridge-directory.ts";
import type { BridgeRecord, OutputJob, OutputSpec } from "../../core/wire/bridge-jobs.ts";
import { ClaimQueue } from "./claim-queue.ts";
import { ForgottenJobs } from "./forgotten-jobs.ts";
import { Holdings } from "./holdings.ts";
import { IngestKeys } from "./ingest-keys.ts";
import { JobRun } from "./job-run.ts";
import { KnownJobs } from "./known-jobs.ts";
import { Presence } from "./presence.ts";
import { type JobLog, type JobReport, reasonOf, type StartJob, type StopReason } from "./running-job.ts";

export interface JobRunnerOptions {
  directory: BridgeDirectory;
  /** How this bridge describes itself; load and draining are this class's to say. */
  record: Omit<BridgeRecord, "jobs" | "draining">;
  /** How long the directory keeps a bridge that it does not hear of: 10 s is a good start. */
  ttlMs: number;
  clock: Clock;
  random: Random;
  log: JobLog;
  start: StartJob;
}

interface Run {
  run: JobRun;
  release: () => Promise<void>;
}

export class JobRunner {
  /** For the servers that senders connect to. */
  readonly ingests: IngestKeys;
  readonly #options: JobRunnerOptions;
  readonly #presence: Presence;
  readonly #known = new KnownJobs();
  readonly #holdings: Holdings;
  readonly #claims: ClaimQueue;
  readonly #forgotten: ForgottenJobs;
  readonly #runs = new Map<string, Run>();
  /** Stops that have not come to an end. */
  readonly #stopping = new Set<Promise<void>>();
  #endWatch: (() => void) | undefined;
  #isDraining = false;
  #isOver = false;

  constructor(options: JobRunnerOptions) {
    const { record, ttlMs, clock } = options;
    this.#options = options;
    this.#presence = new Presence({
      ...options,
      record: { ...record, jobs: 0, draining: false },
      onRegistered: () => {
        this.#holdings.onRegistered();
        this.#claims.look();
      },
      onLost: () => this.#holdings.onUnregistered(),
    });
    this.#holdings = new Holdings({ ...options, presence: this.#presence, known: this.#known });
    this.#forgotten = new ForgottenJobs({ ...options, patienceMs: ttlMs });
    this.#claims = new ClaimQueue({
      ...options,
      mayClaim: () => !this.#isDraining && this.isRegistered && this.load < record.capacity,
      aheadBy: () => {
        const fill = this.load / record.capacity;
        return fill - (this.#known.leastFill() ?? fill);
      },
      claim: (jobId) => this.#claim(jobId),
    });
    this.ingests = new IngestKeys({
      known: this.#known,
      holdings: this.#holdings,
      clock,
      isOpen: () => this.isRegistered,
      hasSpace: () => this.load < record.capacity,
      onChange: () => this.#onLoad(),
    });
  }

  /** Jobs that this bridge has now. */
  get load(): number {
    return this.#holdings.size;
  }

  /** Outputs that this bridge runs, and what each reported last. */
  get outputs(): { type: OutputJob["spec"]["type"]; report: JobReport }[] {
    return [...this.#runs.values()].map(({ run }) => ({ type: run.type, report: run.last }));
  }

  /** True: it takes no new jobs. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** True: the directory knows this bridge. */
  get isRegistered(): boolean {
    return this.#presence.registration !== undefined;
  }

  /** An output of this type is asked for of the room, whoever does it; undefined: the directory has not said yet what there is. */
  isWanted(room: string, type: OutputSpec["type"]): boolean | undefined {
    // A watch says all at once what there is, and this bridge no sooner.
    if (!this.#known.hasBridge(this.#presence.bridgeId)) return undefined;
    return this.#known.hasOutput(room, type);
  }

  start(): void {
    this.#presence.start();
    this.#endWatch = this.#options.directory.watchJobs((event) => this.#onEvent(event));
  }

  /** Takes no new jobs and gives up those it has, each when it has stopped. Resolves when none is left. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#presence.update({ draining: true });
    await this.#stopAll("draining");
  }

  /** Stops everything; what the directory knows of this bridge goes at the end. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isDraining = true;
    await this.#stopAll("closing");
    this.#isOver = true;
    this.#endWatch?.();
    this.#forgotten.close();
    this.#holdings.close();
    await this.#presence.end();
  }

  #onEvent(event: JobEvent): void {
    if (this.#isOver) return;
    if (event.type === "job-gone" && event.forgotten && !this.#holdings.has(event.jobId)) {
      const job = this.#known.job(event.jobId);
      if (job) this.#forgotten.add(job, this.#known.claim(job.id) !== undefined);
    }
    this.#known.take(event);
    this.#holdings.onEvent(event);
    this.ingests.onEvent(event);
    if (event.type === "job") {
      this.#forgotten.isBack(event.job.id);
      this.#consider(event.job.id);
    } else if (event.type === "job-gone") this.#consider(event.jobId);
    else if (event.type === "claim" || event.type === "claim-gone") this.#consider(event.claim.jobId);
    // Others have more or less to do than before.
    else if (event.type === "bridge-gone") this.#claims.look();
  }

  /** Whether a job is one to claim. A claim of ours that we do not hold is one whose making we did not hear of. */
  #consider(jobId: string): void {
    const claim = this.#known.claim(jobId);
    const isFree = claim === undefined || claim.bridgeId === this.#presence.bridgeId;
    const isOurs = this.#holdings.has(jobId) || this.#runs.has(jobId);
    this.#claims.set(jobId, this.#known.job(jobId)?.kind === "output" && isFree && !isOurs);
  }

  async #claim(jobId: string): Promise<void> {
    const job = this.#known.job(jobId);
    if (job?.kind !== "output") return this.#consider(jobId);
    const { start, clock, random, log } = this.#options;
    try {
      const holding = await this.#holdings.claim(job, (reason) => this.#end(jobId, reason));
      if (holding && this.#isDraining) await holding.release();
      // It may be lost again by now.
      else if (holding && this.#holdings.has(jobId)) {
        const run = new JobRun({ job, start, report: (news) => holding.report(news), clock, random, log });
        this.#runs.set(jobId, { run, release: () => holding.release() });
      }
      this.#onLoad();
    } catch (error) {
      log("warn", "a job could not be claimed", { job: jobId, error: reasonOf(error) });
      throw error;
    } finally {
      this.#consider(jobId);
    }
  }

  #end(jobId: string, reason: StopReason): void {
    const entry = this.#runs.get(jobId);
    if (!entry) return;
    const stopping = this.#stop(jobId, entry, reason);
    this.#stopping.add(stopping);
    void stopping.then(() => this.#stopping.delete(stopping));
  }

  async #stop(jobId: string, { run, release }: Run, reason: StopReason): Promise<void> {
    await run.stop(reason);
    // Only now may it begin anew, here or elsewhere.
    await release();
    this.#runs.delete(jobId);
    this.#onLoad();
    this.#consider(jobId);
  }

  async #stopAll(reason: "draining" | "closing"): Promise<void> {
    await Promise.all([this.ingests.endAll(reason), this.#claims.settled()]);
    for (const jobId of [...this.#runs.keys()]) this.#end(jobId, reason);
    while (this.#stopping.size > 0) await Promise.all(this.#stopping);
  }

  #onLoad(): void {
    this.#presence.update({ jobs: this.load });
    this.#claims.look();
  }
}
