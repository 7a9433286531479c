/** Bytes on their way into a growing object: in order, within a named maximum, tried again until the storage takes them. */
import type { Clock, Random, Timer } from "../../core/clock.ts";
import { type Appending, StorageError } from "../storage/storage.ts";
import { FIRST_RETRY_MS, MAX_APPEND_BYTES, MAX_RETRY_MS } from "./limits.ts";

interface Waiting {
  bytes: readonly Uint8Array[];
  length: number;
  onSafe(): void;
}

export interface AppendQueueOptions {
  growing: Appending;
  clock: Clock;
  random: Random;
  /** Bytes that may wait. */
  maxQueuedBytes: number;
  /** The storage has failed, and is tried again; undefined: it takes bytes again. */
  onProblem(error: StorageError | undefined): void;
}

export class AppendQueue {
  readonly #options: AppendQueueOptions;
  #waiting: Waiting[] = [];
  #queuedBytes = 0;
  #isRunning = false;
  #failures = 0;
  #retry: { timer: Timer; go: () => void } | undefined;
  #idle: (() => void)[] = [];
  #closed = false;

  constructor(options: AppendQueueOptions) {
    this.#options = options;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** There is room for so many more bytes. */
  hasRoom(length: number): boolean {
    return !this.#closed && this.#queuedBytes + length <= this.#options.maxQueuedBytes;
  }

  /** `onSafe` is called when the bytes would outlive a crash. False: there is no room. */
  push(bytes: readonly Uint8Array[], onSafe: () => void): boolean {
    const length = bytes.reduce((sum, piece) => sum + piece.length, 0);
    if (!this.hasRoom(length)) return false;
    this.#waiting.push({ bytes, length, onSafe });
    this.#queuedBytes += length;
    if (!this.#isRunning) void this.#run();
    return true;
  }

  /** Waits until all is safe, at most so long, then takes no more. Returns how many pieces are lost. */
  async close(withinMs: number): Promise<number> {
    if (this.#isRunning) {
      this.#retry?.go();
      await new Promise<void>((resolve) => {
        const timer = this.#options.clock.after(withinMs, resolve);
        this.#idle.push(() => {
          timer.cancel();
          resolve();
        });
      });
    }
    this.#closed = true;
    this.#retry?.go();
    const lost = this.#waiting.length;
    this.#waiting = [];
    this.#queuedBytes = 0;
    return lost;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0 && !this.#closed) {
      const batch = this.#nextBatch();
      try {
        await this.#options.growing.append(joined(batch));
        this.#onTaken(batch);
      } catch (cause) {
        await this.#wait(cause);
      }
    }
    this.#isRunning = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #nextBatch(): Waiting[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ length }, at) => {
      bytes += length;
      return at > 0 && bytes > MAX_APPEND_BYTES;
    });
    return this.#waiting.slice(0, end === -1 ? this.#waiting.length : end);
  }

  #onTaken(batch: readonly Waiting[]): void {
    for (const { length, onSafe } of batch) {
      this.#queuedBytes = Math.max(0, this.#queuedBytes - length);
      onSafe();
    }
    this.#waiting.splice(0, batch.length);
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#options.onProblem(undefined);
  }

  async #wait(cause: unknown): Promise<void> {
    const { clock, random, onProblem } = this.#options;
    const error = cause instanceof StorageError ? cause : new StorageError(String(cause), true, { cause });
    const longest = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    onProblem(error);
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = clock.after(longest * (0.5 + random() / 2), resolve);
      const go = (): void => {
        timer.cancel();
        resolve();
      };
      this.#retry = { timer, go };
    });
    this.#retry = undefined;
  }
}

function joined(batch: readonly Waiting[]): Uint8Array {
  const pieces = batch.flatMap(({ bytes }) => bytes);
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(batch.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
