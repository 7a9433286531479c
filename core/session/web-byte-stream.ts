/** A stream of anything that has WebTransport's shape as a ByteStream: a browser's, or a package's. core is compiled without their types. */
import { type ByteStream, SessionClosedError } from "./session.ts";

export interface WebBidirectionalStream {
  readonly readable: {
    getReader(): {
      read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
      readonly closed: Promise<unknown>;
    };
  };
  readonly writable: {
    getWriter(): {
      write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
      close(): Promise<void>;
      readonly closed: Promise<unknown>;
    };
  };
}

export class WebByteStream implements ByteStream {
  readonly #writer: ReturnType<WebBidirectionalStream["writable"]["getWriter"]>;
  readonly #reader: ReturnType<WebBidirectionalStream["readable"]["getReader"]>;
  readonly #maxWriteBytes: number;

  /** Longer writes than `maxWriteBytes` are made piece by piece. */
  constructor(stream: WebBidirectionalStream, maxWriteBytes = Number.POSITIVE_INFINITY) {
    this.#writer = stream.writable.getWriter();
    this.#reader = stream.readable.getReader();
    this.#maxWriteBytes = maxWriteBytes;
    this.#writer.closed.catch(() => undefined);
    this.#reader.closed.catch(() => undefined);
  }

  async write(bytes: Uint8Array): Promise<void> {
    // A copy: the writer may be given a view into a pool that changes before it is taken.
    const copy = bytes.slice();
    try {
      for (let at = 0; at < copy.length; at += this.#maxWriteBytes) {
        await this.#writer.write(copy.subarray(at, at + this.#maxWriteBytes));
      }
    } catch (cause) {
      throw new SessionClosedError("the stream is over; nothing can be written to it", { cause });
    }
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      const { value, done } = await this.#reader.read();
      return done ? undefined : value;
    } catch (cause) {
      throw new SessionClosedError("the stream was cut off", { cause });
    }
  }

  async finish(): Promise<void> {
    try {
      await this.#writer.close();
    } catch (cause) {
      throw new SessionClosedError("the stream is over; it cannot be finished", { cause });
    }
  }
}
