/**
 * Which bridges there are, what they are asked to do (jobs), who does it (claims) and how it goes (statuses): the part of
 * a cluster's directory that relays have no use for. Implementations: memory, etcd. All run bridge-directory.contract.ts.
 */
import type { BridgeJob, BridgeRecord, JobStatus } from "../wire/bridge-jobs.ts";
import { MAX_BRIDGE_JOBS } from "../wire/limits.ts";
import { DirectoryError } from "./directory.ts";

/** Which bridge does a job. */
export interface JobClaim {
  jobId: string;
  bridgeId: string;
  /** Grows each time the job gets a bridge, also when the old one comes back; what is told of a smaller one is over. */
  epoch: number;
}

/** A job with what is known of it. */
export interface JobView {
  job: BridgeJob;
  /** Undefined: no live bridge has it. */
  claim?: JobClaim | undefined;
  /** As the bridge that has it said last. */
  status?: JobStatus | undefined;
}

export type JobEvent =
  | { type: "bridge"; bridge: BridgeRecord }
  | { type: "bridge-gone"; bridgeId: string }
  | { type: "job"; job: BridgeJob }
  /** `forgotten`: nobody deleted it, the directory lost its memory. Whoever knows it may put it back. Its claim is gone too. */
  | { type: "job-gone"; jobId: string; forgotten: boolean }
  /** Takes the place of the claim before, and of its status. */
  | { type: "claim"; claim: JobClaim }
  /** Its status is gone with it. */
  | { type: "claim-gone"; claim: JobClaim }
  | { type: "status"; status: JobStatus };

/** A bridge's presence. While it is kept alive, its record, claims and statuses stand; when it ends, they vanish. */
export interface BridgeRegistration {
  /** Replaces the record (load, draining). Rejects with DirectoryError when the lease was lost. */
  update(bridge: BridgeRecord): Promise<void>;
  /** Claims a job unless a live bridge has it; returns the claim that stands after the call, undefined when there is no such job. */
  claimJob(jobId: string): Promise<JobClaim | undefined>;
  /**
   * Claims a job whoever has it, who learns of it by watching: for an ingest whose sender is with this bridge now.
   * Undefined when there is no such job.
   */
  takeJob(jobId: string): Promise<JobClaim | undefined>;
  /** Gives a job up, with its status, if this bridge has it. */
  releaseJob(jobId: string): Promise<void>;
  /** Says how a job goes; passed over unless this bridge has it. */
  report(status: JobStatus): Promise<void>;
  /** Resolves when the lease is gone and everything must be registered and claimed anew. Never rejects. */
  readonly lost: Promise<void>;
  /** Takes the record, claims and statuses back. */
  end(): Promise<void>;
}

export interface BridgeDirectory {
  /**
   * Announces a bridge under a lease of `ttlMs`, which the implementation keeps alive by itself. An id that is there
   * already is taken over: the older registration is lost, with its claims.
   */
  registerBridge(bridge: BridgeRecord, ttlMs: number): Promise<BridgeRegistration>;
  bridges(): Promise<BridgeRecord[]>;
  /**
   * Adds a job unless it is there, or one that excludes it is (job-place.ts); returns the job that stands after the call.
   * Rejects with TooManyJobsError at MAX_BRIDGE_JOBS, with DirectoryError when the job is not usable.
   */
  putJob(job: BridgeJob): Promise<BridgeJob>;
  /** Removes a job with its claim and status; false when there was none. */
  deleteJob(jobId: string): Promise<boolean>;
  job(jobId: string): Promise<JobView | undefined>;
  /** By time of creation. */
  jobs(): Promise<JobView[]>;
  /**
   * Calls `listener` with what is there (as events), then with each change. An implementation that loses its place starts
   * over and says what changed meanwhile. Every listener sees the same order; it must not throw. The returned function
   * ends the watch.
   */
  watchJobs(listener: (event: JobEvent) => void): () => void;
}

/** There are as many jobs as a cluster takes. */
export class TooManyJobsError extends DirectoryError {
  constructor() {
    super(`there are ${MAX_BRIDGE_JOBS} outputs and ingests already: delete some that nobody needs`);
  }
}
