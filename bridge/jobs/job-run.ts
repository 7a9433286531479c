/** One output that this bridge does: started, started again when it fails, stopped once. */
import type { Clock, Random, Timer } from "../../core/clock.ts";
import type { OutputJob } from "../../core/wire/bridge-jobs.ts";
import { withoutKeys } from "../../core/wire/hidden-url.ts";
import { MAX_RESTART_MS, RESTART_FORGIVEN_MS, RESTART_MS, STOP_TIMEOUT_MS } from "./limits.ts";
import {
  type JobEnd,
  type JobLog,
  type JobReport,
  type RunningJob,
  reasonOf,
  type StartJob,
  type StopReason,
} from "./running-job.ts";

export interface JobRunOptions {
  job: OutputJob;
  start: StartJob;
  report(report: JobReport): void;
  clock: Clock;
  random: Random;
  log: JobLog;
}

export class JobRun {
  readonly #options: JobRunOptions;
  /** Of this start: what is left of earlier ones says nothing any more. */
  #current: object | undefined;
  #running: RunningJob | undefined;
  #startedUs = 0;
  #failures = 0;
  #last: JobReport = { state: "starting" };
  #restart: Timer | undefined;
  #stopped: Promise<void> | undefined;

  /** Starts it. */
  constructor(options: JobRunOptions) {
    this.#options = options;
    this.#start();
  }

  /** Times that it failed since it last ran for long. */
  get failures(): number {
    return this.#failures;
  }

  get type(): OutputJob["spec"]["type"] {
    return this.#options.job.spec.type;
  }

  /** What it reported last. */
  get last(): JobReport {
    return this.#last;
  }

  /** Resolves when nothing of it is left, or it is given up as stuck. Every call waits for the same stop. */
  stop(reason: StopReason): Promise<void> {
    this.#stopped ??= this.#stop(reason);
    return this.#stopped;
  }

  #start(): void {
    const { job, start, clock } = this.#options;
    this.#restart = undefined;
    this.#startedUs = clock.nowUs();
    this.#report({ state: "starting" });
    const current = {};
    this.#current = current;
    const onEnd = (end: JobEnd): void => {
      if (this.#current === current && !this.#stopped) this.#onEnd(end);
    };
    try {
      this.#running = start(job, (news) => {
        if (this.#current === current && !this.#stopped) this.#report(news);
      });
      this.#running.ended.then(onEnd, (error: unknown) => onEnd({ failed: true, message: reasonOf(error) }));
    } catch (error) {
      onEnd({ failed: true, message: reasonOf(error) });
    }
  }

  #onEnd({ failed, message: said }: JobEnd): void {
    const { job, clock, random, log } = this.#options;
    const message = withoutKeys(said, job.spec);
    this.#current = undefined;
    this.#running = undefined;
    if (!failed) {
      this.#report({ state: "ended", message });
      return;
    }
    if (clock.nowUs() - this.#startedUs >= RESTART_FORGIVEN_MS * 1000) this.#failures = 0;
    const delayMs = Math.min(MAX_RESTART_MS, RESTART_MS * 2 ** this.#failures) * (0.5 + random());
    this.#failures += 1;
    log("warn", "a job failed and is started again", { job: job.id, room: job.room, message, delayMs });
    this.#report({ state: "failed", message });
    this.#restart = clock.after(delayMs, () => this.#start());
  }

  /** What is said to everybody names no stream key, whoever wrote it. */
  #report(news: JobReport): void {
    const { job, report } = this.#options;
    const { message = "", targets } = news;
    this.#last = news;
    report({
      ...news,
      message: withoutKeys(message, job.spec),
      ...(targets && {
        targets: targets.map((target) => ({
          ...target,
          name: withoutKeys(target.name, job.spec),
          message: withoutKeys(target.message, job.spec),
        })),
      }),
    });
  }

  async #stop(reason: StopReason): Promise<void> {
    const { job, clock, log } = this.#options;
    this.#restart?.cancel();
    const running = this.#running;
    if (!running) return;
    let deadline: Timer | undefined;
    const tooLate = new Promise<"stuck">((resolve) => {
      deadline = clock.after(STOP_TIMEOUT_MS, () => resolve("stuck"));
    });
    try {
      const outcome = await Promise.race([running.stop(reason), tooLate]);
      if (outcome === "stuck") log("error", "a job does not stop and is left to itself", { job: job.id });
    } catch (error) {
      log("error", "a job failed while it stopped", {
        job: job.id,
        error: withoutKeys(reasonOf(error), job.spec),
      });
    } finally {
      deadline?.cancel();
    }
  }
}
