/** Bridges of a simulated cluster: real job runners on a virtual clock over one directory, each with a connection that can be cut. */
import { JobRunner, type JobRunnerOptions } from "../../bridge/jobs/job-runner.ts";
import type { JobEnd, JobReport, RunningJob, StopReason } from "../../bridge/jobs/running-job.ts";
import type {
  BridgeDirectory,
  BridgeRegistration,
  JobEvent,
  JobView,
} from "../../core/directory/bridge-directory.ts";
import { bridgeNamed } from "../../core/directory/bridge-directory-harness.contract.ts";
import { DirectoryError } from "../../core/directory/directory.ts";
import { MemoryBridges } from "../../core/directory/memory-bridges.ts";
import type { BridgeJob, BridgeRecord } from "../../core/wire/bridge-jobs.ts";
import { seededRandom } from "./seeded-random.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const TTL_MS = 10_000;

/** One bridge's view of the directory. While it is cut, calls fail and events wait. */
class CutDirectory implements BridgeDirectory {
  readonly #directory: MemoryBridges;
  readonly #bridgeId: string;
  #isCut = false;
  #isDead = false;
  #missed: (() => void)[] = [];

  constructor(directory: MemoryBridges, bridgeId: string) {
    this.#directory = directory;
    this.#bridgeId = bridgeId;
  }

  cut(): void {
    this.#isCut = true;
    this.#directory.cutOff(this.#bridgeId);
  }

  mend(): void {
    if (this.#isDead || !this.#isCut) return;
    this.#isCut = false;
    this.#directory.reconnect(this.#bridgeId);
    for (const tell of this.#missed.splice(0)) tell();
  }

  kill(): void {
    this.cut();
    this.#isDead = true;
    this.#missed = [];
  }

  async #call<T>(make: () => Promise<T>): Promise<T> {
    if (this.#isCut) throw new DirectoryError("the directory cannot be reached");
    return await make();
  }

  registerBridge(bridge: BridgeRecord, ttlMs: number): Promise<BridgeRegistration> {
    return this.#call(async () => {
      const registration = await this.#directory.registerBridge(bridge, ttlMs);
      const call = <T>(make: () => Promise<T>): Promise<T> => this.#call(make);
      return {
        lost: registration.lost,
        update: (next) => call(() => registration.update(next)),
        claimJob: (jobId) => call(() => registration.claimJob(jobId)),
        takeJob: (jobId) => call(() => registration.takeJob(jobId)),
        releaseJob: (jobId) => call(() => registration.releaseJob(jobId)),
        report: (status) => call(() => registration.report(status)),
        end: () => call(() => registration.end()),
      };
    });
  }

  bridges(): Promise<BridgeRecord[]> {
    return this.#call(() => this.#directory.bridges());
  }

  putJob(job: BridgeJob): Promise<BridgeJob> {
    return this.#call(() => this.#directory.putJob(job));
  }

  deleteJob(jobId: string): Promise<boolean> {
    return this.#call(() => this.#directory.deleteJob(jobId));
  }

  job(jobId: string): Promise<JobView | undefined> {
    return this.#call(() => this.#directory.job(jobId));
  }

  jobs(): Promise<JobView[]> {
    return this.#call(() => this.#directory.jobs());
  }

  watchJobs(listener: (event: JobEvent) => void): () => void {
    return this.#directory.watchJobs((event) => {
      if (this.#isDead) return;
      if (this.#isCut) this.#missed.push(() => listener(event));
      else listener(event);
    });
  }
}

/** An output as a test sees and plays it. */
export interface PlayedRun {
  bridgeId: string;
  jobId: string;
  startedMs: number;
  /** Undefined while it runs. */
  endedMs: number | undefined;
  stopReason: StopReason | undefined;
  report(report: JobReport): void;
  /** It ends by itself. */
  end(end: JobEnd): void;
}

interface PlayedBridge {
  id: string;
  runner: JobRunner;
  directory: CutDirectory;
  isDead: boolean;
}

export interface BridgeClusterOptions {
  seed?: number;
  capacity?: number;
  /** How long a job takes to stop. */
  stopMs?: number;
  /** Replaces how jobs begin; what it throws is a failure. */
  onStart?(run: PlayedRun): void;
}

