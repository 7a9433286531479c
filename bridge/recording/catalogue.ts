/** The records of all recordings in a storage, kept in memory and brought up to date from its list: only what has changed is read again. */
import type { Clock } from "../../core/clock.ts";
import type { Storage } from "../storage/storage.ts";
import { CATALOGUE_FRESH_MS, MAX_CATALOGUE, SHOWN_FRESH_MS } from "./limits.ts";
import type { RecordingLog } from "./part-file.ts";
import {
  folderOf,
  isRecordingId,
  keysOf,
  loadRecord,
  RECORD_PREFIX,
  type StoredRecord,
} from "./recording-record.ts";

interface Known {
  /** Undefined: it could not be understood. */
  record: StoredRecord | undefined;
  /** Of the stored object, as it was listed; tells a change. */
  version: string;
}

export interface CatalogueOptions {
  storage: Storage;
  clock: Clock;
  log: RecordingLog;
}

export class Catalogue {
  readonly #options: CatalogueOptions;
  readonly #known = new Map<string, Known>();
  #refreshedUs = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;

  constructor(options: CatalogueOptions) {
    this.#options = options;
  }

  /** All records, newest first; at most CATALOGUE_FRESH_MS old. Rejects with StorageError. */
  async records(): Promise<StoredRecord[]> {
    if (!this.#isFresh(CATALOGUE_FRESH_MS)) await this.refresh();
    return this.known;
  }

  /** What is known without asking anybody, newest first. */
  get known(): StoredRecord[] {
    return [...this.#known.values()]
      .map(({ record }) => record)
      .filter((record) => record !== undefined)
      .sort(newestFirst);
  }

  /** One record, as old as records() at most; undefined = there is none. Rejects with StorageError. */
  async record(id: string): Promise<StoredRecord | undefined> {
    if (!isRecordingId(id)) return undefined;
    const known = this.#known.get(id)?.record;
    if (known !== undefined && this.#isFresh(CATALOGUE_FRESH_MS)) return known;
    return await loadRecord(this.#options.storage, id);
  }

  /** The newest recording of a room that everybody was shown live; at most SHOWN_FRESH_MS old. Rejects with StorageError. */
  async newestShown(room: string): Promise<StoredRecord | undefined> {
    if (!this.#isFresh(SHOWN_FRESH_MS)) await this.refresh();
    let newest: StoredRecord | undefined;
    for (const { record } of this.#known.values()) {
      if (record === undefined || record.info.room !== room || record.shownUntilUs === null) continue;
      if (newest === undefined || newestFirst(record, newest) < 0) newest = record;
    }
    return newest;
  }

  /** A record of our own has changed; what is stored follows. */
  note(record: StoredRecord): void {
    const version = this.#known.get(record.info.id)?.version ?? "";
    this.#known.set(record.info.id, { record, version });
  }

  /** Removes the recording: media first, its record last, so that what is left after a failure can be deleted again. Rejects with StorageError. */
  async delete(record: StoredRecord): Promise<void> {
    const { storage } = this.#options;
    const { id } = record.info;
    const keys = keysOf(id);
    const all = new Set([keys.media, keys.index, keys.poster]);
    for await (const { key } of storage.list(folderOf(id))) all.add(key);
    for (const key of [...all, keys.record]) await storage.delete(key);
    this.#known.delete(record.info.id);
  }

  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  #isFresh(forMs: number): boolean {
    return this.#options.clock.nowUs() - this.#refreshedUs < forMs * 1000;
  }

  async #refresh(): Promise<void> {
    const { storage, clock, log } = this.#options;
    const before = new Set(this.#known.keys());
    const seen = new Set<string>();
    for await (const { key, bytes, modifiedMs } of storage.list(RECORD_PREFIX)) {
      const id = key.slice(RECORD_PREFIX.length).replace(/\.json$/, "");
      if (!isRecordingId(id) || keysOf(id).record !== key) continue;
      if (seen.size >= MAX_CATALOGUE) {
        log("warn", "there are more recordings than are listed: delete some, or set a retention", {
          listed: seen.size,
        });
        break;
      }
      seen.add(id);
      await this.#update(id, `${bytes} ${modifiedMs}`);
    }
    // What was noted while the list was read may not be in it.
    for (const id of before) if (!seen.has(id)) this.#known.delete(id);
    this.#refreshedUs = clock.nowUs();
  }

  async #update(id: string, version: string): Promise<void> {
    const { storage, log } = this.#options;
    if (this.#known.get(id)?.version === version) return;
    const record = await loadRecord(storage, id);
    this.#known.set(id, { record, version });
    if (record === undefined) log("warn", "a recording's record cannot be read", { recording: id });
  }
}

function newestFirst(a: StoredRecord, b: StoredRecord): number {
  const [one, other] = [placeOf(a), placeOf(b)];
  return one === other ? 0 : one < other ? 1 : -1;
}

/** Where a recording stands in the list, as text that compares. */
export function placeOf({ info }: StoredRecord): string {
  return `${new Date(info.startedAt).toISOString()}_${info.id}`;
}
