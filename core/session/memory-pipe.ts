/** One direction of a stream of a memory session: ordered bytes with back-pressure over a NetworkPath. */
import type { NetworkPath } from "./network-path.ts";
import { SessionClosedError } from "./session.ts";

/** Bytes written and not yet read above which `write` makes its caller wait. */
const HIGH_WATER_BYTES = 64 * 1024;

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export class MemoryPipe {
  readonly #path: NetworkPath;
  readonly #overheadBytes: number;
  readonly #arrived: Uint8Array[] = [];
  /** Written and not read yet. */
  #heldBytes = 0;
  #finishSent = false;
  #finishArrived = false;
  #writerCut = false;
  #readerCut = false;
  #reader: Waiter<Uint8Array | undefined> | undefined;
  #writers: Waiter<void>[] = [];

  constructor(path: NetworkPath, overheadBytes: number) {
    this.#path = path;
    this.#overheadBytes = overheadBytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#writerCut) throw gone();
    if (this.#finishSent) throw new SessionClosedError("the stream was finished before");
    if (bytes.length === 0) return;
    const copy = bytes.slice();
    this.#heldBytes += copy.length;
    this.#path.reliable(copy.length + this.#overheadBytes, () => this.#arrive(copy));
    if (this.#heldBytes <= HIGH_WATER_BYTES) return;
    await new Promise<void>((resolve, reject) => this.#writers.push({ resolve, reject }));
  }

  async finish(): Promise<void> {
    if (this.#writerCut) throw gone();
    if (this.#finishSent) return;
    this.#finishSent = true;
    this.#path.reliable(this.#overheadBytes, () => {
      this.#finishArrived = true;
      this.#wakeReader();
    });
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#readerCut) throw gone();
    const chunk = this.#arrived.shift();
    if (chunk !== undefined) return this.#taken(chunk);
    if (this.#finishArrived) return undefined;
    return await new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  #arrive(bytes: Uint8Array): void {
    if (this.#readerCut) return;
    this.#arrived.push(bytes);
    this.#wakeReader();
  }

  #wakeReader(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    const chunk = this.#arrived.shift();
    reader.resolve(chunk === undefined ? undefined : this.#taken(chunk));
  }

  #taken(chunk: Uint8Array): Uint8Array {
    this.#heldBytes -= chunk.length;
    if (this.#heldBytes <= HIGH_WATER_BYTES) {
      for (const writer of this.#writers.splice(0)) writer.resolve();
    }
    return chunk;
  }

  /** The writing end's session is over. */
  cutWriter(): void {
    this.#writerCut = true;
    for (const writer of this.#writers.splice(0)) writer.reject(gone());
  }

  /** The reading end's session is over. */
  cutReader(): void {
    this.#readerCut = true;
    this.#arrived.length = 0;
    this.#reader?.reject(gone());
    this.#reader = undefined;
  }
}

function gone(): SessionClosedError {
  return new SessionClosedError("the session is over");
}
