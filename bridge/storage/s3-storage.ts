/**
 * Storage in a bucket of anything that speaks S3. S3 cannot append, and may refuse or be slow for hours; so everything is written to a spool on
 * this machine first, which makes it safe, and goes out behind. A growing object goes out in parts of a multipart upload while it grows and
 * becomes one object at its end: one download, one Range for players, no list of pieces. The spool keeps it whole until then, so that it can be
 * played while it grows; the disk has to hold what is being recorded.
 */
import type { Clock, Random } from "../../core/clock.ts";
import { MAX_SPOOL_BYTES, MAX_UPLOAD_PARTS, UPLOAD_PART_BYTES, UPLOAD_WAIT_MS } from "./limits.ts";
import { resumableBody } from "./s3-body.ts";
import { S3Bucket } from "./s3-bucket.ts";
import { type S3Access, S3Client, waitFor } from "./s3-client.ts";
import { noteOf, S3Upload, type Spooled } from "./s3-upload.ts";
import { S3Uploads } from "./s3-uploads.ts";
import { Spool } from "./spool.ts";
import { type Appending, type Storage, StorageError, type StoredObject } from "./storage.ts";
import { checkKey, checkPrefix } from "./storage-key.ts";

export interface S3StorageOptions {
  access: S3Access;
  /** On this machine, for this process alone; another process takes it over after a crash. */
  spool: Storage;
  fetch: typeof fetch;
  clock: Clock;
  random: Random;
  /** S3 does not take what is in the spool; undefined: it does again. */
  onProblem(error: StorageError | undefined): void;
}

/** Reads what an earlier process has left in the spool, and goes on sending it. Rejects with StorageError. */
export async function openS3Storage(options: S3StorageOptions): Promise<S3Storage> {
  const storage = new S3Storage(options);
  await storage.load();
  return storage;
}

export class S3Storage implements Storage {
  readonly #options: S3StorageOptions;
  readonly #bucket: S3Bucket;
  readonly #spool: Spool;
  readonly #upload: S3Upload;
  readonly #uploads: S3Uploads;
  readonly #spooled = new Map<string, Spooled>();
  readonly #writers = new Map<string, Appending | undefined>();

  constructor(options: S3StorageOptions) {
    const { clock, random, onProblem } = options;
    this.#options = options;
    this.#bucket = new S3Bucket(new S3Client(options));
    this.#spool = new Spool(options.spool);
    this.#upload = new S3Upload(this.#bucket, this.#spool);
    const onDone = (object: Spooled) => this.#forget(object);
    this.#uploads = new S3Uploads({ upload: this.#upload, clock, random, onDone, onProblem });
  }

