/**
 * Lets senders in by their stream key. Keys are looked up by their SHA-256, so that the time it takes says nothing of how much
 * of a key was right. Whoever comes with a key takes the ingest over from whoever had it, on this bridge or another, unless
 * they do so again and again. Wrong keys are counted by the servers, who know the address.
 */
import type { Clock } from "../../core/clock.ts";
import type { JobEvent } from "../../core/directory/bridge-directory.ts";
import type { IngestJob, IngestSpec } from "../../core/wire/bridge-jobs.ts";
import type { Holding, Holdings } from "./holdings.ts";
import type { KnownJobs } from "./known-jobs.ts";
import { MAX_STREAM_KEY_CHARS, MAX_TAKEOVERS, TAKEOVER_WINDOW_MS } from "./limits.ts";
import { type JobReport, reasonOf, type StopReason } from "./running-job.ts";

/** Why a sender must go: as with outputs, or somebody else came with the same key. */
export type IngestEndReason = StopReason | "taken-over";

/**
 * `unknown-key`: no ingest has it. `wrong-type`: it is for the other protocol. `flapping`: two senders take it from each other.
 * `full`, `draining`: another bridge takes it. `unavailable`: the directory does not answer, try again.
 */
export type IngestRefusal = "unknown-key" | "wrong-type" | "flapping" | "full" | "draining" | "unavailable";

/** A sender that was let in. */
export interface IngestGrant {
  readonly job: IngestJob;
  /** How it goes. */
  report(report: JobReport): void;
  /** The sender is gone. Nothing happens when it was ended already. */
  close(): Promise<void>;
}

/** `message` is for the sender and the log; the key is not in it. */
export type IngestAnswer =
  | { granted: true; grant: IngestGrant }
  | { granted: false; refusal: IngestRefusal; message: string };

interface Sender {
  readonly holding: Holding;
  readonly onEnd: (reason: IngestEndReason) => void;
}

export interface IngestKeysOptions {
  known: KnownJobs;
  holdings: Holdings;
  clock: Clock;
  /** False: the bridge takes nothing now. */
  isOpen(): boolean;
  hasSpace(): boolean;
  /** A sender came or went. */
  onChange(): void;
}

export class IngestKeys {
  readonly #options: IngestKeysOptions;
  /** Job ids by the SHA-256 of their keys, and the other way round. */
  readonly #byDigest = new Map<string, string>();
  readonly #digests = new Map<string, string>();
  readonly #senders = new Map<string, Sender>();
  /** When each ingest was taken over, seconds that are past the window left out. */
  readonly #takeovers = new Map<string, number[]>();
  /** Whoever comes for an ingest waits for whoever came before. */
  readonly #queues = new Map<string, Promise<unknown>>();
  /** Resolves when every key that was told is in the table. */
  #filled: Promise<unknown> = Promise.resolve();
  #isDraining = false;

  constructor(options: IngestKeysOptions) {
    this.#options = options;
  }

  /** Senders that are let in now. */
  get size(): number {
    return this.#senders.size;
  }

  onEvent(event: JobEvent): void {
    if (event.type === "job" && event.job.kind === "ingest")
      this.#filled = this.#add(event.job, this.#filled);
    else if (event.type === "job-gone") this.#remove(event.jobId);
  }

