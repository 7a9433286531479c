/** Records a programme: its parts as one file, files of single participants beside it where they are asked for, a poster, and the record of it all. */
import { type Clock, every, type Random, type Timer } from "../../core/clock.ts";
import type { RecordingInfo } from "../../core/wire/bridge-jobs.ts";
import { MAX_STATUS_CHARS } from "../../core/wire/limits.ts";
import type { InitSegment, MediaPart, MediaPartSink } from "../fmp4/media-part.ts";
import type { Appending, Storage } from "../storage/storage.ts";
import { CHECKPOINT_MS, MAX_QUEUED_BYTES } from "./limits.ts";
import { type Losses, PartFile, type RecordingLog } from "./part-file.ts";
import { type FileRefusal, type ParticipantFile, ParticipantFiles } from "./participant-files.ts";
import { type MakePoster, poster } from "./poster.ts";
import type { RecordingIndex } from "./recording-index.ts";
import { figuresOf, keysOf, type StoredRecord, saveRecord, withParticipants } from "./recording-record.ts";

export interface RecorderStatus {
  state: "recording" | "storage-failing" | "ended";
  /** For people; empty while nothing is wrong. */
  message: string;
  durationMs: number;
  bytes: number;
  /** Bytes that the storage has not taken yet. */
  queuedBytes: number;
  /** Parts that are in no file, by reason. */
  lost: Readonly<Losses>;
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
  readonly #parts: PartFile;
  readonly #files: ParticipantFiles;
  readonly #checkpoints: Timer;
  /** Another process began it; its times are not of this one's writer of parts. */
  readonly goesOn: boolean;
  /** Segments that are of runs before. */
  readonly #before: number;
  #record: StoredRecord;
  #isShown = false;
  #saving: Promise<void> | undefined;
  #turn: Promise<void> = Promise.resolve();
  #poster: Promise<void> | undefined;
  #triesPoster: boolean;
  #closing: Promise<RecordingInfo> | undefined;
  #ended = false;

  constructor(options: RecorderOptions) {
    const { storage, index, lastInit, growing, clock, random, record, log } = options;
    this.#options = options;
    this.#record = record;
    this.goesOn = index.inits.length > 0;
    this.#before = index.segments.length;
    this.#triesPoster = options.makePoster !== undefined && record.info.posterPath === null;
    const { id } = record.info;
    this.#parts = new PartFile({
      storage,
      clock,
      random,
      log,
      fields: { recording: id },
      keys: keysOf(id),
      index,
      lastInit,
      growing,
      lost: record.lost,
      maxQueuedBytes: MAX_QUEUED_BYTES,
      onFirst: () => void this.checkpoint(),
      onTaken: (init, part) => this.#onTaken(init, part),
      onShown: (untilUs) => this.#onShown(untilUs),
    });
    const save = (): Promise<void> => this.#saveRecord({});
    this.#files = new ParticipantFiles({ storage, clock, random, log, record, mix: index, save });
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

  /** This run of it has brought a part. */
  get hasBegun(): boolean {
    return this.index.segments.length > this.#before;
  }

  get info(): RecordingInfo {
    return this.#record.info;
  }

  /** What it records is being shown to everybody. */
  get isShown(): boolean {
    return this.#isShown;
  }

  /** As it is now, not as it was saved last. */
  get infoNow(): RecordingInfo {
    return { ...this.#record.info, ...figuresOf(this.index), files: this.#files.list };
  }

  get status(): RecorderStatus {
    const { durationMs, bytes } = figuresOf(this.index);
    const { problem, lost, queuedBytes } = this.#parts;
    const count = Object.values(lost).reduce((sum, more) => sum + more, 0);
    const missing = count === 0 ? "" : `${count} parts of this recording are lost.`;
    const { held } = this.#options.storage;
    const waits =
      held === undefined
        ? ""
        : `${held.message} What is recorded is safe on this machine, and is sent when that is over.`;
    const sentences = [problem?.message, waits, missing, this.#files.message].filter((text) => text);
    return {
      state: this.#ended ? "ended" : problem === undefined ? "recording" : "storage-failing",
      message: sentences.join(" ").slice(0, MAX_STATUS_CHARS),
      durationMs,
      bytes,
      queuedBytes,
      lost,
    };
  }

  onInit(init: InitSegment): void {
    this.#parts.onInit(init);
  }

  onPart(part: MediaPart): void {
    this.#isShown = part.shown === true;
    this.#parts.onPart(part);
  }

  /** Begins a file of one participant beside the mix, or says why not. Rejects with StorageError. */
  beginFile(participant: { identity: string; name: string }): Promise<ParticipantFile | FileRefusal> {
    return this.#files.begin(participant);
  }

  /** Of a participant's file that is being written. */
  indexOf(file: string): RecordingIndex | undefined {
    return this.#files.indexOf(file);
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

  #onShown(untilUs: number): void {
    const shownUntilUs = Math.max(this.#record.shownUntilUs ?? 0, untilUs);
    this.#record = { ...this.#record, shownUntilUs };
  }

  #onTaken(init: InitSegment, part: MediaPart): void {
    if (!this.#triesPoster || !part.independent || init.resolution === undefined) return;
    this.#triesPoster = false;
    this.#poster = this.#makePoster(init, part);
  }

  async #save(): Promise<void> {
    await this.#saveRecord({});
    await this.#parts.saveIndex();
    await this.#files.checkpoint();
  }

  /** One after the other, so that what is newer is what stays. */
  #saveRecord(change: Partial<RecordingInfo>): Promise<void> {
    const saved = this.#turn.then(() => this.#writeRecord(change));
    this.#turn = saved.catch(() => undefined);
    return saved;
  }

  async #writeRecord(change: Partial<RecordingInfo>): Promise<void> {
    const { storage, participants, onRecord } = this.#options;
    const before = this.infoNow;
    const info = {
      ...before,
      participants: withParticipants(before.participants, participants()),
      ...change,
    };
    const lost = { ...this.#parts.lost } as Record<string, number>;
    this.#record = { ...this.#record, info, lost, openFiles: this.#files.open };
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
    const { clock, log } = this.#options;
    this.#checkpoints.cancel();
    await Promise.all([this.#parts.drain(), this.#files.close()]);
    try {
      if (state !== "recording") await this.#parts.finish();
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
