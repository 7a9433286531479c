/**
 * A stream of a session over TCP. Its sender may be TCP_STREAM_WINDOW_BYTES ahead of its reader, who gives credit as it
 * reads (docs/wire.md, "Sessions over TCP").
 */
import { TCP_STREAM_WINDOW_BYTES } from "../wire/limits.ts";
import { MAX_TCP_STREAM_PIECE_BYTES } from "../wire/tcp-messages.ts";
import { type ByteStream, SessionClosedError } from "./session.ts";

/** Bytes that come in smaller pieces are put together in memory of this size. */
const ROOM_BYTES = 4 * 1024;

interface Write {
  bytes: Uint8Array;
  /** Bytes of it that were sent. */
  sent: number;
  done(): void;
  fail(error: Error): void;
}

interface Chunk {
  room: Uint8Array;
  filled: number;
}

/** What the session does next for a stream. */
export type StreamTask = { credit: number } | { bytes: Uint8Array } | "end";

export class ReliableStream implements ByteStream {
  readonly #onTask: (stream: ReliableStream) => void;
  readonly #writes: Write[] = [];
  readonly #chunks: Chunk[] = [];
  #reader: { resolve(bytes: Uint8Array | undefined): void; reject(error: Error): void } | undefined;
  #credit = TCP_STREAM_WINDOW_BYTES;
  /** Bytes that were read since credit was last given. */
  #read = 0;
  #unread = 0;
  #isFinished = false;
  #isEndSent = false;
  #isEndRead = false;
  #isCut = false;

  /** `onTask` is called when `nextTask` may have something. */
  constructor(onTask: (stream: ReliableStream) => void) {
    this.#onTask = onTask;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#isCut || this.#isFinished) return Promise.reject(cutOff());
    if (bytes.length === 0) return Promise.resolve();
    return new Promise((done, fail) => {
      // A copy: the writer may be given a view into a pool.
      this.#writes.push({ bytes: bytes.slice(), sent: 0, done, fail });
      this.#onTask(this);
    });
  }

  async finish(): Promise<void> {
    if (this.#isCut) throw cutOff();
    this.#isFinished = true;
    this.#onTask(this);
  }

  read(): Promise<Uint8Array | undefined> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#take(chunk.filled);
      return Promise.resolve(chunk.room.subarray(0, chunk.filled));
    }
    if (this.#isCut) return Promise.reject(cutOff());
    if (this.#isEndRead) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  #take(bytes: number): void {
    this.#unread -= bytes;
    this.#read += bytes;
    if (this.#read >= TCP_STREAM_WINDOW_BYTES / 2) this.#onTask(this);
  }

  /** The most urgent thing to be said about this stream, if anything. */
  nextTask(): StreamTask | undefined {
    if (this.#read >= TCP_STREAM_WINDOW_BYTES / 2 && !this.#isEndRead) {
      const credit = this.#read;
      this.#read = 0;
      return { credit };
    }
    const write = this.#writes[0];
    if (write === undefined) {
      if (!this.#isFinished || this.#isEndSent) return undefined;
      this.#isEndSent = true;
      return "end";
    }
    const length = Math.min(this.#credit, write.bytes.length - write.sent, MAX_TCP_STREAM_PIECE_BYTES);
    if (length === 0) return undefined;
    const bytes = write.bytes.subarray(write.sent, write.sent + length);
    write.sent += length;
    this.#credit -= length;
    if (write.sent === write.bytes.length) {
      this.#writes.shift();
      write.done();
    }
    return { bytes };
  }

  /** Both directions have ended and nothing of it is to be said any more. */
  get isOver(): boolean {
    return this.#isEndSent && this.#isEndRead;
  }

  /** False = the other side sent more than it may, or after its end. */
  receive(bytes: Uint8Array): boolean {
    if (this.#isEndRead || this.#unread + bytes.length > TCP_STREAM_WINDOW_BYTES) return false;
    this.#unread += bytes.length;
    if (this.#reader !== undefined) {
      const { resolve } = this.#reader;
      this.#reader = undefined;
      this.#take(bytes.length);
      resolve(bytes.slice());
      return true;
    }
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.filled + bytes.length <= last.room.length) {
      last.room.set(bytes, last.filled);
      last.filled += bytes.length;
      return true;
    }
    const room = new Uint8Array(Math.max(ROOM_BYTES, bytes.length));
    room.set(bytes);
    this.#chunks.push({ room, filled: bytes.length });
    return true;
  }

  /** False = it had ended before. */
  receiveEnd(): boolean {
    if (this.#isEndRead) return false;
    this.#isEndRead = true;
    this.#reader?.resolve(undefined);
    this.#reader = undefined;
    return true;
  }

  receiveCredit(bytes: number): void {
    this.#credit = Math.min(this.#credit + bytes, Number.MAX_SAFE_INTEGER);
    this.#onTask(this);
  }

  /** The session is over. */
  cut(): void {
    this.#isCut = true;
    this.#chunks.length = 0;
    this.#reader?.reject(cutOff());
    this.#reader = undefined;
    for (const write of this.#writes.splice(0)) write.fail(cutOff());
  }
}

function cutOff(): SessionClosedError {
  return new SessionClosedError("the stream is over: its session was closed, or it was finished");
}
