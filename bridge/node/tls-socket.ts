/**
 * TLS over a TCP connection that we read ourselves. Deno's node:tls (2.9) reads a connection without end whoever pauses it, and a
 * server's never tells that it was closed; so what it may read, and that it was closed, is decided here.
 */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect, type SecureContext, TLSSocket } from "node:tls";
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

/** The server's side: calls `onSecure` when the handshake was made; without one within `timeoutMs` the connection is cut off. */
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
    onSecure(socketOf(raw, gate, secure));
  });
  raw.once("close", () => clearTimeout(timer));
  dieTogether(raw, gate, secure);
}

export interface TlsClientOptions {
  /** Undefined: no SNI; `host` has to be in the certificate all the same. */
  serverName: string | undefined;
  host: string;
  /** Root certificates, PEM; undefined: the runtime's. */
  ca: string | undefined;
}

/** The client's side. Rejects with whatever the handshake failed of; who waits too long destroys `raw`. */
export function secureClientSide(raw: Socket, options: TlsClientOptions): Promise<NodeSocket> {
  const { serverName, host, ca } = options;
  const gate = new Gate(raw);
  const secure = connect({
    socket: gate,
    host,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(ca === undefined ? {} : { ca }),
  });
  return new Promise((resolve, reject) => {
    secure.once("secureConnect", () => resolve(socketOf(raw, gate, secure)));
    secure.once("error", reject);
    raw.once("close", () => reject(new Error("it was closed during the TLS handshake")));
    dieTogether(raw, gate, secure);
  });
}

function socketOf(raw: Socket, gate: Gate, secure: TLSSocket): NodeSocket {
  return new NodeSocket(secure, addressOf(raw), {
    hold: () => gate.hold(),
    release: () => gate.release(),
    destroy: () => raw.destroy(),
    queuedBytes: () => gate.writableLength + raw.writableLength,
    onEnd: (listener) => raw.once("end", () => setTimeout(listener, LAST_BYTES_MS)),
  });
}

function dieTogether(raw: Socket, gate: Gate, secure: TLSSocket): void {
  // Somebody who does not speak TLS is not our fault, and must not end the process.
  secure.on("error", () => raw.destroy());
  gate.on("error", () => raw.destroy());
  raw.on("error", (error) => secure.destroy(error));
  raw.on("close", () => secure.destroy());
}
