/** A WebTransport stream of the HTTP/3 layer as a ByteStream (core/session/session.ts). */
import { type ByteStream, SessionClosedError } from "../../core/session/session.ts";
import type { WtBidirectionalStream } from "./webtransport/mod.ts";

export class DenoByteStream implements ByteStream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #onOver: (stream: DenoByteStream) => void;
  #waiting: ((error: Error) => void) | undefined;
  #cut = false;
  #readOver = false;
  #writeOver = false;

  /** `onOver` is called when both directions have ended. */
  constructor(stream: WtBidirectionalStream, onOver: (stream: DenoByteStream) => void) {
    this.#reader = stream.readable.getReader();
    this.#writer = stream.writable.getWriter();
    this.#onOver = onOver;
    // The same error reaches the caller through its next write.
    this.#writer.closed.catch(() => undefined);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#requireWhole();
    try {
      await this.#writer.write(bytes);
    } catch (cause) {
      throw cutOff(cause);
    }
  }

  read(): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#cut) return reject(cutOff(undefined));
      // Deno lets a read of a dead session hang or end cleanly; `cut` settles it.
      this.#waiting = reject;
      this.#reader.read().then(
        ({ done, value }) => {
          this.#waiting = undefined;
          if (done) this.#endRead();
          resolve(done ? undefined : value);
        },
        (cause: unknown) => {
          this.#waiting = undefined;
          this.#endRead();
          reject(cutOff(cause));
        },
      );
    });
  }

  async finish(): Promise<void> {
    this.#requireWhole();
    try {
      await this.#writer.close();
    } catch (cause) {
      throw cutOff(cause);
    } finally {
      this.#writeOver = true;
      this.#lookOver();
    }
  }

  /** The session is over. */
  cut(): void {
    this.#cut = true;
    this.#waiting?.(cutOff(undefined));
    this.#waiting = undefined;
  }

  #endRead(): void {
    this.#readOver = true;
    this.#lookOver();
  }

  #lookOver(): void {
    if (this.#readOver && this.#writeOver) this.#onOver(this);
  }

  #requireWhole(): void {
    if (this.#cut) throw cutOff(undefined);
  }
}

function cutOff(cause: unknown): SessionClosedError {
  const detail = cause instanceof Error ? cause.message : "the session is over";
  return new SessionClosedError(`the stream was cut off: ${detail}`, { cause });
}
