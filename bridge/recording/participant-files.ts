/**
 * The files of single participants beside a recording's mix. One file is one stay: it begins when somebody publishes and ends when they are gone,
 * or with the bridge's run; whoever comes back, and a bridge that goes on, begins another one. So none has a hole, and where it begins on the
 * mix's timeline is one number.
 */
import type { Clock, Random } from "../../core/clock.ts";
import type { RecordingInfo } from "../../core/wire/bridge-jobs.ts";
import type { MediaPartSink } from "../fmp4/media-part.ts";
import type { Storage } from "../storage/storage.ts";
import { byName, endLeftFile, fileInfoOf, inOrder } from "./left-files.ts";
import { MAX_OPEN_PARTICIPANT_FILES, MAX_PARTICIPANT_FILES, MAX_QUEUED_FILE_BYTES } from "./limits.ts";
import { PartFile, type RecordingLog } from "./part-file.ts";
import { RecordingIndex } from "./recording-index.ts";
import { fileKeysOf, type ParticipantFileInfo, type StoredRecord } from "./recording-record.ts";

/** Why somebody gets no file. */
export type FileRefusal = "too-many-files" | "too-many-at-once" | "closed";

/** A file that is being written. */
export interface ParticipantFile {
  sink: MediaPartSink;
  /** Resolves when it is whole and listed. Never rejects; what could not be written is for a later repair. */
  end(): Promise<void>;
}

interface Open {
  entry: StoredRecord["openFiles"][number];
  /** Undefined while it is being opened. */
  parts: PartFile | undefined;
  opened: Promise<void>;
  ending: Promise<void> | undefined;
}

export interface ParticipantFilesOptions {
  storage: Storage;
  clock: Clock;
  random: Random;
  log: RecordingLog;
  /** Of the recording, as it was left. */
  record: StoredRecord;
  /** Of the mix. */
  mix: RecordingIndex;
  /** Saves the record as it is now. Rejects with StorageError. */
  save(): Promise<void>;
}

export class ParticipantFiles {
  /** How often somebody got no file, by reason. */
  readonly refused: Partial<Record<FileRefusal, number>> = {};
  readonly #options: ParticipantFilesOptions;
  /** By name; those that were left as their bridge saw them last, until they are ended. */
  readonly #ended: Map<string, ParticipantFileInfo>;
  readonly #open = new Map<string, Open>();
  /** That a bridge before has left. */
  #left: StoredRecord["openFiles"];
  #repairing: Promise<void>;
  #last: number;
  #closing: Promise<void> | undefined;

  constructor(options: ParticipantFilesOptions) {
    const { info, openFiles } = options.record;
    this.#options = options;
    this.#ended = byName(info.files);
    this.#left = openFiles;
    this.#last = Math.max(0, ...[...info.files, ...openFiles].map(({ file }) => Number.parseInt(file, 10)));
    this.#repairing = this.#repair();
  }

