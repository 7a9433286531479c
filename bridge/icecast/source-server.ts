/**
 * Takes connections of Icecast source clients (ffmpeg, libshout, butt, BUTT's kin) from a listener and runs a session on each: limits on how
 * many there are, on those that send no sound yet, and on wrong stream keys from one address.
 */
import type { Clock } from "../../core/clock.ts";
import type { ByteSocket } from "../net/byte-socket.ts";
import { guardedAddress, KeyGuard } from "../rtmp/key-guard.ts";
import { Publications } from "../rtmp/publications.ts";
import type { OpenSoundDecoder } from "../sound/sound-decoder.ts";
import type { AuthoriseIcecast } from "./icecast-sink.ts";
import { MAX_CONNECTIONS, MAX_WAITING_PER_ADDRESS } from "./limits.ts";
import type { Source } from "./source.ts";
import { SourceSession } from "./source-session.ts";

export interface SourceServerOptions {
  clock: Clock;
  /** Called once for each request with credentials, before anything is said to have worked. */
  authorise: AuthoriseIcecast;
  openDecoder: OpenSoundDecoder;
  /** One sentence for each refusal, beginning and end; never holds a stream key. */
  log(line: string): void;
}

export class SourceServer {
  readonly #options: SourceServerOptions;
  readonly #sessions = new Set<SourceSession>();
  readonly #publications: Publications;
  readonly #guard: KeyGuard;
  readonly #sources = new Map<string, Source>();
  /** Connections that send no sound yet, by address. */
  readonly #waiting = new Map<string, number>();
  #closed = false;

  constructor(options: SourceServerOptions) {
    this.#options = options;
    this.#publications = new Publications(options.clock);
    this.#guard = new KeyGuard(options.clock);
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** Sources that send. */
  get sources(): number {
    return this.#sources.size;
  }

  /** Takes over the socket. Resolves when its connection is gone; rejects only with faults of ours. */
  async accept(socket: ByteSocket): Promise<void> {
    const { clock, authorise, openDecoder, log } = this.#options;
    const address = guardedAddress(socket.remoteAddress);
    const refusal = this.#refusal(address);
    if (refusal !== undefined) {
      log(`Icecast from ${socket.remoteAddress} refused: ${refusal}.`);
      socket.destroy();
      return;
    }
    this.#count(address, 1);
    let waits = true;
    const session = new SourceSession({
      socket,
      clock,
      authorise,
      openDecoder,
      log,
      publications: this.#publications,
      sources: this.#sources,
      isBlocked: () => this.#guard.isBlocked(address),
      onWrongKey: () => this.#guard.wrongKey(address),
      onSource: () => {
        waits = false;
        this.#count(address, -1);
      },
    });
    this.#sessions.add(session);
    try {
      await session.run();
    } finally {
      if (waits) this.#count(address, -1);
      this.#sessions.delete(session);
    }
  }

  /** Ends every source and takes no further connection. */
  close(message: string): void {
    this.#closed = true;
    for (const session of this.#sessions) session.shutDown(message);
  }

  #refusal(address: string): string | undefined {
    if (this.#closed) return "this server is closing";
    if (this.#sessions.size >= MAX_CONNECTIONS) return `${MAX_CONNECTIONS} connections are open`;
    if ((this.#waiting.get(address) ?? 0) >= MAX_WAITING_PER_ADDRESS) {
      return `${MAX_WAITING_PER_ADDRESS} connections from this address send no sound yet`;
    }
    return undefined;
  }

  #count(address: string, step: 1 | -1): void {
    const count = (this.#waiting.get(address) ?? 0) + step;
    if (count > 0) this.#waiting.set(address, count);
    else this.#waiting.delete(address);
  }
}
