/**
 * Two ends of a session in one process, over a simulated network (core/session/network-path.ts): for tests and
 * simulation. Everything happens through the clock that is handed in, so a virtual clock makes it repeatable.
 */
import { type Clock, every, type Random, type Timer } from "../clock.ts";
import { CLOSE_CODES } from "../wire/close-codes.ts";
import { MAX_CLOSE_REASON_BYTES, MAX_PENDING_DATAGRAMS } from "../wire/limits.ts";
import { cutToUtf8Bytes } from "../wire/utf8.ts";
import { MemoryPipe } from "./memory-pipe.ts";
import { type NetworkOptions, NetworkPath } from "./network-path.ts";
import {
  type ByteStream,
  emptyCounters,
  type SendFault,
  type Session,
  type SessionClose,
  SessionClosedError,
} from "./session.ts";

export interface MemorySessionOptions {
  clock: Clock;
  random: Random;
  /** From the dialling end to the accepting one; a NetworkPath may be shared with other sessions. */
  up?: Partial<NetworkOptions> | NetworkPath;
  down?: Partial<NetworkOptions> | NetworkPath;
  path?: string;
  /** Default 1200. */
  maxDatagramBytes?: number;
  /** Default 1, as over the HTTP/3 layer. */
  datagramHeadroom?: number;
  /** True: sent buffers are kept until they arrive, as in a browser. Default false. */
  keepsDatagramBuffer?: boolean;
  /** True: datagrams travel as over TCP (Session.isReliable). Default false. */
  isReliable?: boolean;
  /** Silence of the path after which an end gives up. Default 10 s. */
  idleTimeoutMs?: number;
}

export interface MemorySessionPair {
  dialled: MemorySession;
  accepted: MemorySession;
  /** Network from dialled to accepted, and back. */
  up: NetworkPath;
  down: NetworkPath;
}

let nextId = 1;

export function createMemorySessionPair(options: MemorySessionOptions): MemorySessionPair {
  const up = pathOf(options, options.up);
  const down = pathOf(options, options.down);
  const id = nextId++;
  const dialled = new MemorySession(`memory-${id}-dialled`, options, up);
  const accepted = new MemorySession(`memory-${id}-accepted`, options, down);
  dialled.connectTo(accepted);
  accepted.connectTo(dialled);
  return { dialled, accepted, up, down };
}

function pathOf(
  options: MemorySessionOptions,
  path: Partial<NetworkOptions> | NetworkPath = {},
): NetworkPath {
  return path instanceof NetworkPath ? path : new NetworkPath(options.clock, options.random, path);
}

const STREAM_OVERHEAD_BYTES = 40;

