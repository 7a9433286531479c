/** Two ByteSockets joined in memory, for tests: what one writes the other reads, with back-pressure as of a real connection. */
import { type ByteSocket, SocketError } from "./byte-socket.ts";

/** Bytes on their way above which writes wait. */
const DEFAULT_BUFFER_BYTES = 64 * 1024;

/** One direction. */
class Pipe {
  readonly chunks: Uint8Array[] = [];
  bytes = 0;
  ended = false;
  /** Why it was cut off. */
  error: SocketError | undefined;
  readonly #bufferBytes: number;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes;
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.chunks.length === 0 && !this.ended && this.error === undefined) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
    const chunk = this.chunks.shift();
    if (chunk !== undefined) {
      this.bytes -= chunk.length;
      if (this.bytes <= this.#bufferBytes) this.#release();
      return chunk;
    }
    if (this.error !== undefined) throw this.error;
    return undefined;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.error !== undefined) throw this.error;
    if (this.ended) throw new SocketError("the connection was finished before this write");
    if (bytes.length > 0) this.chunks.push(bytes);
    this.bytes += bytes.length;
    this.#wakeReader?.();
    while (this.bytes > this.#bufferBytes && this.error === undefined) {
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
    }
    if (this.error !== undefined) throw this.error;
  }

  end(): void {
    this.ended = true;
    this.#wakeReader?.();
  }

  cut(): void {
    if (this.error !== undefined) return;
    this.error = new SocketError("the connection was cut off");
    this.chunks.length = 0;
    this.bytes = 0;
    this.#wakeReader?.();
    this.#release();
  }

  #release(): void {
    for (const wake of this.#wakeWriters.splice(0)) wake();
  }
}

class MemorySocket implements ByteSocket {
  readonly remoteAddress: string;
  readonly #in: Pipe;
  readonly #out: Pipe;

  constructor(remoteAddress: string, incoming: Pipe, outgoing: Pipe) {
    this.remoteAddress = remoteAddress;
    this.#in = incoming;
    this.#out = outgoing;
  }

  get queuedBytes(): number {
    return this.#out.bytes;
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#in.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#out.write(bytes);
  }

  finish(): void {
    this.#out.end();
  }

  destroy(): void {
    this.#in.cut();
    this.#out.cut();
  }
}

/** `addresses`: what each sees as the other's. */
export function memorySocketPair(
  addresses: readonly [string, string] = ["192.0.2.1:40000", "192.0.2.2:1935"],
  bufferBytes = DEFAULT_BUFFER_BYTES,
): [ByteSocket, ByteSocket] {
  const there = new Pipe(bufferBytes);
  const back = new Pipe(bufferBytes);
  return [new MemorySocket(addresses[1], back, there), new MemorySocket(addresses[0], there, back)];
}
