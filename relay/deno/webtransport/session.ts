/**
 * One WebTransport session, server or client: datagrams, streams, drain and close
 * (draft-ietf-webtrans-http3, sections 4 to 6), over one Deno.QuicConn.
 */
import { ByteSource, discardStream, toWritable, type WtBidirectionalStream } from "./byte-streams.ts";
import { type CapsuleEvent, encodeCloseCapsule, encodeDrainCapsule } from "./capsules.ts";
import type { ConnectStream } from "./connect-stream.ts";
import { SIGNAL_WEBTRANSPORT_BIDIRECTIONAL, STREAM_WEBTRANSPORT_UNIDIRECTIONAL } from "./http3-codes.ts";
import type { WebTransportLimits } from "./limits.ts";
import {
  SESSION_DROP_REASONS,
  type SessionCloseInfo,
  type SessionDropReason,
  type SessionStats,
} from "./session-figures.ts";
import { encodeVarints } from "./varint.ts";

/** What a session is opened with; made by the server and the client of this layer. */
export interface SessionSetup {
  readonly quic: Deno.QuicConn;
  readonly connectStream: ConnectStream;
  readonly limits: WebTransportLimits;
  readonly authority: string;
  readonly path: string;
  readonly origin: string | undefined;
  readonly headers: ReadonlyMap<string, string>;
  /** Called once, when the session has ended, so that the connection can follow. */
  readonly onEnded: (info: SessionCloseInfo) => void;
  /** Told what a handler threw. */
  readonly onHandlerError: (error: unknown) => void;
}

/** QUIC send order of a stream: higher goes first. */
export interface StreamOptions {
  readonly sendOrder?: number;
}

type IncomingStream =
  | {
      readonly kind: "bidirectional";
      readonly source: ByteSource;
      readonly writable: WritableStream<Uint8Array>;
    }
  | { readonly kind: "unidirectional"; readonly source: ByteSource; readonly writable: null };

/** The path's datagram maximum is asked again after this many sends: it grows with path MTU discovery. */
const SIZE_REFRESH_SENDS = 256;

export class WtSession {
  /** The id of the CONNECT stream; 0 for the first of a connection. */
  readonly id: number;
  /** Where the other side was when the session began (QUIC may migrate later). */
  readonly remoteAddress: { readonly hostname: string; readonly port: number };
  readonly authority: string;
  /** Path and query of the request. */
  readonly path: string;
  readonly origin: string | undefined;
  /** Of the request on the server, of the response on the client. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes at the front of every buffer given to `sendDatagram` that belong to this layer. */
  readonly datagramHeadroom: number;
  /** Settles once, never rejects. */
  readonly closed: Promise<SessionCloseInfo>;
  /**
   * Gets each datagram without the layer's prefix. The bytes are the receiver's own. Set it in the callback that hands
   * over the session; without a handler datagrams are dropped (`no-handler`).
   */
  onDatagram: ((bytes: Uint8Array) => void) | null = null;
  /** The other side asked for this session to end soon and be opened again, perhaps elsewhere. */
  onDrain: (() => void) | null = null;

  readonly #quic: Deno.QuicConn;
  readonly #connectStream: ConnectStream;
  readonly #setup: SessionSetup;
  readonly #prefix: Uint8Array;
  readonly #maxPending: number;
  readonly #settleClosed: (info: SessionCloseInfo) => void;
  readonly #dropped: Record<SessionDropReason, number>;
  /** Writers of unfinished streams: Deno would finish one that the application lets go of, at a moment of its choice. */
  readonly #unfinished = new Set<WritableStreamDefaultWriter<Uint8Array>>();
  #held: IncomingStream[] = [];
  #onBidirectionalStream: ((stream: WtBidirectionalStream) => void) | null = null;
  #onUnidirectionalStream: ((readable: ReadableStream<Uint8Array>) => void) | null = null;
  #isOpen = true;
  #wasClosedRemotely = false;
  #pending = 0;
  #maxLength = 0;
  #sendsUntilRefresh = 0;
  #datagramsSent = 0;
  #datagramBytesSent = 0;
  #datagramsReceived = 0;
  #datagramBytesReceived = 0;
  #streamsOpened = 0;
  #streamsAccepted = 0;

