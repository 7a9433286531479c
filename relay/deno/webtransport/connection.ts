/**
 * One HTTP/3 connection, server or client side (RFC 9114, sections 3 and 6): its control streams, the parsing of every
 * incoming stream and datagram, and which of them belong to the session.
 */
import { ByteSource, discardStream, StreamAbortedError } from "./byte-streams.ts";
import { ConnectStream } from "./connect-stream.ts";
import { ControlStreamReader, encodeFrame } from "./frames.ts";
import {
  FRAME_SETTINGS,
  H3_CLOSED_CRITICAL_STREAM,
  H3_DATAGRAM_ERROR,
  H3_ID_ERROR,
  H3_NO_ERROR,
  H3_STREAM_CREATION_ERROR,
  Http3Error,
  QPACK_ENCODER_STREAM_ERROR,
  STREAM_CONTROL,
  STREAM_QPACK_DECODER,
  STREAM_QPACK_ENCODER,
} from "./http3-codes.ts";
import type { WebTransportLimits } from "./limits.ts";
import type { WtSession } from "./session.ts";
import type { SessionCloseInfo } from "./session-figures.ts";
import { encodeSettings, ownSettings, type Settings } from "./settings.ts";
import { type StreamOpening, StreamOpeningReader } from "./stream-opening.ts";
import {
  concatBytes,
  encodeVarints,
  readVarint,
  VARINT_INCOMPLETE,
  varintLengthFromFirstByte,
} from "./varint.ts";

/** Why something that reached a connection was dropped or the connection was closed. */
export const CONNECTION_DROP_REASONS = [
  /** The other side broke a rule of HTTP/3; the connection was closed with that rule's code. */
  "protocol-error",
  /** A datagram before the session was accepted. */
  "early-datagram",
  /** A datagram or stream of a session that this connection does not have. */
  "unknown-session",
  /** More than `maxHeldStreams` streams before the session was accepted. */
  "held-streams-full",
  /** A stream that was reset before it said what it is. */
  "aborted-stream",
] as const;
export type ConnectionDropReason = (typeof CONNECTION_DROP_REASONS)[number];

export interface ConnectionSetup {
  readonly quic: Deno.QuicConn;
  readonly role: "server" | "client";
  readonly limits: WebTransportLimits;
  readonly onDrop: (reason: ConnectionDropReason) => void;
  /** Gets each request stream; a server only. */
  readonly onRequest: (stream: ConnectStream) => Promise<void>;
}

/** How a connection ended, as the session reports it. */
type EndInfo = SessionCloseInfo & { readonly clean: false };

interface WaitingStream {
  readonly sessionId: number;
  readonly source: ByteSource;
  readonly writable: WritableStream<Uint8Array> | null;
}

export class Http3Connection {
  /** Settles when the connection is gone, never rejects. */
  readonly ended: Promise<EndInfo>;
  /** Settles with the other side's SETTINGS; never, where the connection ends before. */
  readonly peerSettings: Promise<Settings>;

