/**
 * The server's side of TLS over a TCP connection that we read ourselves. Deno's node:tls (2.9) reads a server's connection without
 * end whoever pauses it, and never tells that it was closed; so what it may read, and that it was closed, is decided here.
 */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { type SecureContext, TLSSocket } from "node:tls";
import { addressOf, NodeSocket } from "./node-socket.ts";

/** After the connection's end, so long for what was decrypted last to come out. */
const LAST_BYTES_MS = 50;

/** Ciphertext on its way to TLS, which goes on only while nobody holds it. */
class Gate extends Duplex {
  readonly #raw: Socket;
  #held = false;

  constructor(raw: Socket) {
    super({ allowHalfOpen: true });
    this.#raw = raw;
    raw.on("data", (chunk: Uint8Array) => {
      if (!this.push(chunk)) raw.pause();
    });
    raw.on("end", () => this.push(null));
    raw.on("close", () => this.destroy());
  }

  hold(): void {
    this.#held = true;
    this.#raw.pause();
  }

  release(): void {
    this.#held = false;
    this.#raw.resume();
  }

  override _read(): void {
    if (!this.#held) this.#raw.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#raw.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#raw.end(done);
  }
}

/** Calls `onSecure` when the handshake was made; without one within `timeoutMs` the connection is cut off. */
export function secureServerSide(
  raw: Socket,
  secureContext: SecureContext,
  timeoutMs: number,
  onSecure: (socket: NodeSocket) => void,
): void {
  const gate = new Gate(raw);
  const timer = setTimeout(() => raw.destroy(), timeoutMs);
  const secure = new TLSSocket(gate, { isServer: true, secureContext });
  secure.once("secure", () => {
    clearTimeout(timer);
    onSecure(
      new NodeSocket(secure, addressOf(raw), {
        hold: () => gate.hold(),
        release: () => gate.release(),
        destroy: () => raw.destroy(),
        queuedBytes: () => gate.writableLength + raw.writableLength,
        onEnd: (listener) => raw.once("end", () => setTimeout(listener, LAST_BYTES_MS)),
      }),
    );
  });
  // Somebody who does not speak TLS is not our fault, and must not end the process.
  secure.on("error", () => raw.destroy());
  gate.on("error", () => raw.destroy());
  raw.on("error", () => secure.destroy());
  raw.on("close", () => {
    clearTimeout(timer);
    secure.destroy();
  });
}
