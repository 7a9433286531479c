/** Tells the directory how one job goes: soon when something changes for people, seldom while only figures do. */
import type { Clock, Timer } from "../../core/clock.ts";
import type { JobStatus } from "../../core/wire/bridge-jobs.ts";
import { MAX_STATUS_CHARS } from "../../core/wire/limits.ts";
import { STATUS_CHANGE_MS, STATUS_INTERVAL_MS } from "./limits.ts";
import type { JobReport } from "./running-job.ts";

export class StatusReporter {
  readonly #clock: Clock;
  readonly #whose: { jobId: string; bridgeId: string };
  /** Writes a status; rejects when it was not written, and it is tried again. */
  readonly #send: (status: JobStatus) => Promise<void>;
  #status: JobStatus | undefined;
  /** What the directory has, as text. */
  #sent = "";
  #sentSummary = "";
  #sentUs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #dueUs = Number.POSITIVE_INFINITY;
  #isSending = false;
  #isOver = false;

  constructor(
    clock: Clock,
    whose: { jobId: string; bridgeId: string },
    send: (status: JobStatus) => Promise<void>,
  ) {
    this.#clock = clock;
    this.#whose = whose;
    this.#send = send;
  }

  take(report: JobReport): void {
    const before = this.#status;
    const nowMs = this.#clock.nowUs() / 1000;
    this.#status = {
      latencyMs: null,
      ...report,
      ...this.#whose,
      message: cut(report.message ?? ""),
      ...(report.targets && {
        targets: report.targets.map((target) => ({ ...target, message: cut(target.message) })),
      }),
      since: before?.state === report.state ? before.since : new Date(nowMs).toISOString(),
    };
    this.#schedule();
  }

  /** The directory has lost what it was told. */
  again(): void {
    this.#sent = "";
    this.#sentSummary = "";
    this.#schedule();
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    const status = this.#status;
    if (this.#isOver || this.#isSending || !status || JSON.stringify(status) === this.#sent) return;
    const waitMs = summaryOf(status) === this.#sentSummary ? STATUS_INTERVAL_MS : STATUS_CHANGE_MS;
    const dueUs = this.#sentUs + waitMs * 1000;
    if (this.#timer && this.#dueUs <= dueUs) return;
    this.#timer?.cancel();
    this.#dueUs = dueUs;
    this.#timer = this.#clock.after(
      Math.max(0, (dueUs - this.#clock.nowUs()) / 1000),
      () => void this.#write(),
    );
  }

  async #write(): Promise<void> {
    const status = this.#status;
    this.#timer = undefined;
    if (this.#isOver || !status) return;
    this.#isSending = true;
    this.#sentUs = this.#clock.nowUs();
    try {
      await this.#send(status);
      this.#sent = JSON.stringify(status);
      this.#sentSummary = summaryOf(status);
    } catch {
      // Told again after the longer interval; whoever reads meanwhile sees what was told before.
      this.#sentSummary = summaryOf(status);
    }
    this.#isSending = false;
    this.#schedule();
  }
}

/** What people act on. */
function summaryOf({ state, message, url, targets }: JobStatus): string {
  return JSON.stringify([state, message, url, targets?.map((target) => [target.state, target.message])]);
}

function cut(sentence: string): string {
  return sentence.length <= MAX_STATUS_CHARS ? sentence : `${sentence.slice(0, MAX_STATUS_CHARS - 1)}…`;
}
