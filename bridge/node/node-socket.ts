/** A socket of node:net or node:tls as a ByteSocket: pulled instead of pushed, writes that wait for room. */
import { isIPv6, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ByteSocket, SocketError } from "../net/byte-socket.ts";

/** Bytes that wait to be read; above it the connection is paused, so that the sender is. */
const MAX_UNREAD_BYTES = 256 * 1024;

/** What lies below a stream that does not pass on pauses and ends by itself. */
export interface Below {
  hold(): void;
  release(): void;
  destroy(): void;
  queuedBytes(): number;
  onEnd(listener: () => void): void;
}

export class NodeSocket implements ByteSocket {
  readonly remoteAddress: string;
  readonly #socket: Duplex;
  readonly #below: Below | undefined;
  readonly #chunks: Uint8Array[] = [];
  #unread = 0;
  #ended = false;
  #error: SocketError | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  constructor(socket: Duplex, remoteAddress: string, below?: Below) {
    this.#socket = socket;
    this.#below = below;
    this.remoteAddress = remoteAddress;
    socket.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#unread += chunk.length;
      if (this.#unread > MAX_UNREAD_BYTES) this.#pause();
      this.#wakeReader?.();
    });
    const onEnd = (): void => {
      this.#ended = true;
      this.#wakeReader?.();
    };
    socket.on("end", onEnd);
    below?.onEnd(onEnd);
    socket.on("drain", () => this.#release());
    socket.on("error", (cause) => {
      this.#error ??= new SocketError(`the connection broke: ${cause.message}`, { cause });
    });
    socket.on("close", () => {
      this.#error ??= new SocketError("the connection was cut off");
      this.#wakeReader?.();
      this.#release();
    });
  }

  get queuedBytes(): number {
    return this.#socket.writableLength + (this.#below?.queuedBytes() ?? 0);
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0 && !this.#ended && this.#error === undefined) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#unread -= chunk.length;
      if (this.#unread <= MAX_UNREAD_BYTES / 2 && this.#socket.isPaused()) this.#resume();
      return chunk;
    }
    if (this.#ended) return undefined;
    throw this.#error;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#throwIfBroken();
    if (this.#socket.write(bytes)) return;
    await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
    this.#throwIfBroken();
  }

  finish(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#error ??= new SocketError("the connection was closed by us");
    this.#socket.destroy();
    this.#below?.destroy();
    this.#wakeReader?.();
    this.#release();
  }

  #pause(): void {
    this.#socket.pause();
    this.#below?.hold();
  }

  #resume(): void {
    this.#below?.release();
    this.#socket.resume();
  }

  #throwIfBroken(): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.#socket.writableEnded) throw new SocketError("the connection was finished before this write");
  }

  #release(): void {
    for (const wake of this.#wakeWriters.splice(0)) wake();
  }
}

/** "address:port" of the other end. */
export function addressOf(socket: Socket): string {
  const address = (socket.remoteAddress ?? "unknown").replace(/^::ffff:(?=\d+\.)/, "");
  return `${isIPv6(address) ? `[${address}]` : address}:${socket.remotePort ?? 0}`;
}
