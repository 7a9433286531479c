/** What a bridge's jobs and those who do them say to each other. */
import type { JobStatus, OutputJob } from "../../core/wire/bridge-jobs.ts";

/** What is said of a job while it runs; whose it is and since when is added. `message`: empty while nothing is wrong. */
export type JobReport = Omit<JobStatus, "jobId" | "bridgeId" | "since" | "message" | "latencyMs"> &
  Partial<Pick<JobStatus, "message" | "latencyMs">>;

/**
 * Why a job must stop. `deleted`: nobody wants it any more. `claim-lost`: another bridge has it, or may have. `draining`:
 * this bridge gives it to another. `closing`: this bridge ends.
 */
export type StopReason = "deleted" | "claim-lost" | "draining" | "closing";

/** How a job ended by itself. One that failed is started again. `message` is for people. */
export interface JobEnd {
  failed: boolean;
  message: string;
}

export interface RunningJob {
  /** Resolves when the job is over, by itself or by `stop`. A rejection counts as failed. */
  readonly ended: Promise<JobEnd>;
  /** Resolves when nothing of it is left: sockets closed, files finished. Called once at most. */
  stop(reason: StopReason): Promise<void>;
}

/** Starts a job. `report` may be called as often as there is news. What it throws counts as failed. */
export type StartJob = (job: OutputJob, report: (report: JobReport) => void) => RunningJob;

/** One line for operators; no stream keys in it. */
export type JobLog = (
  level: "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