class MemorySession implements Session {
  readonly id: string;
  readonly remoteAddress = "";
  readonly path: string;
  readonly datagramHeadroom: number;
  readonly maxDatagramBytes: number;
  readonly keepsDatagramBuffer: boolean;
  readonly isReliable: boolean;
  readonly counters = emptyCounters();
  readonly closed: Promise<SessionClose>;
  onDatagram: (bytes: Uint8Array) => void = () => {};
  readonly #clock: Clock;
  readonly #out: NetworkPath;
  readonly #idleTimeoutMs: number;
  readonly #written = new Set<MemoryPipe>();
  readonly #readFrom = new Set<MemoryPipe>();
  #other!: MemorySession;
  readonly #settlePending = (): void => {
    this.#pending = 0;
  };
  #settle!: (close: SessionClose) => void;
  #open = true;
  #pending = 0;
  #waitingStreams: ByteStream[] = [];
  #onStream: ((stream: ByteStream) => void) | undefined;
  #watch: Timer | undefined;
  #silentSinceUs: number | undefined;

  constructor(id: string, options: MemorySessionOptions, out: NetworkPath) {
    this.id = id;
    this.path = options.path ?? "/";
    this.#clock = options.clock;
    this.#out = out;
    this.datagramHeadroom = options.datagramHeadroom ?? 1;
    this.maxDatagramBytes = options.maxDatagramBytes ?? 1200;
    this.keepsDatagramBuffer = options.keepsDatagramBuffer ?? false;
    this.isReliable = options.isReliable ?? false;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 10_000;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** For createMemorySessionPair. */
  connectTo(other: MemorySession): void {
    this.#other = other;
    this.#watch = every(this.#clock, this.#idleTimeoutMs / 4, () => this.#checkIdle());
  }

  sendDatagram(buffer: Uint8Array): SendFault | undefined {
    const length = buffer.length - this.datagramHeadroom;
    const fault = this.#sendFault(length);
    if (fault !== undefined) {
      this.counters.dropped[fault]++;
      return fault;
    }
    this.#pending++;
    this.counters.datagramsSent++;
    this.counters.datagramBytesSent += length;
    // A kept buffer is read on arrival, so that a caller who reuses one is found out.
    const view = buffer.subarray(this.datagramHeadroom);
    const bytes = this.keepsDatagramBuffer ? view : view.slice();
    if (this.isReliable) {
      const copy = bytes.slice();
      this.#out.reliable(length, () => this.#other.#arrive(copy));
      return undefined;
    }
    const mayComeAgain = this.#out.options.duplicate > 0;
    const isOwn = !this.keepsDatagramBuffer && !mayComeAgain;
    this.#out.datagram(length, () => this.#other.#arrive(isOwn ? bytes : bytes.slice()));
    return undefined;
  }

  #sendFault(length: number): SendFault | undefined {
    if (!this.#open) return "closed";
    if (length > this.maxDatagramBytes) return "oversized";
    // What is sent at one instant is what a real implementation would have pending.
    if (this.#pending === 0) this.#clock.after(0, this.#settlePending);
    return this.#pending >= MAX_PENDING_DATAGRAMS ? "queue-full" : undefined;
  }

  #arrive(bytes: Uint8Array): void {
    if (!this.#open) return;
    this.counters.datagramsReceived++;
    this.counters.datagramBytesReceived += bytes.length;
    this.onDatagram(bytes);
  }

  async openStream(): Promise<ByteStream> {
    if (!this.#open) throw new SessionClosedError("the session is closed");
    const other = this.#other;
    const outward = new MemoryPipe(this.#out, STREAM_OVERHEAD_BYTES);
    const inward = new MemoryPipe(other.#out, STREAM_OVERHEAD_BYTES);
    this.#adopt(outward, inward);
    other.#adopt(inward, outward);
    this.#out.reliable(STREAM_OVERHEAD_BYTES, () => {
      if (other.#open) other.#takeStream(streamOf(inward, outward));
    });
    return streamOf(outward, inward);
  }

  #adopt(outward: MemoryPipe, inward: MemoryPipe): void {
    this.#written.add(outward);
    this.#readFrom.add(inward);
  }

  #takeStream(stream: ByteStream): void {
    if (this.#onStream === undefined) this.#waitingStreams.push(stream);
    else this.#onStream(stream);
  }

  get onStream(): (stream: ByteStream) => void {
    return this.#onStream ?? (() => {});
  }

  set onStream(listener: (stream: ByteStream) => void) {
    this.#onStream = listener;
    for (const stream of this.#waitingStreams.splice(0)) listener(stream);
  }

  close(code: number, reason: string): void {
    if (!this.#open) return;
    const close = { code, reason: cutToUtf8Bytes(reason, MAX_CLOSE_REASON_BYTES), clean: true };
    this.#end(close);
    const other = this.#other;
    this.#out.reliable(STREAM_OVERHEAD_BYTES, () => other.#end(close));
  }

  /** Ends this end without a word, as a killed process does; the other notices by its idle timeout. */
  vanish(): void {
    this.#end({ code: CLOSE_CODES.lost, reason: "vanished", clean: false });
  }

  #checkIdle(): void {
    const nowUs = this.#clock.nowUs();
    const silent = this.#other.#out.options.down || !this.#other.#open;
    if (!silent) {
      this.#silentSinceUs = undefined;
      return;
    }
    this.#silentSinceUs ??= nowUs;
    if (nowUs - this.#silentSinceUs >= this.#idleTimeoutMs * 750) {
      this.#end({ code: CLOSE_CODES.lost, reason: "idle timeout", clean: false });
    }
  }

  #end(close: SessionClose): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watch?.cancel();
    for (const pipe of this.#written) pipe.cutWriter();
    for (const pipe of this.#readFrom) pipe.cutReader();
    this.#written.clear();
    this.#readFrom.clear();
    this.#waitingStreams = [];
    this.#settle(close);
  }
}

function streamOf(outward: MemoryPipe, inward: MemoryPipe): ByteStream {
  return {
    write: (bytes) => outward.write(bytes),
    read: () => inward.read(),
    finish: () => outward.finish(),
  };
}
