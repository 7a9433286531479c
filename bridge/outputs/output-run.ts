/** One output while it runs: holds the programme of its room, opens what takes it, and reports how that does until it is stopped or ends. */
import { type Clock, every, type Timer } from "../../core/clock.ts";
import type { OutputJob, OutputSpec, ProgrammeSpec } from "../../core/wire/bridge-jobs.ts";
import {
  type JobEnd,
  type JobReport,
  type RunningJob,
  reasonOf,
  type StopReason,
} from "../jobs/running-job.ts";
import type { HeldProgramme, WholeProgramme } from "../programme/programme.ts";
import type { Programmes } from "../programme/programmes.ts";
import type { RunningCounts } from "../running-counts.ts";

const REPORT_EVERY_MS = 1_000;

export type JobOf<Type extends OutputSpec["type"]> = OutputJob & {
  spec: Extract<OutputSpec, { type: Type }>;
};

/** What takes a programme. */
export interface OpenOutput {
  /** How it does now. */
  report(): JobReport;
  /** What it has counted since it was opened. */
  counts(): ReturnType<Parameters<RunningCounts["add"]>[0]>;
  /** Resolves when nothing of it is left. `goesOn`: another bridge takes the job up, or this one again. */
  close(goesOn: boolean): Promise<void>;
}

/** Opens an output on a programme. `fail`: it has ended by itself and is to be opened anew. */
export type OpenOutputOn<Job extends OutputJob = OutputJob> = (
  job: Job,
  programme: WholeProgramme,
  fail: (message: string) => void,
) => Promise<OpenOutput>;

export interface OutputRunOptions {
  job: OutputJob;
  spec: ProgrammeSpec;
  programmes: Programmes;
  clock: Clock;
  open: OpenOutputOn;
  counts: RunningCounts;
  report(report: JobReport): void;
}

export class OutputRun implements RunningJob {
  readonly ended: Promise<JobEnd>;
  readonly #options: OutputRunOptions;
  #end!: (end: JobEnd) => void;
  #held: HeldProgramme<WholeProgramme> | undefined;
  #output: OpenOutput | undefined;
  #timer: Timer | undefined;
  #removeSink: (() => void) | undefined;
  #endCounts: (() => void) | undefined;
  #isOver = false;
  /** Resolves when it is open, or has failed to be. */
  readonly #opened: Promise<void>;

  constructor(options: OutputRunOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#opened = this.#open().catch((error: unknown) => this.#fail(reasonOf(error)));
  }

  async #open(): Promise<void> {
    const { job, spec, programmes, clock, open, report, counts } = this.#options;
    this.#held = await programmes.hold(job.room, spec);
    if (this.#isOver) return;
    const { programme } = this.#held;
    const output = await open(job, programme, (message) => this.#fail(message));
    this.#output = output;
    this.#endCounts = counts.add(() => output.counts());
    if (this.#isOver) return;
    this.#removeSink = programme.add({
      onSound: () => undefined,
      onPicture: () => undefined,
      onEnd: () => this.#fail("the room was closed"),
    });
    report(this.#report());
    this.#timer = every(clock, REPORT_EVERY_MS, () => report(this.#report()));
  }

  /** What is wrong with the programme is said where nothing worse is. */
  #report(): JobReport {
    const report = this.#output!.report();
    const problem = this.#held?.programme.problem ?? "";
    return problem === "" || (report.message ?? "") !== "" ? report : { ...report, message: problem };
  }

  #fail(message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // What is being opened is closed once it is open.
    void this.#opened.then(() => this.#close(true)).finally(() => this.#end({ failed: true, message }));
  }

  async stop(reason: StopReason): Promise<void> {
    const wasOver = this.#isOver;
    this.#isOver = true;
    await this.#opened;
    if (!wasOver) await this.#close(reason !== "deleted");
    this.#end({ failed: false, message: "" });
  }

  async #close(goesOn: boolean): Promise<void> {
    this.#timer?.cancel();
    this.#removeSink?.();
    try {
      await this.#output?.close(goesOn);
    } finally {
      this.#endCounts?.();
      this.#held?.release();
    }
  }
}
