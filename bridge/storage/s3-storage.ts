/**
 * Storage on an S3-compatible service. S3 cannot append, so what grows goes out as the parts of a multipart upload, and lies whole in a spool on
 * local disk until S3 has it: one object in the end, no thousands of small ones to be paid for and put together, and a part in progress is as safe
 * as the disk. The price: disk for what runs now, and others see a growing object only when it is finished.
 */

import { copy, isSame } from "./body-compare.ts";
import {
  MAX_ORPHANS,
  MAX_PARALLEL_UPLOADS,
  MAX_SPOOL_BYTES,
  MAX_UPLOAD_PARTS,
  UPLOAD_PART_BYTES,
  UPLOAD_WAIT_MS,
} from "./limits.ts";
import { S3Client, type S3ClientOptions } from "./s3-client.ts";
import { abortUpload, completeUpload, openUploads, partsOf } from "./s3-multipart.ts";
import { type ByteRange, readRemote } from "./s3-read.ts";
import { elementsOf, textOf } from "./s3-xml.ts";
import { DATA, SpooledObject } from "./spooled-object.ts";
import { type Appending, type Storage, StorageError, type StoredObject } from "./storage.ts";
import { checkKey, checkPrefix } from "./storage-key.ts";
import { Turns } from "./turns.ts";

export interface S3StorageOptions extends S3ClientOptions {
  /** On local disk; used by nobody else. */
  spool: Storage;
  /** S3 has failed and is tried again; undefined: it takes bytes again. Nothing is lost meanwhile. */
  onProblem(error: StorageError | undefined): void;
  /** Bytes of a part, 5 MiB at least; UPLOAD_PART_BYTES where nothing is said. */
  partBytes?: number;
  /** Bytes that the spool may hold; MAX_SPOOL_BYTES where nothing is said. */
  maxSpoolBytes?: number;
}

export class S3Storage implements Storage {
  readonly #options: S3StorageOptions;
  readonly #client: S3Client;
  readonly #spooled = new Map<string, SpooledObject>();
  readonly #turns = new Turns(MAX_PARALLEL_UPLOADS);
  #held: StorageError | undefined;

  private constructor(options: S3StorageOptions) {
    this.#options = options;
    this.#client = new S3Client(options);
  }

  /** Goes on with what a process before has left in the spool. Rejects with StorageError when the spool cannot be read. */
  static async open(options: S3StorageOptions): Promise<S3Storage> {
    const storage = new S3Storage(options);
    for await (const { key, bytes } of options.spool.list(DATA)) {
      const object = storage.#objectOf(key.slice(DATA.length));
      await object.load(bytes);
      if (object.isFinished) object.pump();
    }
    return storage;
  }

