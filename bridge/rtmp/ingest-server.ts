/**
 * Takes RTMP connections from a listener and runs a session on each: limits on how many there are, on those that do not publish yet,
 * and on wrong stream keys from one address.
 */
import type { Clock, Random } from "../../core/clock.ts";
import type { ByteSocket } from "../net/byte-socket.ts";
import { IngestSession } from "./ingest-session.ts";
import type { Authorise } from "./ingest-sink.ts";
import { guardedAddress, KeyGuard } from "./key-guard.ts";
import {
  MAX_CONNECTIONS,
  MAX_LOG_LINES_PER_SECOND,
  MAX_UNPUBLISHED,
  MAX_UNPUBLISHED_PER_ADDRESS,
} from "./limits.ts";
import { Publications } from "./publications.ts";

export interface IngestServerOptions {
  clock: Clock;
  random: Random;
  /** Called once for each attempt to publish, before anything is said to have started. */
  authorise: Authorise;
  /** One sentence for each refusal, beginning and end; never holds a stream key. */
  log(line: string): void;
}

export class IngestServer {
  readonly #options: IngestServerOptions;
  readonly #sessions = new Set<IngestSession>();
  readonly #publications: Publications;
  readonly #guard: KeyGuard;
  /** Connections that do not publish yet, by address. */
  readonly #unpublished = new Map<string, number>();
  #unpublishedCount = 0;
  /** Of the second that `#logSecond` began. */
  #logLines = 0;
  #logSecond = 0;
  #closed = false;

  constructor(options: IngestServerOptions) {
    this.#options = options;
    this.#publications = new Publications(options.clock);
    this.#guard = new KeyGuard(options.clock);
  }

  get connections(): number {
    return this.#sessions.size;
  }

  get publications(): number {
    return this.#publications.size;
  }

  /** Takes over the socket. Resolves when its connection is gone; rejects only with faults of ours. */
  async accept(socket: ByteSocket): Promise<void> {
    const address = guardedAddress(socket.remoteAddress);
    const refusal = this.#refusal(address);
    if (refusal !== undefined) {
      this.#log(`RTMP from ${socket.remoteAddress} refused: ${refusal}`);
      socket.destroy();
      return;
    }
    const { clock, random, authorise } = this.#options;
    this.#count(address, 1);
    let waits = true;
    const session = new IngestSession({
      socket,
      clock,
      random,
      authorise,
      log: (line) => this.#log(line),
      publications: this.#publications,
      isBlocked: () => this.#guard.isBlocked(address),
      onWrongKey: () => this.#guard.wrongKey(address),
      onPublishing: (publishing) => {
        waits = !publishing;
        this.#count(address, publishing ? -1 : 1);
      },
    });
    this.#sessions.add(session);
    try {
      await session.run();
    } finally {
      if (waits) this.#count(address, -1);
      this.#sessions.delete(session);
      socket.destroy();
    }
  }

  /** Ends every publication, `message` is told to its sender, and takes no further connection. */
  close(message: string): void {
    this.#closed = true;
    for (const session of this.#sessions) session.shutDown(message);
  }

  #log(line: string): void {
    const second = Math.floor(this.#options.clock.nowUs() / 1e6);
    if (second !== this.#logSecond) {
      const left = this.#logLines - MAX_LOG_LINES_PER_SECOND;
      this.#logSecond = second;
      this.#logLines = 0;
      if (left > 0) this.#options.log(`RTMP: ${left} more lines were left out, there were too many at once`);
    }
    if (++this.#logLines <= MAX_LOG_LINES_PER_SECOND) this.#options.log(line);
  }

  #refusal(address: string): string | undefined {
    if (this.#closed) return "this server is closing";
    if (this.#sessions.size >= MAX_CONNECTIONS) return `${MAX_CONNECTIONS} connections are open`;
    if (this.#unpublishedCount >= MAX_UNPUBLISHED) return `${MAX_UNPUBLISHED} connections do not publish yet`;
    if ((this.#unpublished.get(address) ?? 0) >= MAX_UNPUBLISHED_PER_ADDRESS) {
      return `${MAX_UNPUBLISHED_PER_ADDRESS} connections from this address do not publish yet`;
    }
    return undefined;
  }

  #count(address: string, step: 1 | -1): void {
    this.#unpublishedCount += step;
    const count = (this.#unpublished.get(address) ?? 0) + step;
    if (count > 0) this.#unpublished.set(address, count);
    else this.#unpublished.delete(address);
  }
}
