/**
 * Parts of a programme into one growing fragmented MP4, which can be played at any moment, and its index. A kill loses at most what is not
 * appended yet, which is a part in progress while the storage is quick.
 */
import type { Clock, Random } from "../../core/clock.ts";
import type { InitSegment, MediaPart, MediaPartSink } from "../fmp4/media-part.ts";
import type { Appending, Storage, StorageError } from "../storage/storage.ts";
import { AppendQueue } from "./append-queue.ts";
import { MAX_CLOSE_MS } from "./limits.ts";
import { type FramedPart, type FramingLoss, PartFraming } from "./part-framing.ts";
import type { RecordingIndex } from "./recording-index.ts";
import type { MediaKeys } from "./recording-record.ts";

export type RecordingLog = (
  level: "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;

export type LossReason = FramingLoss | "queue-full" | "too-long" | "closed";
export type Losses = Partial<Record<LossReason, number>>;

export interface PartFileOptions {
  storage: Storage;
  clock: Clock;
  random: Random;
  log: RecordingLog;
  /** What log lines say of it: which recording, which file. */
  fields: Record<string, string>;
  keys: MediaKeys;
  /** What the file holds already, and the file. */
  index: RecordingIndex;
  lastInit: Uint8Array | undefined;
  growing: Appending;
  /** Parts that were lost before. */
  lost: Losses;
  maxQueuedBytes: number;
  /** It has its first part. */
  onFirst(): void;
  /** A part was taken. */
  onTaken?(init: InitSegment, part: MediaPart): void;
  /** A part is in the file that everybody was shown, up to this capture time, microseconds. */
  onShown?(untilUs: number): void;
}

export class PartFile implements MediaPartSink {
  readonly #options: PartFileOptions;
  readonly #framing: PartFraming;
  readonly #queue: AppendQueue;
  readonly #lost: Losses;
  #problem: StorageError | undefined;
  #init: InitSegment | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: PartFileOptions) {
    const { index, lastInit, growing, clock, random, maxQueuedBytes } = options;
    this.#options = options;
    this.#lost = { ...options.lost };
    this.#framing = new PartFraming({ inits: index.inits.length, lastInit, fileUs: index.fileUs });
    const onProblem = (error: StorageError | undefined): void => this.#onProblem(error);
    this.#queue = new AppendQueue({ growing, clock, random, maxQueuedBytes, onProblem });
  }

  /** What can be played now. */
  get index(): RecordingIndex {
    return this.#options.index;
  }

  /** Parts that are not in the file, by reason. */
  get lost(): Readonly<Losses> {
    return this.#lost;
  }

  /** What the storage refuses it for now. */
  get problem(): StorageError | undefined {
    return this.#problem;
  }

  /** Bytes that the storage has not taken yet. */
  get queuedBytes(): number {
    return this.#queue.queuedBytes;
  }

  onInit(init: InitSegment): void {
    this.#init = init;
    const loss = this.#framing.init(init);
    const { log, fields } = this.#options;
    if (loss !== undefined) log("warn", "init segment refused", { ...fields, loss });
  }

  onPart(part: MediaPart): void {
    const loss = this.#refusalOf(part);
    if (loss !== undefined) return this.#lose(loss);
    const framed = this.#framing.part(part);
    if (typeof framed === "string") return this.#lose(framed);
    const bytes = framed.init === undefined ? [framed.bytes] : [framed.init.bytes, framed.bytes];
    const isShown = part.shown === true;
    this.#queue.push(bytes, () => this.#onSafe(framed, isShown));
    if (this.#init !== undefined) this.#options.onTaken?.(this.#init, part);
  }

  /** Takes no more; resolves when all that came is safe, or given up after MAX_CLOSE_MS. */
  drain(): Promise<void> {
    this.#closing ??= this.#queue.close(MAX_CLOSE_MS).then((lost) => {
      if (lost > 0) this.#lost.closed = (this.#lost.closed ?? 0) + lost;
    });
    return this.#closing;
  }

  /** Rejects with StorageError. */
  async saveIndex(): Promise<void> {
    const { storage, keys } = this.#options;
    await storage.put(keys.index, new TextEncoder().encode(this.index.toJson()), "application/json");
  }

  /** Drained, it becomes a whole object. Rejects with StorageError. */
  finish(): Promise<void> {
    return this.#options.growing.finish();
  }

  /** Why a part is not taken, before its bytes are looked at. */
  #refusalOf(part: MediaPart): LossReason | undefined {
    if (this.#closing !== undefined) return "closed";
    if (this.index.isFull) return "too-long";
    // With room for an init segment and a mark.
    return this.#queue.hasRoom(part.bytes.length + (this.#init?.bytes.length ?? 0) + 64)
      ? undefined
      : "queue-full";
  }

  #lose(reason: LossReason): void {
    this.#framing.break();
    // A programme is joined in the midst of a segment: that is no loss.
    if (reason === "before-segment" && this.index.segments.length === 0) return;
    const before = this.#lost[reason] ?? 0;
    this.#lost[reason] = before + 1;
    const { log, fields } = this.#options;
    if (before === 0) log("warn", "parts of a recording are lost", { ...fields, reason });
  }

  #onSafe({ init, bytes, mark }: FramedPart, isShown: boolean): void {
    const isFirst = this.index.segments.length === 0;
    if (init !== undefined) this.index.addInit(init.bytes.length, init.picture);
    this.index.addPart(mark, bytes.length);
    if (isShown) this.#options.onShown?.(mark.startUs + mark.durationUs);
    if (isFirst) this.#options.onFirst();
  }

  #onProblem(error: StorageError | undefined): void {
    const { log, fields } = this.#options;
    if (this.#problem?.message !== error?.message) {
      if (error === undefined) log("info", "storage takes the recording again", fields);
      else log("error", error.message, fields);
    }
    this.#problem = error;
  }
}