  /** Never rejects. `onEnd` is called at most once, not after `close`; the sender is to be cut off then. */
  async open(
    type: IngestSpec["type"],
    key: string,
    onEnd: (reason: IngestEndReason) => void,
  ): Promise<IngestAnswer> {
    const job = await this.find(key);
    if (job === undefined) return refused("unknown-key");
    if (job.spec.type !== type) return refused("wrong-type");
    const before = this.#queues.get(job.id);
    const enter = () => this.#enter(job, onEnd);
    const answer = (before ?? Promise.resolve()).then(enter, enter);
    this.#queues.set(job.id, answer);
    try {
      return await answer;
    } catch (error) {
      return refused("unavailable", reasonOf(error));
    } finally {
      if (this.#queues.get(job.id) === answer) this.#queues.delete(job.id);
    }
  }

  /** The ingest that has this key, whoever sends to it. */
  async find(key: string): Promise<IngestJob | undefined> {
    if (key.length > MAX_STREAM_KEY_CHARS) return undefined;
    const digest = await digestOf(key);
    await this.#filled;
    const jobId = this.#byDigest.get(digest);
    const job = jobId === undefined ? undefined : this.#options.known.job(jobId);
    return job?.kind === "ingest" ? job : undefined;
  }

  async endAll(reason: "draining" | "closing"): Promise<void> {
    this.#isDraining = true;
    const senders = [...this.#senders];
    this.#senders.clear();
    for (const [, { onEnd }] of senders) onEnd(reason);
    await Promise.all(senders.map(([, { holding }]) => holding.release()));
    this.#options.onChange();
  }

  async #enter(job: IngestJob, onEnd: (reason: IngestEndReason) => void): Promise<IngestAnswer> {
    const { known, holdings } = this.#options;
    if (this.#isDraining) return refused("draining");
    if (!this.#options.isOpen()) return refused("unavailable");
    const before = this.#senders.get(job.id);
    const isTakeover = before !== undefined || known.claim(job.id) !== undefined;
    if (isTakeover && !this.#mayTakeOver(job.id)) return refused("flapping");
    if (!before && !this.#options.hasSpace()) return refused("full");
    if (before) {
      this.#senders.delete(job.id);
      before.onEnd("taken-over");
    }
    const holding = before?.holding ?? (await this.#hold(job));
    if (!holding) return refused("unavailable");
    if (this.#isDraining) {
      await holding.release();
      return refused("draining");
    }
    // While it was claimed the job may have been deleted, or taken by another bridge.
    if (!holdings.has(job.id)) return refused("unavailable");
    const sender: Sender = { holding, onEnd };
    this.#senders.set(job.id, sender);
    this.#options.onChange();
    return {
      granted: true,
      grant: {
        job,
        report: (report) => {
          if (this.#senders.get(job.id) === sender) holding.report(report);
        },
        close: () => this.#leave(job.id, sender),
      },
    };
  }

  #hold(job: IngestJob): Promise<Holding | undefined> {
    return this.#options.holdings.take(job, (reason) => {
      const sender = this.#senders.get(job.id);
      this.#senders.delete(job.id);
      sender?.onEnd(reason);
      this.#options.onChange();
    });
  }

  async #leave(jobId: string, sender: Sender): Promise<void> {
    if (this.#senders.get(jobId) !== sender) return;
    this.#senders.delete(jobId);
    const released = sender.holding.release();
    const queued = (this.#queues.get(jobId) ?? Promise.resolve()).then(() => released);
    this.#queues.set(jobId, queued);
    await queued;
    if (this.#queues.get(jobId) === queued) this.#queues.delete(jobId);
    this.#options.onChange();
  }

  #mayTakeOver(jobId: string): boolean {
    const nowUs = this.#options.clock.nowUs();
    const recent = (this.#takeovers.get(jobId) ?? []).filter((us) => us > nowUs - TAKEOVER_WINDOW_MS * 1000);
    const may = recent.length < MAX_TAKEOVERS;
    if (may) recent.push(nowUs);
    this.#takeovers.set(jobId, recent);
    return may;
  }

  async #add(job: IngestJob, before: Promise<unknown>): Promise<void> {
    const digest = await digestOf(job.streamKey);
    await before;
    // Gone again meanwhile.
    if (!this.#options.known.job(job.id)) return;
    this.#byDigest.set(digest, job.id);
    this.#digests.set(job.id, digest);
  }

  #remove(jobId: string): void {
    const digest = this.#digests.get(jobId);
    this.#digests.delete(jobId);
    this.#takeovers.delete(jobId);
    if (digest !== undefined && this.#byDigest.get(digest) === jobId) this.#byDigest.delete(digest);
  }
}

const SENTENCES: Record<IngestRefusal, string> = {
  "unknown-key": "no ingest has this stream key: compare it with the one that the gateway gave",
  "wrong-type": "this stream key is for the other kind of sender: look at the type of the ingest",
  flapping: "several senders use this stream key and cut one another off: stop all but one",
  full: "this bridge has as much to do as it takes: use the address of another one",
  draining: "this bridge is being shut down: use the address of another one, or try again soon",
  unavailable: "the directory of the cluster does not answer: try again soon",
};

function refused(refusal: IngestRefusal, cause?: string): IngestAnswer {
  const message = cause === undefined ? SENTENCES[refusal] : `${SENTENCES[refusal]} (${cause})`;
  return { granted: false, refusal, message };
}

async function digestOf(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
