/** Session over the browser's WebTransport (core/session/session.ts), for workers and windows. */
import {
  type ByteStream,
  type Connect,
  emptyCounters,
  type SendFault,
  type Session,
  type SessionClose,
  SessionClosedError,
  type SessionCounters,
} from "../../core/session/session.ts";
import { CLOSE_CODES } from "../../core/wire/close-codes.ts";
import { MAX_PENDING_DATAGRAMS } from "../../core/wire/limits.ts";

/**
 * Writes that may be under way in the browser at once. Its own queue has no drop policy: with more it would
 * fill with stale datagrams on a slow uplink, out of our reach.
 */
const MAX_WRITES_UNDER_WAY = 2;
/** A datagram that waited this long is of no use any more and is dropped as `queue-full`. */
const MAX_QUEUE_AGE_MS = 250;
/** Datagrams that the browser may hold for us while this thread is busy. */
const INCOMING_DATAGRAMS = 1_024;
const MAX_REASON_BYTES = 512;

let nextId = 1;

/** Opens a session with a relay; the hashes are for relays with a self-signed certificate. */
export const connectBrowser: Connect = async (url, { certificateHashes, timeoutMs }) => {
  if (typeof WebTransport === "undefined") {
    throw new SessionClosedError("this browser has no WebTransport; use a current Chrome, Edge or Firefox");
  }
  const options: WebTransportOptions = { congestionControl: "low-latency", requireUnreliable: true };
  if (certificateHashes.length > 0) {
    options.serverCertificateHashes = certificateHashes.map((hash) => ({
      algorithm: "sha-256",
      value: hash.slice(),
    }));
  }
  const transport = new WebTransport(url, options);
  transport.closed.catch(() => undefined);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SessionClosedError(`no answer in ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([transport.ready, timeout]);
  } catch (cause) {
    transport.close();
    if (cause instanceof SessionClosedError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new SessionClosedError(`the WebTransport session was refused or cut off: ${detail}`, { cause });
  } finally {
    clearTimeout(timer);
  }
  return new BrowserSession(transport, new URL(url));
};

interface QueuedDatagram {
  bytes: Uint8Array<ArrayBuffer>;
  queuedMs: number;
}

class BrowserSession implements Session {
  readonly id = `wt-${nextId++}`;
  readonly remoteAddress: string;
  readonly path: string;
  readonly datagramHeadroom = 0;
  readonly keepsDatagramBuffer = true;
  readonly closed: Promise<SessionClose>;
  readonly #transport: WebTransport;
  readonly #counters = emptyCounters();
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #queue: QueuedDatagram[] = [];
  readonly #earlyStreams: ByteStream[] = [];
  #underWay = 0;
  #over = false;
  /** Set by our own close: browsers then resolve `closed` with it. */
  #ownClose: SessionClose | undefined;
  #onStream: ((stream: ByteStream) => void) | undefined;
  onDatagram: (bytes: Uint8Array) => void = () => undefined;

  constructor(transport: WebTransport, url: URL) {
    this.#transport = transport;
    this.remoteAddress = url.host;
    this.path = url.pathname + url.search;
    transport.datagrams.incomingHighWaterMark = INCOMING_DATAGRAMS;
    this.#writer = transport.datagrams.writable.getWriter();
    this.closed = this.#watchClose();
    void this.#readDatagrams();
    void this.#acceptStreams();
  }

  get counters(): Readonly<SessionCounters> {
    return this.#counters;
  }

  get maxDatagramBytes(): number {
    return this.#transport.datagrams.maxDatagramSize;
  }

  get onStream(): (stream: ByteStream) => void {
    return this.#onStream ?? (() => undefined);
  }

  set onStream(handler: (stream: ByteStream) => void) {
    this.#onStream = handler;
    for (const stream of this.#earlyStreams.splice(0)) handler(stream);
  }

  sendDatagram(buffer: Uint8Array): SendFault | undefined {
    if (this.#over) return this.#refuse("closed");
    if (buffer.length > this.maxDatagramBytes) return this.#refuse("oversized");
    if (this.#queue.length >= MAX_PENDING_DATAGRAMS) return this.#refuse("queue-full");
    this.#queue.push({ bytes: buffer as Uint8Array<ArrayBuffer>, queuedMs: performance.now() });
    this.#counters.datagramsSent++;
    this.#counters.datagramBytesSent += buffer.length;
    if (this.#underWay < MAX_WRITES_UNDER_WAY) this.#pump();
    return undefined;
  }

  #refuse(fault: SendFault): SendFault {
    this.#counters.dropped[fault]++;
    return fault;
  }

  #pump(): void {
    while (this.#underWay < MAX_WRITES_UNDER_WAY) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      if (performance.now() - next.queuedMs > MAX_QUEUE_AGE_MS) {
        this.#counters.dropped["queue-full"]++;
        this.#counters.datagramsSent--;
        this.#counters.datagramBytesSent -= next.bytes.length;
        continue;
      }
      this.#underWay++;
      this.#writer.write(next.bytes).then(this.#written, this.#writeFailed);
    }
  }

  readonly #written = (): void => {
    this.#underWay--;
    this.#pump();
  };

  readonly #writeFailed = (): void => {
    // The session is ending; `closed` says why.
    this.#underWay--;
    this.#queue.length = 0;
  };

  async openStream(): Promise<ByteStream> {
    try {
      return new BrowserStream(await this.#transport.createBidirectionalStream());
    } catch (cause) {
      throw new SessionClosedError("the session is over; no stream can be opened", { cause });
    }
  }

  close(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue.length = 0;
    const shortReason = cutToBytes(reason, MAX_REASON_BYTES);
    this.#ownClose = { code, reason: shortReason, clean: true };
    this.#transport.close({ closeCode: code, reason: shortReason });
  }

  async #watchClose(): Promise<SessionClose> {
    try {
      const info = await this.#transport.closed;
      return this.#ownClose ?? { code: info.closeCode ?? 0, reason: info.reason ?? "", clean: true };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return this.#ownClose ?? { code: CLOSE_CODES.lost, reason, clean: false };
    } finally {
      this.#over = true;
      this.#queue.length = 0;
    }
  }

  async #readDatagrams(): Promise<void> {
    const reader = this.#transport.datagrams.readable.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const bytes: Uint8Array = value;
        this.#counters.datagramsReceived++;
        this.#counters.datagramBytesReceived += bytes.length;
        this.onDatagram(bytes);
      }
    } catch {
      // The session is ending; `closed` says why.
    }
  }

  async #acceptStreams(): Promise<void> {
    const reader = this.#transport.incomingBidirectionalStreams.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const stream = new BrowserStream(value);
        if (this.#onStream === undefined) this.#earlyStreams.push(stream);
        else this.#onStream(stream);
      }
    } catch {
      // The session is ending; `closed` says why.
    }
  }
}

class BrowserStream implements ByteStream {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(stream: WebTransportBidirectionalStream) {
    this.#writer = stream.writable.getWriter();
    this.#reader = stream.readable.getReader();
    this.#writer.closed.catch(() => undefined);
    this.#reader.closed.catch(() => undefined);
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      // A copy: the writer may be given a view into a pool that changes before the browser takes it.
      await this.#writer.write(bytes.slice());
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

function cutToBytes(text: string, maxBytes: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxBytes) return text;
  return new TextDecoder().decode(bytes.subarray(0, maxBytes)).replace(/\uFFFD+$/u, "");
}
