/**
 * A file that is appended to. Bytes are written at a known place, so that what a failed write has left is written over, never read.
 * A crash of the process keeps what was written; a crash of the machine what was synchronised, which is done each `syncMs`.
 */
import type { FileHandle } from "node:fs/promises";
import { type Appending, StorageError } from "../storage/storage.ts";
import { fileError } from "./file-errors.ts";

export class GrowingFile implements Appending {
  readonly #handle: FileHandle;
  readonly #key: string;
  readonly #syncMs: number;
  readonly #onClosed: () => void;
  #safeBytes: number;
  #syncedAtMs = Number.NEGATIVE_INFINITY;
  #busy = false;
  #closed = false;

  constructor(handle: FileHandle, safeBytes: number, key: string, syncMs: number, onClosed: () => void) {
    this.#handle = handle;
    this.#safeBytes = safeBytes;
    this.#key = key;
    this.#syncMs = syncMs;
    this.#onClosed = onClosed;
  }

  get safeBytes(): number {
    return this.#safeBytes;
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#alone("append to", async () => {
      let done = 0;
      while (done < bytes.length) {
        const at = this.#safeBytes + done;
        done += (await this.#handle.write(bytes, done, bytes.length - done, at)).bytesWritten;
      }
      const nowMs = performance.now();
      if (nowMs - this.#syncedAtMs >= this.#syncMs) {
        await this.#handle.datasync();
        this.#syncedAtMs = nowMs;
      }
      this.#safeBytes += bytes.length;
    });
  }

  cut(bytes: number): Promise<void> {
    return this.#alone("shorten", async () => {
      if (bytes > this.#safeBytes || bytes < 0) {
        throw new StorageError(`${this.#key} has ${this.#safeBytes} bytes, not ${bytes}.`, false);
      }
      await this.#handle.truncate(bytes);
      this.#safeBytes = bytes;
    });
  }

  finish(): Promise<void> {
    return this.#alone("finish", async () => {
      await this.#handle.truncate(this.#safeBytes);
      await this.#handle.datasync();
      await this.close();
    });
  }

  /** Lets go of the file as it is; a second call does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
    await this.#handle.close();
  }

  async #alone(doing: string, task: () => Promise<void>): Promise<void> {
    if (this.#closed) throw new StorageError(`${this.#key} is finished or deleted: begin it anew.`, false);
    if (this.#busy) throw new StorageError(`${this.#key} is being written: wait until that is done.`, true);
    this.#busy = true;
    try {
      await task();
    } catch (cause) {
      throw fileError(`${doing} ${this.#key}`, cause);
    } finally {
      this.#busy = false;
    }
  }
}
