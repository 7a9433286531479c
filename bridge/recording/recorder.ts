/**
 * Records a programme's parts: one growing fragmented MP4, which can be played at any moment, its index and its record. A kill loses at most
 * what is not appended yet, which is a part in progress while the storage is quick.
 */
import { type Clock, every, type Random, type Timer } from "../../core/clock.ts";
import type { RecordingInfo } from "../../core/wire/bridge-jobs.ts";
import { MAX_STATUS_CHARS } from "../../core/wire/limits.ts";
import type { InitSegment, MediaPart, MediaPartSink } from "../fmp4/media-part.ts";
import type { Appending, Storage, StorageError } from "../storage/storage.ts";
import { AppendQueue } from "./append-queue.ts";
import { CHECKPOINT_MS, MAX_CLOSE_MS } from "./limits.ts";
import { type FramedPart, type FramingLoss, PartFraming } from "./part-framing.ts";
import { type MakePoster, poster } from "./poster.ts";
import type { RecordingIndex } from "./recording-index.ts";
import { figuresOf, keysOf, type StoredRecord, saveRecord, withParticipants } from "./recording-record.ts";

export type RecordingLog = (
  level: "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;

export type LossReason = FramingLoss | "queue-full" | "too-long" | "closed";

export interface RecorderStatus {
  state: "recording" | "storage-failing" | "ended";
  /** For people; empty while nothing is wrong. */
  message: string;
  durationMs: number;
  bytes: number;
  /** Bytes that the storage has not taken yet. */
  queuedBytes: number;
  /** Parts that are in no file, by reason. */
  lost: Readonly<Partial<Record<LossReason, number>>>;
}

export interface RecorderOptions {
  storage: Storage;
  clock: Clock;
  random: Random;
  log: RecordingLog;
  record: StoredRecord;
  /** What the file holds already, and the file. */
  index: RecordingIndex;
  lastInit: Uint8Array | undefined;
  growing: Appending;
  /** Everybody who was in the room since it began. */
  participants(): RecordingInfo["participants"];
  makePoster: MakePoster | undefined;
  /** The record has changed. */
  onRecord(record: StoredRecord): void;
  onEnded(): void;
}

export class Recorder implements MediaPartSink {
  readonly #options: RecorderOptions;
  readonly #framing: PartFraming;
  readonly #queue: AppendQueue;
  readonly #lost: Partial<Record<LossReason, number>>;
  readonly #checkpoints: Timer;
  /** Another process began it; its times are not of this one's writer of parts. */
  readonly goesOn: boolean;
  #record: StoredRecord;
  #isShown = false;
  #problem: StorageError | undefined;
  #saving: Promise<void> | undefined;
  #poster: Promise<void> | undefined;
  #init: InitSegment | undefined;
  #triesPoster: boolean;
  #closing: Promise<RecordingInfo> | undefined;
  #ended = false;

  constructor(options: RecorderOptions) {
    const { index, lastInit, growing, clock, random, record } = options;
    this.#options = options;
    this.#record = record;
    this.goesOn = index.inits.length > 0;
    this.#lost = { ...record.lost };
    this.#triesPoster = options.makePoster !== undefined && record.info.posterPath === null;
    this.#framing = new PartFraming({ inits: index.inits.length, lastInit, fileUs: index.fileUs });
    this.#queue = new AppendQueue({ growing, clock, random, onProblem: (error) => this.#onProblem(error) });
    this.#checkpoints = every(clock, CHECKPOINT_MS, () => void this.checkpoint());
  }

  get id(): string {
    return this.#record.info.id;
  }

  get jobId(): string {
    return this.#record.jobId;
  }

  /** What can be played now. */
  get index(): RecordingIndex {
    return this.#options.index;
  }

  get info(): RecordingInfo {
    return this.#record.info;
  }

  /** What it records is being shown to everybody. */
  get isShown(): boolean {
    return this.#isShown;
  }

  get status(): RecorderStatus {
    const { durationMs, bytes } = figuresOf(this.index);
    const lost = Object.values(this.#lost).reduce((sum, count) => sum + count, 0);
    const missing = lost === 0 ? "" : ` ${lost} parts of this recording are lost.`;
    const message = this.#problem === undefined ? missing.trim() : `${this.#problem.message}${missing}`;
    return {
      state: this.#ended ? "ended" : this.#problem === undefined ? "recording" : "storage-failing",
      message: message.slice(0, MAX_STATUS_CHARS),
      durationMs,
      bytes,
      queuedBytes: this.#queue.queuedBytes,
      lost: this.#lost,
    };
  }

  onInit(init: InitSegment): void {
    this.#init = init;
    const loss = this.#framing.init(init);
    if (loss !== undefined) this.#options.log("warn", "init segment refused", { recording: this.id, loss });
  }

  onPart(part: MediaPart): void {
    this.#isShown = part.shown === true;
    const loss = this.#refusalOf(part);
    if (loss !== undefined) return this.#lose(loss);
    const framed = this.#framing.part(part);
    if (typeof framed === "string") return this.#lose(framed);
    const bytes = framed.init === undefined ? [framed.bytes] : [framed.init.bytes, framed.bytes];
    this.#queue.push(bytes, () => this.#onSafe(framed, part.shown === true));
    if (this.#triesPoster && part.independent && this.#init?.resolution !== undefined) {
      this.#triesPoster = false;
      this.#poster = this.#makePoster(this.#init, part);
    }
  }

  onEnd(): void {
    void this.close("complete");
  }

  /**
   * Ends the recording: all that came is written, then the record says `state`; with "recording" it is left to be gone on with. Never
   * rejects; what could not be written is for a later repair.
   */
  close(state: RecordingInfo["state"]): Promise<RecordingInfo> {
    this.#closing ??= this.#close(state);
    return this.#closing;
  }

  /** Saves index and record as they are now; one at a time. */
  checkpoint(): Promise<void> {
    this.#saving ??= this.#save()
      .catch((error: unknown) => {
        this.#options.log("warn", "a recording's index could not be saved", {
          recording: this.id,
          error: String(error),
        });
      })
      .finally(() => {
        this.#saving = undefined;
      });
    return this.#saving;
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
    if (before === 0)
      this.#options.log("warn", "parts of a recording are lost", { recording: this.id, reason });
  }

  #onSafe({ init, bytes, mark }: FramedPart, shown: boolean): void {
    const isFirst = this.index.segments.length === 0;
    if (init !== undefined) this.index.addInit(init.bytes.length, init.picture);
    this.index.addPart(mark, bytes.length);
    if (shown) {
      const shownUntilUs = Math.max(this.#record.shownUntilUs ?? 0, mark.startUs + mark.durationUs);
      this.#record = { ...this.#record, shownUntilUs };
    }
    if (isFirst) void this.checkpoint();
  }

  #onProblem(error: StorageError | undefined): void {
    if (this.#problem?.message !== error?.message) {
      if (error === undefined)
        this.#options.log("info", "storage takes the recording again", { recording: this.id });
      else this.#options.log("error", error.message, { recording: this.id });
    }
    this.#problem = error;
  }

  async #save(): Promise<void> {
    const { storage } = this.#options;
    const json = new TextEncoder().encode(this.index.toJson());
    await this.#saveRecord({});
    await storage.put(keysOf(this.id).index, json, "application/json");
  }

  async #saveRecord(change: Partial<RecordingInfo>): Promise<void> {
    const { storage, participants, onRecord } = this.#options;
    const before = this.#record.info;
    const info = {
      ...before,
      ...figuresOf(this.index),
      participants: withParticipants(before.participants, participants()),
      ...change,
    };
    this.#record = { ...this.#record, info, lost: { ...this.#lost } as Record<string, number> };
    onRecord(this.#record);
    await saveRecord(storage, this.#record);
  }

  async #makePoster(init: InitSegment, part: MediaPart): Promise<void> {
    const { storage, clock, log, makePoster } = this.#options;
    try {
      const jpeg = await poster(makePoster!, init.bytes, part.bytes, clock);
      if (jpeg === undefined) return;
      await storage.put(keysOf(this.id).poster, jpeg, "image/jpeg");
      const posterPath = `recordings/${this.id}/poster.jpg`;
      this.#record = { ...this.#record, info: { ...this.#record.info, posterPath } };
      await this.checkpoint();
    } catch (error) {
      log("warn", "a recording has no poster", { recording: this.id, error: String(error) });
    }
  }

  async #close(state: RecordingInfo["state"]): Promise<RecordingInfo> {
    const { growing, clock, log } = this.#options;
    this.#checkpoints.cancel();
    const lost = await this.#queue.close(MAX_CLOSE_MS);
    if (lost > 0) this.#lost.closed = (this.#lost.closed ?? 0) + lost;
    try {
      if (state !== "recording") await growing.finish();
      // Nothing is written behind the end: the recording may be deleted then.
      await this.#poster;
      await this.#saving;
      await this.#save();
      const endedAt = state === "recording" ? null : new Date(clock.nowUs() / 1000).toISOString();
      await this.#saveRecord({ state, endedAt });
    } catch (error) {
      // Its record says that it goes on, so that the next bridge repairs it.
      log("error", "a recording could not be ended", { recording: this.id, error: String(error) });
    }
    this.#ended = true;
    this.#options.onEnded();
    return this.#record.info;
  }
}
