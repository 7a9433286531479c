/** The recordings of one bridge: begins them, goes on with those that a crash has interrupted, and ends those that nobody goes on with. */
import type { Clock, Random } from "../../core/clock.ts";
import type { RecordingInfo } from "../../core/wire/bridge-jobs.ts";
import { type Storage, StorageError } from "../storage/storage.ts";
import type { Catalogue } from "./catalogue.ts";
import { endLeftFiles } from "./left-files.ts";
import { LeftUploads } from "./left-uploads.ts";
import { MAX_LIST_WAIT_MS } from "./limits.ts";
import type { RecordingLog } from "./part-file.ts";
import type { MakePoster } from "./poster.ts";
import { Recorder } from "./recorder.ts";
import { RecordingIndex } from "./recording-index.ts";
import {
  figuresOf,
  keysOf,
  newRecord,
  newRecordingId,
  type StoredRecord,
  saveRecord,
} from "./recording-record.ts";
import { repair, savedIndex } from "./repair.ts";

export interface RecordingsOptions {
  storage: Storage;
  catalogue: Catalogue;
  clock: Clock;
  random: Random;
  log: RecordingLog;
  bridgeId: string;
  /** Undefined: recordings have no posters. */
  makePoster?: MakePoster | undefined;
}

export interface RecordingRequest {
  /** The output that is recorded; a recording of it that was not ended is gone on with. */
  jobId: string;
  room: string;
  /** Everybody who was in the room since the recording began. */
  participants(): RecordingInfo["participants"];
}

/**
 * What is to become of a recording that says it goes on but that nobody here writes: "ours" = its job is about to be given to this bridge,
 * "theirs" = another bridge has it, "nobodys" = there is no such job any more.
 */
export type Fate = "ours" | "theirs" | "nobodys";