export class BridgeCluster {
  readonly clock = new VirtualClock();
  readonly directory = new MemoryBridges(this.clock);
  readonly runs: PlayedRun[] = [];
  readonly log: string[] = [];
  readonly bridges = new Map<string, PlayedBridge>();
  readonly random: () => number;
  readonly #options: BridgeClusterOptions;

  constructor(options: BridgeClusterOptions = {}) {
    this.#options = options;
    this.random = seededRandom(options.seed ?? 1);
  }

  get nowMs(): number {
    return this.clock.nowUs() / 1000;
  }

  add(id: string, change: Partial<JobRunnerOptions> = {}): JobRunner {
    const directory = new CutDirectory(this.directory, id);
    const { jobs: _, draining: __, ...record } = bridgeNamed(id, { capacity: this.#options.capacity ?? 100 });
    const runner = new JobRunner({
      directory,
      record,
      ttlMs: TTL_MS,
      clock: this.clock,
      random: this.random,
      log: (level, message, fields) => this.log.push(`${level} ${id} ${message} ${JSON.stringify(fields)}`),
      start: (job, report) => this.#start(bridge, job.id, report),
      ...change,
    });
    const bridge: PlayedBridge = { id, runner, directory, isDead: false };
    this.bridges.set(id, bridge);
    runner.start();
    return runner;
  }

  /** The process is gone at once: its jobs too, and the directory learns of it when the lease ends. */
  kill(id: string): void {
    const bridge = this.#bridge(id);
    bridge.isDead = true;
    bridge.directory.kill();
    this.bridges.delete(id);
    for (const run of this.running(undefined, id)) run.endedMs = this.nowMs;
  }

  cut(id: string): void {
    this.#bridge(id).directory.cut();
  }

  mend(id: string): void {
    this.#bridge(id).directory.mend();
  }

  /** Jobs that run now, of one job or bridge or of all. */
  running(jobId?: string, bridgeId?: string): PlayedRun[] {
    return this.runs.filter(
      (run) =>
        run.endedMs === undefined &&
        (jobId === undefined || run.jobId === jobId) &&
        (bridgeId === undefined || run.bridgeId === bridgeId),
    );
  }

  /** The longest time that any job ran twice, milliseconds. */
  longestOverlapMs(): number {
    let longest = 0;
    for (const jobId of new Set(this.runs.map((run) => run.jobId))) {
      const runs = this.runs.filter((run) => run.jobId === jobId);
      for (const [index, run] of runs.entries()) {
        for (const other of runs.slice(index + 1)) {
          const endMs = Math.min(run.endedMs ?? this.nowMs, other.endedMs ?? this.nowMs);
          longest = Math.max(longest, endMs - Math.max(run.startedMs, other.startedMs));
        }
      }
    }
    return longest;
  }

  #bridge(id: string): PlayedBridge {
    const bridge = this.bridges.get(id);
    if (!bridge) throw new Error(`there is no bridge ${id}`);
    return bridge;
  }

  #start(
    { id: bridgeId, isDead }: PlayedBridge,
    jobId: string,
    report: (report: JobReport) => void,
  ): RunningJob {
    let resolve = (_end: JobEnd): void => {};
    const ended = new Promise<JobEnd>((done) => {
      resolve = done;
    });
    const run: PlayedRun = {
      bridgeId,
      jobId,
      startedMs: this.nowMs,
      endedMs: undefined,
      stopReason: undefined,
      report,
      end: (end) => {
        run.endedMs ??= this.nowMs;
        resolve(end);
      },
    };
    this.#options.onStart?.(run);
    // A dead process starts nothing; its objects are still there in the simulation.
    if (!isDead) this.runs.push(run);
    report({ state: "running" });
    return {
      ended,
      stop: async (reason) => {
        run.stopReason = reason;
        const { stopMs = 0 } = this.#options;
        if (stopMs > 0) await new Promise<void>((done) => this.clock.after(stopMs, done));
        run.end({ failed: false, message: "" });
      },
    };
  }
}
