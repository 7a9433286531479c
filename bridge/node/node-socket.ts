/** A net.Socket or tls.TLSSocket as a ByteSocket: pulled instead of pushed, writes that wait for room. */
import { isIPv6, type Socket } from "node:net";
import { type ByteSocket, SocketError } from "../net/byte-socket.ts";

/** Bytes that wait to be read; above it the connection is paused, so that the sender is. */
const MAX_UNREAD_BYTES = 256 * 1024;

export class NodeSocket implements ByteSocket {
  readonly remoteAddress: string;
  readonly #socket: Socket;
  readonly #chunks: Uint8Array[] = [];
  #unread = 0;
  #ended = false;
  #error: SocketError | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteAddress = addressOf(socket);
    socket.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#unread += chunk.length;
      if (this.#unread > MAX_UNREAD_BYTES) socket.pause();
      this.#wakeReader?.();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#wakeReader?.();
    });
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
    return this.#socket.writableLength;
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
      if (this.#unread <= MAX_UNREAD_BYTES / 2 && this.#socket.isPaused()) this.#socket.resume();
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
    this.#wakeReader?.();
    this.#release();
  }

  #throwIfBroken(): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.#socket.writableEnded) throw new SocketError("the connection was finished before this write");
  }

  #release(): void {
    for (const wake of this.#wakeWriters.splice(0)) wake();
  }
}

function addressOf(socket: Socket): string {
  const address = (socket.remoteAddress ?? "unknown").replace(/^::ffff:(?=\d+\.)/, "");
  return `${isIPv6(address) ? `[${address}]` : address}:${socket.remotePort ?? 0}`;
}