  /** Bytes and objects that are in the spool, and why they are not in S3 yet where something is wrong. */
  get waiting(): { objects: number; bytes: number; problem: StorageError | undefined } {
    const { size } = this.#spooled;
    return { objects: size, bytes: this.#spooledBytes(), problem: this.#uploads.problem };
  }

  async load(): Promise<void> {
    for (const { key, note, bytes, modifiedMs } of await this.#spool.load()) {
      const object = { key, bytes, modifiedMs, etags: undefined, uploadId: undefined, ...note };
      this.#spooled.set(key, object);
      if (object.stage === "whole") void this.#uploads.push(object);
    }
  }

  /** Sends nothing any more; what is in the spool goes out with the next process. */
  close(): Promise<void> {
    return this.#uploads.close();
  }

  async put(key: string, bytes: Uint8Array, contentType: string): Promise<void> {
    checkKey(key);
    this.#checkRoom(bytes.length);
    await this.#alone(key, async () => {
      const before = this.#spooled.get(key);
      if (before !== undefined) await this.#giveUpParts(before);
      await this.#spool.put(key, bytes, contentType);
      const object = this.#enter(key, contentType, bytes.length);
      object.stage = "whole";
      await this.#spool.note(key, noteOf(object));
      this.#spooled.set(key, object);
    });
    await this.#send(key);
  }

  async append(key: string, contentType: string): Promise<Appending> {
    checkKey(key);
    return await this.#alone(key, async () => {
      const before = this.#spooled.get(key);
      // The last part of a whole object is shorter than it will be.
      if (before?.stage === "whole") await this.#giveUpParts(before);
      // It may have gone out at this very moment.
      if (!this.#spooled.has(key)) await this.#fetchWhole(key, contentType);
      const object = this.#spooled.get(key) ?? this.#enter(key, contentType, 0);
      object.stage = "growing";
      await this.#spool.note(key, noteOf(object));
      const file = await this.#spool.append(key, contentType);
      object.bytes = file.safeBytes;
      this.#spooled.set(key, object);
      const writer = this.#writer(object, file);
      this.#writers.set(key, writer);
      return writer;
    });
  }

  async read(key: string, range?: { offset: number; length: number }) {
    checkKey(key);
    if (this.#spooled.has(key)) {
      const found = await this.#spool.read(key, range);
      // Otherwise it has just gone out.
      if (found !== undefined) return found;
    }
    if (range?.length === 0) {
      const bytes = await this.#bucket.size(key);
      return bytes === undefined ? undefined : { body: emptyBody(), bytes };
    }
    const offset = range?.offset ?? 0;
    const found = await this.#bucket.get(key, offset, range?.length);
    if (found === undefined) return undefined;
    const { body, bytes, etag } = found;
    if (body === null) return { body: emptyBody(), bytes };
    const end = Math.min(bytes, offset + (range?.length ?? bytes));
    return { body: resumableBody(this.#bucket, key, { body, offset, end, etag }), bytes };
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    checkPrefix(prefix);
    const mine = [...this.#spooled.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ key, bytes, modifiedMs }) => ({ key, bytes, modifiedMs }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const keys = new Set(mine.map(({ key }) => key));
    let at = 0;
    for await (const object of this.#bucket.list(prefix)) {
      while (at < mine.length && mine[at]!.key < object.key) yield mine[at++]!;
      if (!keys.has(object.key)) yield object;
    }
    yield* mine.slice(at);
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    this.#writers.delete(key);
    const object = this.#spooled.get(key);
    if (object !== undefined) await this.#giveUpParts(object);
    await this.#bucket.delete(key);
    if (object !== undefined) await this.#forget(object);
  }

  /** Nothing of it is being sent any more, and what S3 has of it counts for nothing. */
  async #giveUpParts(object: Spooled): Promise<void> {
    await this.#uploads.stop(object);
    if (object.uploadId === undefined || !this.#spooled.has(object.key)) return;
    await this.#upload.restart(object).catch((error: unknown) => {
      // Noted already; the upload itself is aborted before the next one of this object begins.
      if (object.uploadId !== undefined) throw error;
    });
  }

  /** One writer a key; `task` leaves the key free, or with a writer of its own. */
  async #alone<T>(key: string, task: () => Promise<T>): Promise<T> {
    if (this.#writers.has(key)) {
      throw new StorageError(`${key} is being written already: finish it first.`, false);
    }
    this.#writers.set(key, undefined);
    try {
      return await task();
    } finally {
      if (this.#writers.get(key) === undefined) this.#writers.delete(key);
    }
  }

  #enter(key: string, contentType: string, bytes: number): Spooled {
    const modifiedMs = this.#options.clock.nowUs() / 1000;
    const known = this.#spooled.get(key);
    if (known !== undefined) return Object.assign(known, { contentType, bytes, modifiedMs });
    const fresh = { uploadId: undefined, completing: false, etags: undefined };
    return { key, contentType, stage: "growing", bytes, modifiedMs, ...fresh };
  }

  /** Waits for S3 a while; after that the object goes out behind. */
  async #send(key: string): Promise<void> {
    const object = this.#spooled.get(key);
    if (object === undefined) return;
    const stop = new AbortController();
    await Promise.race([
      this.#uploads.push(object),
      waitFor(this.#options.clock, UPLOAD_WAIT_MS, stop.signal),
    ]);
    stop.abort();
  }

  /** A whole object of S3 that is to grow on. */
  async #fetchWhole(key: string, contentType: string): Promise<void> {
    const found = await this.read(key);
    if (found === undefined) return;
    await this.#spool.note(key, { contentType, stage: "growing", completing: false });
    const file = await this.#spool.append(key, contentType);
    await file.cut(0);
    for await (const chunk of found.body) await file.append(chunk);
    await file.finish();
  }

  #writer(object: Spooled, file: Appending): Appending {
    const { key } = object;
    const check = (): void => {
      if (this.#writers.get(key) === writer) return;
      throw new StorageError(`${key} is finished or deleted: nothing can be added.`, false);
    };
    const writer: Appending = {
      get safeBytes() {
        return file.safeBytes;
      },
      append: async (bytes) => {
        check();
        this.#checkRoom(bytes.length);
        if (file.safeBytes + bytes.length > MAX_UPLOAD_PARTS * UPLOAD_PART_BYTES) {
          throw new StorageError(`${key} is as large as an object can be: go on in another one.`, false);
        }
        await file.append(bytes);
        object.bytes = file.safeBytes;
        object.modifiedMs = this.#options.clock.nowUs() / 1000;
        void this.#uploads.push(object);
      },
      cut: async (bytes) => {
        check();
        // Whole parts of what is cut away may be with S3 already.
        const partOf = (size: number): number => Math.floor(size / UPLOAD_PART_BYTES);
        if (partOf(bytes) < partOf(file.safeBytes)) await this.#giveUpParts(object);
        await file.cut(bytes);
        object.bytes = bytes;
      },
      finish: async () => {
        check();
        await file.finish();
        object.stage = "whole";
        await this.#spool.note(key, noteOf(object));
        this.#writers.delete(key);
        await this.#send(key);
      },
    };
    return writer;
  }

  async #forget(object: Spooled): Promise<void> {
    await this.#spool.remove(object.key);
    this.#spooled.delete(object.key);
  }

  #spooledBytes(): number {
    let sum = 0;
    for (const { bytes } of this.#spooled.values()) sum += bytes;
    return sum;
  }

  #checkRoom(more: number): void {
    if (this.#spooledBytes() + more <= MAX_SPOOL_BYTES) return;
    throw new StorageError(
      `${MAX_SPOOL_BYTES / 1024 ** 3} GiB wait for S3 already: see why it does not take them.`,
      true,
    );
  }
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
