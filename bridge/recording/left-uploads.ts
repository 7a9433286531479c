/** What bridges leave in a storage that is far away: uploads that nobody finishes, and what a spool has of recordings that others went on with. */
import { type Storage, StorageError } from "../storage/storage.ts";
import type { Catalogue } from "./catalogue.ts";
import { ORPHAN_AGE_MS } from "./limits.ts";
import type { RecordingLog } from "./part-file.ts";
import { folderOf, isRecordingId, keysOf, loadRecord, type StoredRecord } from "./recording-record.ts";

export interface LeftUploadsOptions {
  storage: Storage;
  catalogue: Catalogue;
  log: RecordingLog;
  bridgeId: string;
}

export class LeftUploads {
  readonly #options: LeftUploadsOptions;
  #isDue = true;

  constructor(options: LeftUploadsOptions) {
    this.#options = options;
  }

  /** A recording has come here from elsewhere, or was ended for another bridge: there may be something left of it. */
  note(): void {
    this.#isDue = true;
  }

  /** Looks once after the start and after each `note`. Rejects with StorageError; then it is to be called again. */
  async look(): Promise<void> {
    const { storage, log } = this.#options;
    await this.#clearSpool();
    if (!this.#isDue || storage.abortOrphans === undefined) return;
    this.#isDue = false;
    try {
      const count = await storage.abortOrphans("recordings/", ORPHAN_AGE_MS, (key) => this.#isOver(key));
      if (count > 0) log("info", "uploads that were left were given up", { count });
    } catch (error) {
      this.#isDue = true;
      throw error;
    }
  }

  /** Before a recording is gone on with that another bridge had in between: what this machine has of it is old. */
  async giveWay(record: StoredRecord): Promise<void> {
    const { storage, bridgeId } = this.#options;
    this.note();
    for (const key of storage.left ?? []) {
      if (!key.startsWith(folderOf(record.info.id))) continue;
      const isTheirs = record.bridgeId !== bridgeId;
      if (isTheirs || (await this.#isElsewhere(key))) await this.#giveWay(key, isTheirs);
    }
  }

  /** Somebody else has finished it; what cannot be found out now is not so. */
  async #isElsewhere(key: string): Promise<boolean> {
    const sent = await this.#options.storage.bytesSent?.(key).catch((error: unknown) => {
      if (error instanceof StorageError && error.temporary) return undefined;
      throw error;
    });
    return sent !== undefined;
  }

  async #giveWay(key: string, completes: boolean): Promise<void> {
    const { storage, log } = this.#options;
    // The name says nothing; the log says whose it is.
    const aside = key.replace(/[^/]+$/, (name) => `aside-${crypto.randomUUID()}-${name}`);
    const became = await storage.giveWay?.(key, aside, completes);
    if (became === "dropped")
      log("info", "what the spool had of an object is in S3 too: dropped here", { key });
    if (became === "set-aside")
      log(
        "warn",
        "another bridge has gone on with a recording, and only this one had some of it: that was set aside",
        {
          key,
          aside,
        },
      );
  }

  /** Recordings that another bridge has ended, or somebody has deleted, while this one was away. */
  async #clearSpool(): Promise<void> {
    const { storage, bridgeId } = this.#options;
    for (const key of storage.left ?? []) {
      const id = key.split("/")[1] ?? "";
      if (!isRecordingId(id)) continue;
      const record = await loadRecord(storage, id);
      if (record === undefined) {
        if (!(await this.#hasRecord(id))) await storage.delete(key);
        continue;
      }
      if (record.bridgeId !== bridgeId && (await this.#isWhole(record, key))) await this.#giveWay(key, false);
    }
  }

  /** Nobody goes on with an upload of this key. Where that is not sure: false. */
  async #isOver(key: string): Promise<boolean> {
    const id = key.split("/")[1] ?? "";
    if (!isRecordingId(id)) return false;
    const record = await this.#options.catalogue.record(id);
    return record === undefined ? !(await this.#hasRecord(id)) : await this.#isWhole(record, key);
  }

  async #hasRecord(id: string): Promise<boolean> {
    return (await this.#options.storage.read(keysOf(id).record, { offset: 0, length: 0 })) !== undefined;
  }

  /** It has ended, and S3 has all that its record speaks of: whoever sends it still has no need to. */
  async #isWhole({ info, openFiles }: StoredRecord, key: string): Promise<boolean> {
    if (info.state === "recording") return false;
    const isOf = ({ file }: { file: string }): boolean => key.endsWith(`/participants/${file}`);
    if (openFiles.some(isOf)) return false;
    const { storage } = this.#options;
    const bytes = key === keysOf(info.id).media ? info.bytes : (info.files.find(isOf)?.bytes ?? 1);
    return ((await storage.bytesSent?.(key)) ?? 0) >= bytes;
  }
}
