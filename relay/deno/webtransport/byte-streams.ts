/**
 * The two ends of a QUIC stream as this layer uses and hands them out: bytes that can be read before the stream is
 * given away, and errors that say which WebTransport code the other side aborted with (draft-ietf-webtrans-http3, 4.4).
 */

/** A bidirectional stream of a session. */
export interface WtBidirectionalStream {
  readonly readable: ReadableStream<Uint8Array>;
  /** `close()` finishes the stream. `abort()` can send no code (Deno has no RESET): the other side sees a clean end. */
  readonly writable: WritableStream<Uint8Array>;
}

/** The other side aborted its half of a stream, or asked us to stop ours. `code` is null where it gave none. */
export class StreamAbortedError extends Error {
  readonly code: number | null;

  constructor(code: number | null, cause: unknown) {
    super(code === null ? "The stream was aborted." : `The stream was aborted with code ${code}.`, { cause });
    this.name = "StreamAbortedError";
    this.code = code;
  }
}

const FIRST_APPLICATION_ERROR = 0x52e4a40fa8db;
const LAST_APPLICATION_ERROR = 0x52e5ac983162;
/** Every 31st value of the range is reserved by HTTP/3 for greasing, so 30 codes take 31 values. */
const CODES_IN_A_ROW = 30;

/** The WebTransport code (0 to 2^32 - 1) inside an HTTP/3 stream error; null when the error is not one of an application. */
export function applicationErrorCode(http3Error: number): number | null {
  const shifted = http3Error - FIRST_APPLICATION_ERROR;
  const isReserved = (http3Error - 0x21) % 0x1f === 0;
  if (shifted < 0 || http3Error > LAST_APPLICATION_ERROR || isReserved) return null;
  return shifted - Math.floor(shifted / (CODES_IN_A_ROW + 1));
}

/** Deno reports a reset only as text: "stream reset by peer: error 91143959072987", or "sending stopped by peer: ...". */
export function translateStreamError(error: unknown): StreamAbortedError {
  const digits = /by peer: error (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  return new StreamAbortedError(digits === undefined ? null : applicationErrorCode(Number(digits)), error);
}

/** Most streams wait for a few bytes most of their lives, and Deno sets 64 KiB aside for a read that names no size. */
const SMALL_READ_BYTES = 1024;

/** Reads a byte stream in small pieces, lets what was read too far be put back, and can give the rest away. */
export class ByteSource {
  readonly #stream: ReadableStream<Uint8Array>;
  readonly #smallReader: ReadableStreamBYOBReader;
  /** Takes over when the rest is given away. */
  #largeReader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #putBack: Uint8Array | null = null;

  /** `readable` must be a byte stream, as all of Deno's QUIC streams are. */
  constructor(readable: ReadableStream<Uint8Array>) {
    this.#stream = readable;
    this.#smallReader = readable.getReader({ mode: "byob" });
  }

  /** The next bytes, at least one; null at the end. Throws StreamAbortedError. */
  async read(): Promise<Uint8Array | null> {
    if (this.#putBack !== null) {
      const bytes = this.#putBack;
      this.#putBack = null;
      return bytes;
    }
    try {
      for (;;) {
        const { done, value } = await (this.#largeReader?.read() ??
          this.#smallReader.read(new Uint8Array(SMALL_READ_BYTES)));
        if (done || value === undefined) return null;
        if (value.length > 0) return value;
      }
    } catch (error) {
      throw translateStreamError(error);
    }
  }

  /** Makes `bytes` what the next `read` answers. */
  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#putBack = bytes;
  }

  /** Asks the other side to stop sending; what is on its way is dropped. Never rejects. */
  async cancel(): Promise<void> {
    this.#putBack = null;
    try {
      await (this.#largeReader ?? this.#smallReader).cancel();
    } catch {
      // The stream was over already.
    }
  }

  /** Hands the rest of the bytes out as a stream that reads only when it is read from. */
  toReadable(): ReadableStream<Uint8Array> {
    this.#smallReader.releaseLock();
    this.#largeReader = this.#stream.getReader();
    this.#largeReader.closed.catch(() => undefined);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const bytes = await this.read();
          if (bytes === null) controller.close();
          else controller.enqueue(bytes);
        },
        cancel: () => this.cancel(),
      },
      { highWaterMark: 0 },
    );
  }
}

/**
 * Hands a writer out as a stream again, with translated errors. A write settles when QUIC has taken the bytes.
 * `onFinished` is called when the stream is closed, aborted or broken.
 */
export function toWritable(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  onFinished: () => void,
): WritableStream<Uint8Array> {
  const translated = async (action: Promise<void>): Promise<void> => {
    try {
      await action;
    } catch (error) {
      throw translateStreamError(error);
    }
  };
  // The writer's own promise rejects with the connection; the same error reaches the caller through its next write.
  writer.closed.then(onFinished, onFinished);
  return new WritableStream<Uint8Array>({
    write: (bytes) => translated(writer.write(bytes)),
    close: () => translated(writer.close()),
    abort: (reason) => translated(writer.abort(reason)),
  });
}

/** Ends a stream that nobody wants, both halves, and never rejects. */
export async function discardStream(
  source: ByteSource,
  writable: WritableStream<Uint8Array> | null,
): Promise<void> {
  await source.cancel();
  try {
    if (writable !== null && !writable.locked) await writable.close();
  } catch {
    // The other side has closed it or the connection is gone.
  }
}