  /** In the order in which they began; those that have nothing yet are not among them. */
  get list(): RecordingInfo["files"] {
    const { record, mix } = this.#options;
    const open = [...this.#open.values()].flatMap(
      ({ entry, parts }) => (parts && fileInfoOf(record.info.id, entry, parts.index, mix)) ?? [],
    );
    return inOrder([...this.#ended.values(), ...open]);
  }

  /** Whose end is not known to the record yet. */
  get open(): StoredRecord["openFiles"] {
    return [...this.#left, ...[...this.#open.values()].map(({ entry }) => entry)];
  }

  /** Of a file that is being written. */
  indexOf(file: string): RecordingIndex | undefined {
    return this.#open.get(file)?.parts?.index;
  }

  /** For people; empty while everybody has a file. */
  get message(): string {
    const refused = Object.values(this.refused).reduce((sum, count) => sum + count, 0);
    if (refused === 0) return "";
    return `${refused} participants have no file of their own: ${MAX_OPEN_PARTICIPANT_FILES} are written at once, ${MAX_PARTICIPANT_FILES} in all.`;
  }

  /** Begins a file. Rejects with StorageError. */
  async begin({
    identity,
    name,
  }: {
    identity: string;
    name: string;
  }): Promise<ParticipantFile | FileRefusal> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return this.#refuse(refusal, identity);
    const file = `${++this.#last}.mp4`;
    const open: Open = {
      entry: { file, identity, name },
      parts: undefined,
      opened: Promise.resolve(),
      ending: undefined,
    };
    this.#open.set(file, open);
    open.opened = this.#openParts(open);
    try {
      await open.opened;
    } catch (error) {
      this.#open.delete(file);
      throw error;
    }
    const { parts } = open;
    // The recording may have ended meanwhile.
    if (parts === undefined || open.ending !== undefined) return "closed";
    return { sink: parts, end: () => this.#end(open) };
  }

  async #openParts(open: Open): Promise<void> {
    const { storage, record, save, clock, random, log } = this.#options;
    const { file } = open.entry;
    const { id } = record.info;
    // Known before it is there: what a crash leaves of it is found again.
    await save();
    const keys = fileKeysOf(id, file);
    const growing = await storage.append(keys.media, "video/mp4", true);
    open.parts = new PartFile({
      storage,
      clock,
      random,
      log,
      fields: { recording: id, file },
      keys,
      index: new RecordingIndex(),
      lastInit: undefined,
      growing,
      lost: {},
      maxQueuedBytes: MAX_QUEUED_FILE_BYTES,
      onFirst: () => void this.#note(),
    });
  }

  /** Saves the indexes of what is open. Rejects with StorageError. */
  async checkpoint(): Promise<void> {
    for (const { parts, ending } of this.#open.values())
      if (ending === undefined && parts !== undefined && parts.index.segments.length > 0)
        await parts.saveIndex();
  }

  /** Ends all. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#repairing;
      if (this.#left.length > 0) await this.#repair();
      await Promise.all([...this.#open.values()].map((open) => this.#end(open)));
    })();
    return this.#closing;
  }

  #refusal(): FileRefusal | undefined {
    if (this.#closing !== undefined) return "closed";
    if (this.#last >= MAX_PARTICIPANT_FILES) return "too-many-files";
    return this.#open.size >= MAX_OPEN_PARTICIPANT_FILES ? "too-many-at-once" : undefined;
  }

  #refuse(reason: FileRefusal, identity: string): FileRefusal {
    const before = this.refused[reason] ?? 0;
    this.refused[reason] = before + 1;
    const { log, record } = this.#options;
    log("warn", "a participant gets no file", { recording: record.info.id, identity, reason });
    return reason;
  }

  #end(open: Open): Promise<void> {
    open.ending ??= this.#finish(open).catch((error: unknown) => {
      // It stays open in the record, and is ended by whoever looks for such files next.
      this.#options.log("error", "a participant's file could not be ended", {
        recording: this.#options.record.info.id,
        file: open.entry.file,
        error: String(error),
      });
      this.#left = [...this.#left, open.entry];
      this.#open.delete(open.entry.file);
    });
    return open.ending;
  }

  async #finish(open: Open): Promise<void> {
    await open.opened.catch(() => undefined);
    const { entry, parts } = open;
    if (parts === undefined) return;
    const { storage, record, mix } = this.#options;
    await parts.drain();
    const { id } = record.info;
    const info = fileInfoOf(id, entry, parts.index, mix);
    await parts.finish();
    if (info === undefined) await storage.delete(fileKeysOf(id, entry.file).media);
    else {
      await parts.saveIndex();
      this.#ended.set(info.file, info);
    }
    this.#open.delete(entry.file);
    await this.#note();
  }

  async #note(): Promise<void> {
    await this.#options.save().catch((error: unknown) => {
      const fields = { recording: this.#options.record.info.id, error: String(error) };
      this.#options.log("warn", "a recording's record could not be saved", fields);
    });
  }

  /** Ends what a bridge before has left; what does not go is left to the end of the recording, or a later one. */
  async #repair(): Promise<void> {
    const { storage, record, mix, log } = this.#options;
    for (const entry of this.#left) {
      try {
        const info = await endLeftFile(storage, record.info.id, entry, mix);
        if (info === undefined) this.#ended.delete(entry.file);
        else this.#ended.set(info.file, info);
        this.#left = this.#left.filter((other) => other !== entry);
      } catch (error) {
        const fields = { recording: record.info.id, file: entry.file, error: String(error) };
        log("warn", "a participant's file that was left could not be ended", fields);
      }
    }
  }
}
