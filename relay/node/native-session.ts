/**
 * A session of the package over HTTP/3 as a Session (core/session/session.ts), by the interface that it shares with
 * browsers: real datagrams and streams, where its native part is installed.
 */
import {
  type ByteStream,
  emptyCounters,
  type SendFault,
  type Session,
  type SessionClose,
  SessionClosedError,
} from "../../core/session/session.ts";
import { type WebBidirectionalStream, WebByteStream } from "../../core/session/web-byte-stream.ts";
import { CLOSE_CODES } from "../../core/wire/close-codes.ts";
import { MAX_CLOSE_REASON_BYTES, MAX_PENDING_DATAGRAMS } from "../../core/wire/limits.ts";
import { cutToUtf8Bytes } from "../../core/wire/utf8.ts";

/** What is used of the package's session. */
export interface NativeTransport {
  readonly closed: Promise<{ closeCode?: number; reason?: string }>;
  readonly peerAddress?: string | undefined;
  readonly datagrams: {
    readonly maxDatagramSize: number;
    readonly readable: ReadableStream<Uint8Array>;
    createWritable(): WritableStream<Uint8Array>;
  };
  readonly incomingBidirectionalStreams: ReadableStream<WebBidirectionalStream>;
  createBidirectionalStream(): Promise<WebBidirectionalStream>;
  close(info: { closeCode: number; reason: string }): void;
}

/** Longer writes are cut off by the package without a word. */
const MAX_WRITE_BYTES = 8 * 1024;

let nextId = 1;

export class NativeSession implements Session {
  readonly id = `native-${nextId++}`;
  readonly remoteAddress: string;
  readonly path: string;
  readonly datagramHeadroom = 0;
  readonly keepsDatagramBuffer = true;
  readonly counters = emptyCounters();
  readonly closed: Promise<SessionClose>;
  onDatagram: (bytes: Uint8Array) => void = () => undefined;
  readonly #transport: NativeTransport;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #early: ByteStream[] = [];
  #onStream: ((stream: ByteStream) => void) | undefined;
  #pending = 0;
  #isOver = false;
  /** Set by our own close: the package does not tell us of it. */
  #ownClose: SessionClose | undefined;
  #settleOwn!: (close: SessionClose) => void;

  constructor(transport: NativeTransport, path: string) {
    this.#transport = transport;
    this.path = path;
    this.remoteAddress = transport.peerAddress ?? "";
    this.#writer = transport.datagrams.createWritable().getWriter();
    this.#writer.closed.catch(() => undefined);
    const own = new Promise<SessionClose>((resolve) => {
      this.#settleOwn = resolve;
    });
    this.closed = Promise.race([own, this.#watchClose()]).finally(() => {
      this.#isOver = true;
    });
    void this.#readDatagrams();
    void this.#acceptStreams();
  }

  get maxDatagramBytes(): number {
    return this.#transport.datagrams.maxDatagramSize;
  }

  sendDatagram(buffer: Uint8Array): SendFault | undefined {
    const fault = this.#sendFault(buffer.length);
    if (fault !== undefined) {
      this.counters.dropped[fault]++;
      return fault;
    }
    this.counters.datagramsSent++;
    this.counters.datagramBytesSent += buffer.length;
    this.#pending++;
    const settled = (): void => {
      this.#pending--;
    };
    this.#writer.write(buffer).then(settled, settled);
    return undefined;
  }

  #sendFault(length: number): SendFault | undefined {
    if (this.#isOver) return "closed";
    if (length > this.maxDatagramBytes) return "oversized";
    return this.#pending >= MAX_PENDING_DATAGRAMS ? "queue-full" : undefined;
  }

  async openStream(): Promise<ByteStream> {
    if (this.#isOver) throw new SessionClosedError("the session is over; no stream can be opened");
    try {
      return new WebByteStream(await this.#transport.createBidirectionalStream(), MAX_WRITE_BYTES);
    } catch (cause) {
      throw new SessionClosedError("no stream can be opened", { cause });
    }
  }

  get onStream(): (stream: ByteStream) => void {
    return this.#onStream ?? (() => undefined);
  }

  set onStream(listener: (stream: ByteStream) => void) {
    this.#onStream = listener;
    for (const stream of this.#early.splice(0)) listener(stream);
  }

  close(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const info = { closeCode: code, reason: cutToUtf8Bytes(reason, MAX_CLOSE_REASON_BYTES) };
    this.#ownClose = { code, reason: info.reason, clean: true };
    this.#transport.close(info);
    this.#settleOwn(this.#ownClose);
  }

  async #watchClose(): Promise<SessionClose> {
    try {
      const { closeCode = 0, reason = "" } = await this.#transport.closed;
      return this.#ownClose ?? { code: closeCode, reason, clean: true };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return this.#ownClose ?? { code: CLOSE_CODES.lost, reason, clean: false };
    }
  }

  async #readDatagrams(): Promise<void> {
    await each(this.#transport.datagrams.readable, (bytes) => {
      this.counters.datagramsReceived++;
      this.counters.datagramBytesReceived += bytes.length;
      this.onDatagram(bytes);
    });
  }

  async #acceptStreams(): Promise<void> {
    await each(this.#transport.incomingBidirectionalStreams, (opened) => {
      const stream = new WebByteStream(opened, MAX_WRITE_BYTES);
      if (this.#onStream === undefined) this.#early.push(stream);
      else this.#onStream(stream);
    });
  }
}

async function each<T>(stream: ReadableStream<T>, take: (value: T) => void): Promise<void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      take(value);
    }
  } catch {
    // The session is ending; `closed` says why.
  }
}
