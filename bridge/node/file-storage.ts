/**
 * Storage as files below one folder, for Node and Deno. Whole objects appear by rename, so readers see the old or the new one; keys are
 * checked before they become paths, and links are not followed, so that nothing outside of the folder is reached.
 */
import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, rename, rm, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type Appending, type Storage, StorageError, type StoredObject } from "../storage/storage.ts";
import { checkKey, checkPrefix, isKey } from "../storage/storage-key.ts";
import { fileBody } from "./file-body.ts";
import { codeOf, fileError } from "./file-errors.ts";
import { GrowingFile } from "./growing-file.ts";

/** Half-written objects lie here; ~ is in no key, so no object can. */
const UNFINISHED = "~unfinished";
/** What is older was left by a crash. */
const UNFINISHED_MS = 3600_000;
const PRIVATE = 0o640;

export interface FileStorageOptions {
  /** Folder; made when it is not there. */
  root: string;
  /** A growing object is synchronised to the disk when the last time is so long ago, milliseconds; 0 = at each append. */
  syncMs?: number;
}

export class FileStorage implements Storage {
  readonly #root: string;
  readonly #syncMs: number;
  readonly #growing = new Map<string, GrowingFile>();
  #ready: Promise<void> | undefined;

  constructor(options: FileStorageOptions) {
    this.#root = resolve(options.root);
    this.#syncMs = options.syncMs ?? 1_000;
  }

  async put(key: string, bytes: Uint8Array, _contentType: string): Promise<void> {
    const path = this.#path(key);
    const unfinished = join(this.#root, UNFINISHED, crypto.randomUUID());
    try {
      await this.#prepare();
      const file = await open(unfinished, "wx", PRIVATE);
      try {
        await file.writeFile(bytes);
        await file.datasync();
      } finally {
        await file.close();
      }
      await this.#inFolder(path, () => rename(unfinished, path));
      await syncFolder(dirname(path));
    } catch (cause) {
      await rm(unfinished, { force: true });
      throw fileError(`write ${key}`, cause);
    }
  }

  async append(key: string, _contentType: string): Promise<Appending> {
    const path = this.#path(key);
    if (this.#growing.has(key)) {
      throw new StorageError(`${key} is being written already: finish it first.`, false);
    }
    try {
      await this.#prepare();
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
      const handle = await this.#inFolder(path, () => open(path, flags, PRIVATE));
      const { size } = await handle.stat();
      await syncFolder(dirname(path));
      const file = new GrowingFile(handle, size, key, this.#syncMs, () => {
        if (this.#growing.get(key) === file) this.#growing.delete(key);
      });
      this.#growing.set(key, file);
      return file;
    } catch (cause) {
      throw fileError(`begin ${key}`, cause);
    }
  }

  async read(key: string, range?: { offset: number; length: number }) {
    const path = this.#path(key);
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const found = await file.stat();
      if (!found.isFile()) {
        await file.close();
        return undefined;
      }
      const bytes = Math.min(found.size, this.#growing.get(key)?.safeBytes ?? found.size);
      const from = Math.min(range?.offset ?? 0, bytes);
      const end = Math.min(from + (range?.length ?? bytes), bytes);
      return { body: await fileBody(file, from, end, key), bytes };
    } catch (cause) {
      if (["ENOENT", "ENOTDIR", "EISDIR"].includes(codeOf(cause))) return undefined;
      throw fileError(`read ${key}`, cause);
    }
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    checkPrefix(prefix);
    yield* this.#listFolder("", prefix);
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    try {
      await this.#growing.get(key)?.close();
      // Deno's unlink removes empty folders, too.
      if ((await lstat(path)).isDirectory()) return;
      await unlink(path);
      await this.#removeEmptyFolders(dirname(path));
    } catch (cause) {
      if (!["ENOENT", "ENOTDIR"].includes(codeOf(cause))) throw fileError(`delete ${key}`, cause);
    }
  }

  #path(key: string): string {
    checkKey(key);
    return join(this.#root, key);
  }

  #prepare(): Promise<void> {
    this.#ready ??= this.#makeRoot().catch((cause: unknown) => {
      this.#ready = undefined;
      throw cause;
    });
    return this.#ready;
  }

  async #makeRoot(): Promise<void> {
    const folder = join(this.#root, UNFINISHED);
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const left = await stat(path).catch(() => undefined);
      if (left !== undefined && Date.now() - left.mtimeMs > UNFINISHED_MS) await rm(path, { force: true });
    }
  }

  /** Runs `task` with the folder of `path` made; once more when a deletion has just taken it away. */
  async #inFolder<T>(path: string, task: () => Promise<T>): Promise<T> {
    await mkdir(dirname(path), { recursive: true });
    try {
      return await task();
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
      await mkdir(dirname(path), { recursive: true });
      return await task();
    }
  }

  /** `folder` is a key with a slash behind, or empty. */
  async *#listFolder(folder: string, prefix: string): AsyncIterable<StoredObject> {
    const entries = await readdir(join(this.#root, folder), { withFileTypes: true }).catch((cause) => {
      if (["ENOENT", "ENOTDIR"].includes(codeOf(cause))) return [];
      throw fileError(`list ${folder}`, cause);
    });
    const keys = entries
      .filter((entry) => isKey(entry.name) && (entry.isFile() || entry.isDirectory()))
      .map((entry) => (entry.isDirectory() ? `${folder}${entry.name}/` : folder + entry.name))
      .sort();
    for (const key of keys) {
      if (key.endsWith("/")) {
        if (key.startsWith(prefix) || prefix.startsWith(key)) yield* this.#listFolder(key, prefix);
      } else if (key.startsWith(prefix)) {
        const found = await stat(join(this.#root, key)).catch(() => undefined);
        const bytes = found === undefined ? undefined : (this.#growing.get(key)?.safeBytes ?? found.size);
        if (found !== undefined && bytes !== undefined) yield { key, bytes, modifiedMs: found.mtimeMs };
      }
    }
  }

  async #removeEmptyFolders(from: string): Promise<void> {
    for (let folder = from; folder.length > this.#root.length; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        // Something is in it.
        return;
      }
    }
  }
}

/** Makes names in a folder outlive a crash of the machine, where the system can. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!["EISDIR", "EINVAL", "EPERM", "EACCES", "ENOENT"].includes(codeOf(error))) throw error;
  }
}