  /** Objects and bytes that S3 has not taken yet. */
  get pending(): { objects: number; bytes: number } {
    let bytes = 0;
    for (const object of this.#spooled.values()) bytes += object.bytes;
    return { objects: this.#spooled.size, bytes };
  }

  get held(): StorageError | undefined {
    return this.#held;
  }

  /** Sends no more; what is in the spool goes out after the next `open`. */
  close(): void {
    for (const object of this.#spooled.values()) object.stop();
  }

  async put(key: string, bytes: Uint8Array, contentType: string): Promise<void> {
    checkKey(key);
    this.#checkRoom(bytes.length);
    for (;;) {
      const object = this.#objectOf(key);
      if (object.isOpen) throw new StorageError(`${key} is being written already: finish it first.`, false);
      if (!(await object.put(bytes, contentType))) continue;
      object.pump();
      await this.#patiently(object.settled());
      return;
    }
  }

  async append(key: string, contentType: string, isNew = false): Promise<Appending> {
    checkKey(key);
    for (;;) {
      const known = this.#spooled.get(key);
      if (known?.isOpen) throw new StorageError(`${key} is being written already: finish it first.`, false);
      const object = this.#objectOf(key);
      let fetchOld: ((into: Appending) => Promise<void>) | undefined;
      if (known === undefined && !isNew) fetchOld = (into) => this.#fetchOld(key, into);
      try {
        const growing = await object.open(contentType, fetchOld);
        if (growing !== false) return this.#appending(key, object, growing);
      } catch (error) {
        if (known === undefined) await object.remove();
        throw error;
      }
    }
  }

  async read(key: string, range?: { offset: number; length: number }) {
    checkKey(key);
    const local = this.#spooled.has(key) ? await this.#options.spool.read(DATA + key, range) : undefined;
    return local ?? (await readRemote(this.#client, key, range));
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    checkPrefix(prefix);
    const local: StoredObject[] = [];
    for await (const object of this.#options.spool.list(DATA + prefix)) {
      local.push({ ...object, key: object.key.slice(DATA.length) });
    }
    // What is in both is newer here. Known by name, since not every service keeps to the order.
    const keys = new Set(local.map(({ key }) => key));
    let next = 0;
    try {
      for await (const object of this.#listRemote(prefix)) {
        if (keys.has(object.key)) continue;
        for (; next < local.length && local[next]!.key < object.key; next++) yield local[next]!;
        yield object;
      }
    } catch (error) {
      // Where S3 does not answer, what is here is known at least.
      for (; next < local.length; next++) yield local[next]!;
      throw error;
    }
    for (; next < local.length; next++) yield local[next]!;
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await this.#spooled.get(key)?.remove();
    await (await this.#client.request({ method: "DELETE", key })).body?.cancel();
  }

  get left(): readonly string[] {
    return [...this.#spooled].flatMap(([key, object]) => (object.isOpen || object.isFinished ? [] : [key]));
  }

  async bytesSent(key: string): Promise<number | undefined> {
    return (await readRemote(this.#client, key, { offset: 0, length: 0 }))?.bytes;
  }

  async giveWay(
    key: string,
    aside: string,
    completes: boolean,
  ): Promise<"dropped" | "set-aside" | "nothing"> {
    checkKey(aside);
    const object = this.#spooled.get(key);
    if (object === undefined || !this.left.includes(key)) return "nothing";
    if (completes) await this.#completeLeft(key);
    const { spool } = this.#options;
    const mine = async (range: ByteRange) => (await spool.read(DATA + key, range))?.body;
    const theirs = async (range: ByteRange) => (await readRemote(this.#client, key, range))?.body;
    const sent = (await this.bytesSent(key)) ?? 0;
    const isSo = await isSame(mine, theirs, Math.min(sent, object.bytes));
    if (isSo && sent < object.bytes) return "nothing";
    if (!isSo) {
      const other = await this.append(aside, object.contentType, true);
      await copy(await mine({ offset: 0, length: object.bytes }), other);
      await other.finish();
    }
    await object.remove();
    return isSo ? "dropped" : "set-aside";
  }

  async abortOrphans(
    prefix: string,
    ageMs: number,
    isOver: (key: string) => Promise<boolean>,
  ): Promise<number> {
    checkPrefix(prefix);
    const beforeMs = this.#options.clock.nowUs() / 1000 - ageMs;
    let aborted = 0;
    for await (const { key, uploadId, initiatedMs } of openUploads(this.#client, prefix)) {
      if (this.#spooled.has(key) || initiatedMs > beforeMs || !(await isOver(key))) continue;
      await abortUpload(this.#client, key, uploadId);
      aborted += 1;
      if (aborted >= MAX_ORPHANS) break;
    }
    return aborted;
  }

  #objectOf(key: string): SpooledObject {
    const known = this.#spooled.get(key);
    if (known !== undefined) return known;
    const { spool, partBytes = UPLOAD_PART_BYTES } = this.#options;
    const object: SpooledObject = new SpooledObject({
      key,
      spool,
      client: this.#client,
      partBytes,
      turn: (task) => this.#turns.run(task),
      onProblem: (error) => this.#onProblem(error),
      onGone: () => {
        if (this.#spooled.get(key) === object) this.#spooled.delete(key);
      },
    });
    this.#spooled.set(key, object);
    return object;
  }

  #appending(key: string, object: SpooledObject, growing: Appending): Appending {
    const { partBytes = UPLOAD_PART_BYTES } = this.#options;
    return {
      get safeBytes() {
        return growing.safeBytes;
      },
      append: async (bytes) => {
        if (growing.safeBytes + bytes.length > partBytes * MAX_UPLOAD_PARTS) {
          throw new StorageError(`${key} has reached the longest length S3 takes: begin another one.`, false);
        }
        this.#checkRoom(bytes.length);
        await growing.append(bytes);
        object.pump();
      },
      cut: (bytes) => object.cut(bytes),
      finish: async () => {
        await object.finish();
        object.pump();
        await this.#patiently(object.settled());
      },
    };
  }

  #onProblem(error: StorageError | undefined): void {
    this.#held = error;
    this.#options.onProblem(error);
  }

  #checkRoom(bytes: number): void {
    const { maxSpoolBytes = MAX_SPOOL_BYTES } = this.#options;
    if (this.pending.bytes + bytes <= maxSpoolBytes) return;
    throw new StorageError(
      `${maxSpoolBytes} bytes wait for S3, which is as many as the spool may hold: see why S3 does not take them.`,
      true,
    );
  }

  /** The bytes are safe already: S3 is given some time, and then goes on behind. */
  async #patiently(settled: Promise<void>): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(UPLOAD_WAIT_MS, resolve);
      void settled.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** What S3 has of an object that this spool knows nothing of: the object, or what another machine has sent of it before it was lost. */
  async #fetchOld(key: string, into: Appending): Promise<void> {
    await this.#completeLeft(key);
    const found = await readRemote(this.#client, key);
    await copy(found?.body, into);
  }

  async #completeLeft(key: string): Promise<void> {
    for await (const upload of openUploads(this.#client, key)) {
      if (upload.key !== key) continue;
      const parts = await partsOf(this.#client, key, upload.uploadId);
      const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
      const there = (await readRemote(this.#client, key, { offset: 0, length: 0 }))?.bytes ?? 0;
      const etags = parts.map(({ etag }) => etag);
      if (bytes > there) await completeUpload(this.#client, key, upload.uploadId, etags);
      else await abortUpload(this.#client, key, upload.uploadId);
    }
  }

  async *#listRemote(prefix: string): AsyncIterable<StoredObject> {
    for (let token = ""; ; ) {
      const more: Record<string, string> = token === "" ? {} : { "continuation-token": token };
      const query = { "list-type": "2", prefix, ...more };
      const text = await this.#client.text({ method: "GET", key: "", query });
      for (const entry of elementsOf(text, "Contents")) {
        const key = textOf(entry, "Key");
        const modifiedMs = Date.parse(textOf(entry, "LastModified"));
        yield {
          key,
          bytes: Number(textOf(entry, "Size")),
          modifiedMs: Number.isNaN(modifiedMs) ? 0 : modifiedMs,
        };
      }
      const next = textOf(text, "NextContinuationToken");
      if (textOf(text, "IsTruncated") !== "true" || next === "" || next === token) return;
      token = next;
    }
  }
}
