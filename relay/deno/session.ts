/** A WebTransport session of the HTTP/3 layer as a Session (core/session/session.ts): relay's side and client's. */
import {
  type ByteStream,
  type Connect,
  emptyCounters,
  type SendFault,
  type Session,
  type SessionClose,
  SessionClosedError,
} from "../../core/session/session.ts";
import { CLOSE_CODES } from "../../core/wire/close-codes.ts";
import { MAX_CLOSE_REASON_BYTES, MAX_PENDING_DATAGRAMS } from "../../core/wire/limits.ts";
import { cutToUtf8Bytes } from "../../core/wire/utf8.ts";
import { DenoByteStream } from "./byte-stream.ts";
import { connectWebTransport, type WebTransportLimits, type WtSession } from "./webtransport/mod.ts";

/** What the layer below is told, so that its limits are the protocol's. */
export const SESSION_LIMITS: Partial<WebTransportLimits> = { maxPendingDatagrams: MAX_PENDING_DATAGRAMS };

/** Asking QUIC for its datagram maximum costs a call into Deno: once in this many sends is enough. */
const SIZE_REFRESH_SENDS = 256;

export class DenoSession implements Session {
  readonly id: string;
  readonly remoteAddress: string;
  readonly path: string;
  readonly datagramHeadroom: number;
  readonly keepsDatagramBuffer = false;
  readonly counters = emptyCounters();
  readonly closed: Promise<SessionClose>;
  onDatagram: (bytes: Uint8Array) => void = () => undefined;
  readonly #wt: WtSession;
  readonly #streams = new Set<DenoByteStream>();
  #onStream: ((stream: ByteStream) => void) | undefined;
  #maxDatagramBytes: number;
  #sendsUntilRefresh = SIZE_REFRESH_SENDS;

  /** To be made in the moment that the session begins, so that nothing is missed. */
  constructor(wt: WtSession) {
    this.#wt = wt;
    const { hostname, port } = wt.remoteAddress;
    this.remoteAddress = hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
    this.id = this.remoteAddress;
    this.path = wt.path;
    this.datagramHeadroom = wt.datagramHeadroom;
    this.#maxDatagramBytes = wt.maxDatagramSize;
    const { counters } = this;
    wt.onDatagram = (bytes) => {
      counters.datagramsReceived++;
      counters.datagramBytesReceived += bytes.length;
      this.onDatagram(bytes);
    };
    this.closed = wt.closed.then(({ code, reason, clean }) => {
      for (const stream of this.#streams) stream.cut();
      this.#streams.clear();
      return clean ? { code, reason, clean } : { code: CLOSE_CODES.lost, reason, clean };
    });
  }

  get maxDatagramBytes(): number {
    return this.#maxDatagramBytes;
  }

  sendDatagram(buffer: Uint8Array): SendFault | undefined {
    const length = buffer.length - this.datagramHeadroom;
    if (--this.#sendsUntilRefresh <= 0 || length > this.#maxDatagramBytes) this.#refreshMaximum();
    if (this.#wt.sendDatagram(buffer)) {
      this.counters.datagramsSent++;
      this.counters.datagramBytesSent += length;
      return undefined;
    }
    const fault = this.#faultOf(length);
    this.counters.dropped[fault]++;
    return fault;
  }

  #refreshMaximum(): void {
    this.#sendsUntilRefresh = SIZE_REFRESH_SENDS;
    this.#maxDatagramBytes = this.#wt.maxDatagramSize;
  }

  #faultOf(length: number): SendFault {
    if (!this.#wt.isOpen) return "closed";
    return length > this.#maxDatagramBytes ? "oversized" : "queue-full";
  }

  async openStream(): Promise<ByteStream> {
    try {
      return this.#adopt(new DenoByteStream(await this.#wt.createBidirectionalStream(), this.#forget));
    } catch (cause) {
      if (cause instanceof SessionClosedError) throw cause;
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new SessionClosedError(`no stream can be opened: ${detail}`, { cause });
    }
  }

  #adopt(stream: DenoByteStream): DenoByteStream {
    if (!this.#wt.isOpen) {
      stream.cut();
      throw new SessionClosedError("the session ended while a stream was opened");
    }
    this.#streams.add(stream);
    return stream;
  }

  readonly #forget = (stream: DenoByteStream): void => {
    this.#streams.delete(stream);
  };

  get onStream(): (stream: ByteStream) => void {
    return this.#onStream ?? (() => undefined);
  }

  set onStream(listener: (stream: ByteStream) => void) {
    this.#onStream = listener;
    this.#wt.onBidirectionalStream = (stream) => {
      if (!this.#wt.isOpen) return;
      this.#onStream?.(this.#adopt(new DenoByteStream(stream, this.#forget)));
    };
  }

  close(code: number, reason: string): void {
    this.#wt.close({ code, reason: cutToUtf8Bytes(reason, MAX_CLOSE_REASON_BYTES) });
  }
}

/** Dials a relay from Deno: bridge, relay links, load generators. Rejects with WebTransportConnectError. */
export const connectSession: Connect = async (url, { certificateHashes, timeoutMs }) => {
  let session: DenoSession | undefined;
  const wt = await connectWebTransport(url, {
    timeoutMs,
    limits: SESSION_LIMITS,
    ...(certificateHashes.length > 0 ? { serverCertificateHashes: certificateHashes } : {}),
    onSession: (opened) => {
      session = new DenoSession(opened);
    },
  });
  return session ?? new DenoSession(wt);
};
