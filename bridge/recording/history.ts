/** The history of rooms: what was recorded and is being recorded, as lists, playlists and files. Knows no HTTP. */
import type { RecordingInfo } from "../../core/wire/bridge-jobs.ts";
import type { Storage } from "../storage/storage.ts";
import { type Catalogue, placeOf } from "./catalogue.ts";
import { type Download, downloadOf, initOf } from "./download.ts";
import { DEFAULT_LISTED, MAX_CACHED_INDEXES, MAX_LISTED } from "./limits.ts";
import { RecordingPlaylist } from "./playlist.ts";
import type { RecordingIndex } from "./recording-index.ts";
import {
  fileKeysOf,
  folderOf,
  keysOf,
  type MediaKeys,
  type ParticipantFileInfo,
  type StoredRecord,
} from "./recording-record.ts";
import type { Recordings } from "./recordings.ts";
import { savedIndex } from "./repair.ts";

export interface HistoryQuery {
  /** Of this room only. */
  room?: string | undefined;
  /** 1..MAX_LISTED; DEFAULT_LISTED where nothing is said. */
  limit?: number | undefined;
  /** Where the page before ended: its `next`. */
  after?: string | undefined;
}

export interface HistoryPage {
  /** Newest first. */
  recordings: RecordingInfo[];
  /** Give it as `after` for the next page; undefined: there is none. */
  next: string | undefined;
}

/** Media that can be read, and what lies where in it. */
export interface OpenMedia {
  /** Key of the file. */
  media: string;
  index: RecordingIndex;
  playlist: RecordingPlaylist;
}

/** A recording, opened for playing. */
export interface Played extends OpenMedia {
  info: RecordingInfo;
}

/** The file of one of its participants. */
export interface PlayedFile extends OpenMedia {
  info: RecordingInfo;
  file: ParticipantFileInfo;
}

interface Cached extends OpenMedia {
  /** Of the record that it was read for. */
  bytes: number;
}

export interface HistoryOptions {
  storage: Storage;
  catalogue: Catalogue;
  /** Those of this bridge, which know more of what they write than the storage. */
  recordings: Recordings;
}

export class History {
  readonly #options: HistoryOptions;
  /** Indexes that were played last; the order is that of use. */
  readonly #cached = new Map<string, Cached>();

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Rejects with StorageError. */
  async list({ room, limit = DEFAULT_LISTED, after }: HistoryQuery): Promise<HistoryPage> {
    const records = await this.#options.catalogue.records();
    const wanted = records.filter(
      (record) =>
        (room === undefined || record.info.room === room) && (after === undefined || placeOf(record) < after),
    );
    const page = wanted.slice(0, Math.max(1, Math.min(limit, MAX_LISTED)));
    const last = page.at(-1);
    return {
      recordings: page.map((record) => this.#infoOf(record)),
      next: last !== undefined && wanted.length > page.length ? placeOf(last) : undefined,
    };
  }

  /** Undefined: there is none. Rejects with StorageError. */
  async info(id: string): Promise<RecordingInfo | undefined> {
    const record = await this.#options.catalogue.record(id);
    return record && this.#infoOf(record);
  }

  /** Undefined: there is none, or another bridge is writing it and has saved nothing yet. Rejects with StorageError. */
  async play(id: string): Promise<Played | undefined> {
    const info = await this.info(id);
    if (info === undefined) return undefined;
    const running = this.#options.recordings.recorder(id)?.index;
    const open = await this.#open(keysOf(id), info.bytes, running);
    return open && { info, ...open };
  }

  /** One of its participants' files, by its name in the record. Undefined: there is none, or what is above. Rejects with StorageError. */
  async file(id: string, name: string): Promise<PlayedFile | undefined> {
    const info = await this.info(id);
    const file = info?.files.find((one) => one.file === name);
    if (info === undefined || file === undefined) return undefined;
    const running = this.#options.recordings.recorder(id)?.indexOf(name);
    const open = await this.#open(fileKeysOf(id, name), file.bytes, running);
    return open && { info, file, ...open };
  }

  /**
   * The room's latest recording that everybody was shown live, and up to when it was (microseconds since the Unix epoch); undefined:
   * there is none. Rejects with StorageError.
   */
  async lastShown(room: string): Promise<{ played: Played; untilUs: number } | undefined> {
    const record = await this.#options.catalogue.newestShown(room);
    if (record === undefined || record.shownUntilUs === null) return undefined;
    const played = await this.play(record.info.id);
    return played && { played, untilUs: record.shownUntilUs };
  }

  /** As one file; `format`: of one init segment alone. Undefined: there is no such format, or nothing to be had. Rejects with StorageError. */
  async download({ media, index }: OpenMedia, format: number | undefined): Promise<Download | undefined> {
    const init = index.inits[initOf(index, format)];
    if (init === undefined) return undefined;
    const found = await this.#options.storage.read(media, init);
    if (found === undefined) return undefined;
    const bytes = new Uint8Array(await new Response(found.body).arrayBuffer());
    return downloadOf(index, bytes, format);
  }

  /** `bytes`: as its record says; `running`: the index of what is being written here. */
  async #open(
    keys: MediaKeys,
    bytes: number,
    running: RecordingIndex | undefined,
  ): Promise<OpenMedia | undefined> {
    const { media } = keys;
    const known = this.#cached.get(media);
    const isFresh =
      known !== undefined && (running === undefined ? known.bytes === bytes : known.index === running);
    const index = isFresh ? known.index : (running ?? (await savedIndex(this.#options.storage, keys)));
    if (index === undefined) return undefined;
    const playlist = isFresh ? known.playlist : new RecordingPlaylist(index, "media.mp4");
    const open = { media, index, playlist, bytes };
    this.#cached.delete(media);
    this.#cached.set(media, open);
    const [oldest] = this.#cached.keys();
    if (this.#cached.size > MAX_CACHED_INDEXES && oldest !== undefined) this.#cached.delete(oldest);
    return open;
  }

  /** Ends it, where it runs here, and removes all of it. False: there is none. Rejects with StorageError. */
  async delete(id: string): Promise<boolean> {
    const { catalogue, recordings } = this.#options;
    const record = await catalogue.record(id);
    if (record === undefined) return false;
    await recordings.recorder(id)?.close("interrupted");
    for (const media of [...this.#cached.keys()])
      if (media.startsWith(folderOf(id))) this.#cached.delete(media);
    await catalogue.delete(record);
    return true;
  }

  #infoOf({ info }: StoredRecord): RecordingInfo {
    const running = this.#options.recordings.recorder(info.id);
    return running === undefined ? info : running.infoNow;
  }
}