  readonly #quic: Deno.QuicConn;
  readonly #setup: ConnectionSetup;
  readonly #settlePeerSettings: (settings: Settings) => void;
  readonly #seenUniqueStreams = new Set<StreamOpening["kind"]>();
  /** Our control streams. Deno finishes a stream that is garbage collected, and their end is the connection's end. */
  readonly #criticalWriters: WritableStreamDefaultWriter<Uint8Array>[] = [];
  #waiting: WaitingStream[] = [];
  #session: WtSession | null = null;
  #localError: Http3Error | null = null;
  #isOver = false;
  #lingerTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(setup: ConnectionSetup) {
    this.#setup = setup;
    this.#quic = setup.quic;
    const settings = Promise.withResolvers<Settings>();
    this.peerSettings = settings.promise;
    this.#settlePeerSettings = settings.resolve;
    this.ended = this.#quic.closed.then(
      ({ closeCode, reason }) =>
        this.#onEnded(`closed by the other side, code ${closeCode} ${reason}`.trim()),
      (error: unknown) => this.#onEnded(error instanceof Error ? error.message : String(error)),
    );
  }

  get session(): WtSession | null {
    return this.#session;
  }

  /** Sends SETTINGS and begins to read. To be called once, after the handshake. Rejects when the connection is gone. */
  async start(): Promise<void> {
    const settings = encodeSettings(ownSettings(this.#setup.limits.maxHeaderBytes));
    await this.#openCriticalStream(
      concatBytes(encodeVarints(STREAM_CONTROL), encodeFrame(FRAME_SETTINGS, settings)),
    );
    void this.#readDatagrams();
    void this.#acceptStreams();
    void this.#acceptRequests();
    // QPACK without a dynamic table has nothing to say on its two streams; some clients wait for them to exist.
    await this.#openCriticalStream(encodeVarints(STREAM_QPACK_ENCODER));
    await this.#openCriticalStream(encodeVarints(STREAM_QPACK_DECODER));
  }

  /** Opens the request stream of a client. */
  async openConnectStream(): Promise<ConnectStream> {
    const stream = await this.#quic.createBidirectionalStream({ waitUntilAvailable: true });
    const id = Number(stream.writable.id);
    return new ConnectStream(
      id,
      new ByteSource(stream.readable),
      stream.writable.getWriter(),
      this.#setup.limits,
    );
  }

  /** Makes `session` the session of this connection: its streams so far are handed over, its datagrams from now on. */
  attach(session: WtSession, connectStream: ConnectStream): void {
    this.#session = session;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const stream of waiting) this.#deliverStream(stream);
    void this.#readCapsules(session, connectStream);
  }

  /** Lets the last bytes arrive, then closes the connection, unless the other side does so first. */
  closeSoon(): void {
    if (this.#isOver || this.#lingerTimer !== undefined) return;
    this.#lingerTimer = setTimeout(() => this.closeNow(), this.#setup.limits.closeLingerMs);
  }

  /** Closes the connection at once; bytes on their way are lost. */
  closeNow(code: number = H3_NO_ERROR, reason = ""): void {
    if (this.#isOver) return;
    clearTimeout(this.#lingerTimer);
    this.#quic.close({ closeCode: code, reason });
  }

  /** Closes the connection because of something that a stream threw; anything but an Http3Error only ends that stream. */
  fail(error: unknown): void {
    if (!(error instanceof Http3Error) || this.#isOver || this.#localError !== null) return;
    this.#localError = error;
    this.#setup.onDrop("protocol-error");
    this.closeNow(error.code, error.message);
  }

  #onEnded(words: string): EndInfo {
    this.#isOver = true;
    clearTimeout(this.#lingerTimer);
    for (const { source, writable } of this.#waiting) void discardStream(source, writable);
    this.#waiting = [];
    const reason =
      this.#localError === null ? `connection lost: ${words}` : `protocol error: ${this.#localError.message}`;
    const info: EndInfo = { code: 0, reason, clean: false };
    this.#session?.receiveEnd(info);
    return info;
  }

  async #openCriticalStream(bytes: Uint8Array): Promise<void> {
    const stream = await this.#quic.createUnidirectionalStream({ waitUntilAvailable: true });
    const writer = stream.getWriter();
    this.#criticalWriters.push(writer);
    writer.closed.catch(() => undefined);
    // Never closed: closing it would be an error (RFC 9114, 6.2.1).
    await writer.write(bytes);
  }

  async #readDatagrams(): Promise<void> {
    try {
      for (;;) this.#deliverDatagram(await this.#quic.readDatagram());
    } catch (error) {
      this.fail(error);
    }
  }

  #deliverDatagram(bytes: Uint8Array): void {
    const quarterId =
      bytes.length > 0 && (bytes[0] as number) < 0x40 ? (bytes[0] as number) : readVarint(bytes, 0);
    if (quarterId === VARINT_INCOMPLETE)
      throw new Http3Error(H3_DATAGRAM_ERROR, "A datagram without a session id.");
    const session = this.#session;
    if (session === null) this.#setup.onDrop("early-datagram");
    else if (session.id !== quarterId * 4) this.#setup.onDrop("unknown-session");
    else session.receiveDatagram(bytes.subarray(varintLengthFromFirstByte(bytes[0] as number)));
  }

  async #acceptStreams(): Promise<void> {
    try {
      for await (const stream of this.#quic.incomingUnidirectionalStreams) {
        void this.#serveStream(new ByteSource(stream), null, 0);
      }
    } catch {
      // The connection is gone; `ended` says how.
    }
  }

  async #acceptRequests(): Promise<void> {
    try {
      for await (const stream of this.#quic.incomingBidirectionalStreams) {
        void this.#serveStream(new ByteSource(stream.readable), stream.writable, Number(stream.readable.id));
      }
    } catch {
      // The connection is gone; `ended` says how.
    }
  }

  /** Each stream is read on its own, so an idle one holds up nobody. */
  async #serveStream(
    source: ByteSource,
    writable: WritableStream<Uint8Array> | null,
    id: number,
  ): Promise<void> {
    try {
      const openingReader = new StreamOpeningReader(writable === null ? "unidirectional" : "bidirectional");
      let opening: StreamOpening | null = null;
      while (opening === null) {
        const chunk = await source.read();
        if (chunk === null) return await discardStream(source, writable);
        opening = openingReader.push(chunk);
      }
      source.unread(opening.rest);
      await this.#serveOpened(opening, source, writable, id);
    } catch (error) {
      if (error instanceof StreamAbortedError && !this.#isOver) this.#setup.onDrop("aborted-stream");
      this.fail(error);
      await discardStream(source, writable);
    }
  }

  async #serveOpened(
    opening: StreamOpening,
    source: ByteSource,
    writable: WritableStream<Uint8Array> | null,
    id: number,
  ): Promise<void> {
    if (opening.kind === "webtransport") {
      this.#deliverStream({ sessionId: opening.sessionId, source, writable });
    } else if (opening.kind === "request" && writable !== null) {
      if (this.#setup.role === "client") {
        throw new Http3Error(H3_STREAM_CREATION_ERROR, "A server must not open request streams.");
      }
      await this.#setup.onRequest(new ConnectStream(id, source, writable.getWriter(), this.#setup.limits));
    } else if (opening.kind === "push") {
      const isServer = this.#setup.role === "server";
      throw new Http3Error(isServer ? H3_STREAM_CREATION_ERROR : H3_ID_ERROR, "Server push was not offered.");
    } else if (opening.kind === "unknown") {
      await source.cancel();
    } else {
      await this.#readCriticalStream(opening.kind, source);
    }
  }

  async #readCriticalStream(kind: StreamOpening["kind"], source: ByteSource): Promise<void> {
    if (this.#seenUniqueStreams.has(kind)) {
      throw new Http3Error(H3_STREAM_CREATION_ERROR, `A second ${kind} stream.`);
    }
    this.#seenUniqueStreams.add(kind);
    const control = kind === "control" ? new ControlStreamReader(this.#setup.limits) : null;
    try {
      for (let chunk = await source.read(); chunk !== null; chunk = await source.read()) {
        if (kind === "qpack-encoder" && chunk.some((byte) => byte !== EMPTY_TABLE_INSTRUCTION)) {
          throw new Http3Error(QPACK_ENCODER_STREAM_ERROR, "The dynamic table has a capacity of 0.");
        }
        control?.push(chunk, (event) => {
          if (event.kind === "settings") this.#settlePeerSettings(event.settings);
          else this.#session?.receiveCapsule({ kind: "drain" });
        });
      }
    } catch (error) {
      if (error instanceof Http3Error) throw error;
    }
    // Either side's connection close ends its streams too; `fail` knows the difference.
    await Promise.resolve();
    if (!this.#isOver && this.#session?.isOpen !== false) {
      throw new Http3Error(H3_CLOSED_CRITICAL_STREAM, `The ${kind} stream was closed.`);
    }
  }

  #deliverStream({ sessionId, source, writable }: WaitingStream): void {
    const session = this.#session;
    if (session !== null && session.id === sessionId) {
      if (writable === null) session.receiveStream({ kind: "unidirectional", source, writable });
      else session.receiveStream({ kind: "bidirectional", source, writable });
      return;
    }
    if (session === null && !this.#isOver && this.#waiting.length < this.#setup.limits.maxHeldStreams) {
      this.#waiting.push({ sessionId, source, writable });
      return;
    }
    this.#setup.onDrop(session === null ? "held-streams-full" : "unknown-session");
    void discardStream(source, writable);
  }

  async #readCapsules(session: WtSession, connectStream: ConnectStream): Promise<void> {
    try {
      const wasClosedHere = await connectStream
        .readCapsules((event) => session.receiveCapsule(event))
        .then(() => !session.isOpen && !session.wasClosedRemotely);
      // A clean end without a close capsule means code 0 and no reason.
      session.receiveEnd({ code: 0, reason: "", clean: true });
      // The other side has seen our close; when it was the first to close, it also closes the connection.
      if (wasClosedHere) this.closeNow();
    } catch (error) {
      this.fail(error);
      // What ended the stream may be the end of the connection, which says more.
      setTimeout(() => session.receiveEnd({ code: 0, reason: "the session was aborted", clean: false }), 0);
    }
  }
}

/** Set Dynamic Table Capacity to 0 (RFC 9204, 4.3.1): all that an encoder without a table may say. */
const EMPTY_TABLE_INSTRUCTION = 0x20;