export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #uploads: LeftUploads;
  readonly #running = new Map<string, Recorder>();
  /** Jobs whose recorder is being opened, so that recover() leaves them. */
  readonly #opening = new Set<string>();

  constructor(options: RecordingsOptions) {
    this.#options = options;
    this.#uploads = new LeftUploads(options);
  }

  /** Recorders that write now. */
  get running(): readonly Recorder[] {
    return [...this.#running.values()];
  }

  /** The recorder that writes this recording. */
  recorder(id: string): Recorder | undefined {
    return this.#running.get(id);
  }

  /** Begins or goes on with the recording of a job. Rejects with StorageError, and with RangeError when the job is being recorded. */
  async open(request: RecordingRequest): Promise<Recorder> {
    const { jobId } = request;
    if (this.#opening.has(jobId) || this.running.some((recorder) => recorder.jobId === jobId)) {
      throw new RangeError(`The output ${jobId} is being recorded already: end that first.`);
    }
    this.#opening.add(jobId);
    try {
      return await this.#open(request);
    } finally {
      this.#opening.delete(jobId);
    }
  }

  /**
   * Looks for recordings that nobody writes, and ends those whose job is nobody's: state "interrupted", file repaired. Returns how many.
   * To be called once the bridge knows its jobs, and now and then.
   */
  async recover(fateOf: (record: StoredRecord) => Promise<Fate>): Promise<{ ended: number; left: number }> {
    const { catalogue, log, storage } = this.#options;
    const counts = { ended: 0, left: 0 };
    await catalogue.refresh();
    for (const record of await catalogue.records()) {
      const goesOn = record.info.state === "recording";
      if ((!goesOn && record.openFiles.length === 0) || this.#isBusy(record)) continue;
      if (goesOn && (await fateOf(record)) !== "nobodys") {
        counts.left += 1;
        continue;
      }
      try {
        if (goesOn) await this.#endInterrupted(record);
        else
          await this.#endFiles(
            record,
            (await savedIndex(storage, keysOf(record.info.id))) ?? new RecordingIndex(),
          );
        counts.ended += 1;
      } catch (error) {
        counts.left += 1;
        log("error", "an interrupted recording could not be repaired", {
          recording: record.info.id,
          error: String(error),
        });
      }
    }
    await this.#uploads.look();
    return counts;
  }

  /** Ends all that run. */
  async close(state: "complete" | "interrupted"): Promise<void> {
    await Promise.all(this.running.map((recorder) => recorder.close(state)));
  }

  #isBusy({ info, jobId }: StoredRecord): boolean {
    return this.#running.has(info.id) || this.#opening.has(jobId);
  }

  async #open({ jobId, room, participants }: RecordingRequest): Promise<Recorder> {
    const { storage, catalogue, clock, random, log, bridgeId, makePoster } = this.#options;
    const left = await this.#leftOf(jobId);
    const id = left?.info.id ?? newRecordingId();
    const record: StoredRecord = left
      ? { ...left, bridgeId }
      : newRecord(id, { jobId, bridgeId, room }, clock);
    const isNew = left === undefined;
    if (left !== undefined) await this.#uploads.giveWay(left);
    const growing = await storage.append(keysOf(id).media, "video/mp4", isNew);
    const { index, lastInit } = isNew
      ? { index: new RecordingIndex(), lastInit: undefined }
      : await repair(storage, keysOf(id));
    if (left !== undefined) {
      log("info", "goes on with a recording", {
        recording: id,
        room,
        cutBytes: growing.safeBytes - index.bytes,
      });
    }
    if (growing.safeBytes > index.bytes) await growing.cut(index.bytes);
    await saveRecord(storage, record);
    catalogue.note(record);
    const recorder = new Recorder({
      storage,
      clock,
      random,
      log,
      record,
      index,
      lastInit,
      growing,
      participants,
      makePoster,
      onRecord: (changed) => catalogue.note(changed),
      onEnded: () => void this.#running.delete(id),
    });
    this.#running.set(id, recorder);
    return recorder;
  }

  /**
   * The recording of a job that is to be gone on with. A storage that does not answer keeps nobody from recording: then what is known here counts, and
   * a new one begins; a little later where this machine has part of one that may be meant.
   */
  async #leftOf(jobId: string): Promise<StoredRecord | undefined> {
    const { catalogue, clock, log, storage } = this.#options;
    const untilUs = clock.nowUs() + MAX_LIST_WAIT_MS * 1000;
    const mayBeMeant = (): boolean => {
      const known = new Set(catalogue.known.map(({ info }) => keysOf(info.id).media));
      return (storage.left ?? []).some((key) => key.endsWith("/media.mp4") && !known.has(key));
    };
    const refresh = async (): Promise<void> => {
      try {
        await catalogue.refresh();
      } catch (error) {
        if (!(error instanceof StorageError && error.temporary)) throw error;
        if (mayBeMeant() && clock.nowUs() < untilUs) return refresh();
        log("warn", "recordings cannot be listed: what is recorded now is kept here, and sent later", {
          error: error.message,
        });
      }
    };
    await withinMs(clock, MAX_LIST_WAIT_MS, refresh());
    return catalogue.known.find((record) => record.jobId === jobId && record.info.state === "recording");
  }

  async #endInterrupted(record: StoredRecord): Promise<void> {
    const { storage, bridgeId, log } = this.#options;
    const { id } = record.info;
    await this.#uploads.giveWay(record);
    const growing = await storage.append(keysOf(id).media, "video/mp4");
    const { index } = await repair(storage, keysOf(id));
    const cutBytes = growing.safeBytes - index.bytes;
    if (cutBytes > 0) await growing.cut(index.bytes);
    await growing.finish();
    await storage.put(keysOf(id).index, new TextEncoder().encode(index.toJson()), "application/json");
    const last = index.segments.at(-1);
    const endedAt = last
      ? new Date((last.startUs + last.durationUs) / 1000).toISOString()
      : record.info.startedAt;
    const info: RecordingInfo = { ...record.info, ...figuresOf(index), state: "interrupted", endedAt };
    await this.#endFiles({ ...record, bridgeId, info }, index);
    log("info", "an interrupted recording was repaired and ended", { recording: id, cutBytes });
  }

  /** Ends files of participants that were left, and saves the record. Rejects with StorageError. */
  async #endFiles(record: StoredRecord, mix: RecordingIndex): Promise<void> {
    const { storage, catalogue } = this.#options;
    const files = await endLeftFiles(storage, record, mix);
    const whole: StoredRecord = { ...record, info: { ...record.info, files }, openFiles: [] };
    await saveRecord(storage, whole);
    catalogue.note(whole);
  }
}

/** Resolves with the task, or after so long without it; rejects with it before. */
async function withinMs(clock: Clock, ms: number, task: Promise<unknown>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = clock.after(ms, resolve);
    task.then(() => resolve(), reject).finally(() => timer.cancel());
  });
}