  constructor(setup: SessionSetup) {
    this.#setup = setup;
    this.#quic = setup.quic;
    this.#connectStream = setup.connectStream;
    this.#maxPending = setup.limits.maxPendingDatagrams;
    this.id = setup.connectStream.id;
    this.authority = setup.authority;
    this.path = setup.path;
    this.origin = setup.origin;
    this.headers = setup.headers;
    const { hostname, port } = setup.quic.remoteAddr;
    this.remoteAddress = { hostname: hostname.replace(/^::ffff:(?=\d+\.)/, ""), port };
    this.#prefix = encodeVarints(this.id / 4);
    this.datagramHeadroom = this.#prefix.length;
    this.#dropped = Object.fromEntries(SESSION_DROP_REASONS.map((reason) => [reason, 0])) as Record<
      SessionDropReason,
      number
    >;
    const closed = Promise.withResolvers<SessionCloseInfo>();
    this.closed = closed.promise;
    this.#settleClosed = closed.resolve;
  }

  /** True until either side has closed or the connection is gone. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** True when the other side's close came before ours. */
  get wasClosedRemotely(): boolean {
    return this.#wasClosedRemotely;
  }

  /** The longest payload, in bytes, that a datagram may carry now; a buffer is `datagramHeadroom` longer. 0 when closed. */
  get maxDatagramSize(): number {
    if (this.#isOpen) this.#refreshMaxLength();
    return this.#isOpen ? Math.max(0, this.#maxLength - this.datagramHeadroom) : 0;
  }

  /**
   * Sends `buffer` from its byte `datagramHeadroom` on; the bytes before are overwritten with the session's prefix, so
   * nothing is copied here. Deno copies before this returns: the buffer may be changed and sent again at once.
   * Answers false, and counts why, when the datagram was dropped.
   */
  sendDatagram(buffer: Uint8Array): boolean {
    const { length } = buffer;
    if (!this.#isOpen) return this.#drop("closed");
    if (this.#pending >= this.#maxPending) return this.#drop("queue-full");
    if (this.#sendsUntilRefresh === 0 || length > this.#maxLength) this.#refreshMaxLength();
    if (length > this.#maxLength) return this.#drop("too-large");
    if (this.datagramHeadroom === 1) buffer[0] = this.#prefix[0] as number;
    else buffer.set(this.#prefix);
    this.#sendsUntilRefresh -= 1;
    this.#pending += 1;
    this.#datagramsSent += 1;
    this.#datagramBytesSent += length;
    this.#quic.sendDatagram(buffer).then(this.#sendSettled, this.#sendFailed);
    return true;
  }

  /** Opens a stream; waits while the other side allows no more. Rejects when the session is over. */
  async createBidirectionalStream(options: StreamOptions = {}): Promise<WtBidirectionalStream> {
    this.#requireOpen();
    const stream = await this.#quic.createBidirectionalStream({ ...options, waitUntilAvailable: true });
    const writer = stream.writable.getWriter();
    const source = new ByteSource(stream.readable);
    const writable = this.#handOut(writer);
    await writer.write(encodeVarints(SIGNAL_WEBTRANSPORT_BIDIRECTIONAL, this.id));
    this.#streamsOpened += 1;
    return { readable: source.toReadable(), writable };
  }

  /** Opens a one-way stream; waits while the other side allows no more. Rejects when the session is over. */
  async createUnidirectionalStream(options: StreamOptions = {}): Promise<WritableStream<Uint8Array>> {
    this.#requireOpen();
    const stream = await this.#quic.createUnidirectionalStream({ ...options, waitUntilAvailable: true });
    const writer = stream.getWriter();
    const writable = this.#handOut(writer);
    await writer.write(encodeVarints(STREAM_WEBTRANSPORT_UNIDIRECTIONAL, this.id));
    this.#streamsOpened += 1;
    return writable;
  }

  /** Gets the streams that the other side opens; those that came before it was set are handed over at once. */
  set onBidirectionalStream(handler: ((stream: WtBidirectionalStream) => void) | null) {
    this.#onBidirectionalStream = handler;
    this.#deliverHeld();
  }

  get onBidirectionalStream(): ((stream: WtBidirectionalStream) => void) | null {
    return this.#onBidirectionalStream;
  }

  /** Gets the one-way streams that the other side opens; those that came before it was set are handed over at once. */
  set onUnidirectionalStream(handler: ((readable: ReadableStream<Uint8Array>) => void) | null) {
    this.#onUnidirectionalStream = handler;
    this.#deliverHeld();
  }

  get onUnidirectionalStream(): ((readable: ReadableStream<Uint8Array>) => void) | null {
    return this.#onUnidirectionalStream;
  }

  /** Asks the other side to finish and open a new session; browsers settle `draining`. This one goes on. */
  drain(): void {
    if (this.#isOpen) this.#connectStream.send(encodeDrainCapsule());
  }

  /**
   * Ends the session for both sides. `code` is an unsigned 32-bit number, `reason` at most 1024 bytes of UTF-8 (cut).
   * Unfinished streams and datagrams not yet sent are lost. A second call does nothing.
   */
  close(info: { readonly code?: number; readonly reason?: string } = {}): void {
    if (!this.#isOpen) return;
    const { code = 0, reason = "" } = info;
    this.#connectStream.send(encodeCloseCapsule(code, reason));
    this.#end({ code, reason, clean: true });
  }

  stats(): SessionStats {
    return {
      datagramsSent: this.#datagramsSent,
      datagramBytesSent: this.#datagramBytesSent,
      datagramsReceived: this.#datagramsReceived,
      datagramBytesReceived: this.#datagramBytesReceived,
      datagramsPending: this.#pending,
      streamsOpened: this.#streamsOpened,
      streamsAccepted: this.#streamsAccepted,
      dropped: { ...this.#dropped },
    };
  }

  /** For the connection: a datagram of this session, without its prefix. */
  receiveDatagram(bytes: Uint8Array): void {
    const handler = this.onDatagram;
    if (handler === null || !this.#isOpen) {
      this.#drop(this.#isOpen ? "no-handler" : "closed");
      return;
    }
    this.#datagramsReceived += 1;
    this.#datagramBytesReceived += bytes.length;
    this.#guard(() => handler(bytes));
  }

  /** For the connection: a stream of this session, behind its opening. */
  receiveStream(stream: IncomingStream): void {
    const isFull = this.#held.length >= this.#setup.limits.maxHeldStreams;
    if (!this.#isOpen || isFull) {
      this.#drop(this.#isOpen ? "held-streams-full" : "closed");
      void discardStream(stream.source, stream.writable);
      return;
    }
    this.#held.push(stream);
    this.#deliverHeld();
  }

  /** For the connection: a capsule that came on the CONNECT stream. */
  receiveCapsule(event: CapsuleEvent): void {
    if (event.kind === "close") {
      this.#wasClosedRemotely = this.#isOpen;
      this.#end({ code: event.code, reason: event.reason, clean: true });
      return;
    }
    const handler = this.onDrain;
    if (handler !== null && this.#isOpen) this.#guard(handler);
  }

  /** For the connection: the CONNECT stream or the whole connection is over. Does nothing when the session has ended. */
  receiveEnd(info: SessionCloseInfo): void {
    this.#end(info);
  }

  readonly #sendSettled = (): void => {
    this.#pending -= 1;
  };

  readonly #sendFailed = (): void => {
    this.#pending -= 1;
    this.#sendsUntilRefresh = 0;
    this.#drop(this.#isOpen ? "send-failed" : "closed");
  };

  #refreshMaxLength(): void {
    this.#maxLength = this.#quic.maxDatagramSize;
    this.#sendsUntilRefresh = SIZE_REFRESH_SENDS;
  }

  #drop(reason: SessionDropReason): false {
    this.#dropped[reason] += 1;
    return false;
  }

  #handOut(writer: WritableStreamDefaultWriter<Uint8Array>): WritableStream<Uint8Array> {
    this.#unfinished.add(writer);
    return toWritable(writer, () => this.#unfinished.delete(writer));
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw new Error("The WebTransport session is closed: open a new one.");
  }

  #deliverHeld(): void {
    const waiting = this.#held;
    this.#held = [];
    for (const stream of waiting) {
      const onBidirectional = this.#onBidirectionalStream;
      const onUnidirectional = this.#onUnidirectionalStream;
      if (stream.kind === "bidirectional" && onBidirectional !== null) {
        this.#streamsAccepted += 1;
        const writable = this.#handOut(stream.writable.getWriter());
        this.#guard(() => onBidirectional({ readable: stream.source.toReadable(), writable }));
      } else if (stream.kind === "unidirectional" && onUnidirectional !== null) {
        this.#streamsAccepted += 1;
        this.#guard(() => onUnidirectional(stream.source.toReadable()));
      } else {
        this.#held.push(stream);
      }
    }
  }

  /** A handler that throws is a fault of this end: it costs this one session, not the process. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#setup.onHandlerError(error);
      this.close({ code: 0, reason: "internal error" });
    }
  }

  #end(info: SessionCloseInfo): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const stream of this.#held) void discardStream(stream.source, stream.writable);
    this.#held = [];
    this.#unfinished.clear();
    this.#settleClosed(info);
    this.#setup.onEnded(info);
  }
}
