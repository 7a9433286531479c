/**
 * The slice of WebTransport that the rest of Tributary uses. Implementations: Deno (relay/deno), browser
 * (client), over TCP everywhere (core/session/reliable-session.ts), Node's native part (relay/node), memory (core/session/memory.ts,
 * for simulation). All run core/session/session.contract.ts.
 */

/** How a session ended. `code` is the application's (core/wire/close-codes.ts); `clean` = the other side said goodbye. */
export interface SessionClose {
  code: number;
  reason: string;
  clean: boolean;
}

/** A reliable, ordered stream of bytes with two directions that end separately. */
export interface ByteStream {
  /** Sends; resolves when the bytes were taken (back-pressure). Rejects with SessionClosedError once the stream is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Next chunk, or undefined at the end of the other side's direction. Rejects with SessionClosedError when cut off. */
  read(): Promise<Uint8Array | undefined>;
  /** Ends our direction; the other side reads undefined after the last byte. */
  finish(): Promise<void>;
}

/** Why a datagram was not sent. */
export type SendFault = "closed" | "queue-full" | "oversized";

export interface SessionCounters {
  datagramsSent: number;
  datagramBytesSent: number;
  datagramsReceived: number;
  datagramBytesReceived: number;
  /** Datagrams not sent, by reason. */
  dropped: Record<SendFault, number>;
}

export interface Session {
  /** For logs; not secret, not stable. */
  readonly id: string;
  /** "address:port" of the other end where known, else "". */
  readonly remoteAddress: string;
  /** URL path with query of the request that opened the session. */
  readonly path: string;
  /**
   * Bytes at the start of every buffer given to `sendDatagram` that belong to the session (its own prefix);
   * the datagram proper starts behind them. 0 in browsers, 1 over our HTTP/3 layer. Constant.
   */
  readonly datagramHeadroom: number;
  /** Names this session at the relay, for further connections that carry its datagrams (docs/wire.md, "Lanes"); undefined = it opens none. */
  readonly laneKey?: string;
  /** The relay takes so many of them. None is opened before. */
  allowLanes?(count: number): void;
  /** Such connections open now. */
  readonly lanes?: number;
  /** True: datagrams travel in order over TCP. None is lost, a late one holds up those behind it. Constant. */
  readonly isReliable?: boolean;
  /** Largest datagram proper, without headroom; may grow during a session. */
  readonly maxDatagramBytes: number;
  /**
   * Sends `buffer` (headroom + datagram) now or not at all; never queues more than a bounded number.
   * Returns undefined when taken. The buffer may be reused when the call returns, unless
   * `keepsDatagramBuffer` is true.
   */
  sendDatagram(buffer: Uint8Array): SendFault | undefined;
  /** True when the implementation holds on to sent buffers: give it a fresh one each time. Constant. */
  readonly keepsDatagramBuffer: boolean;
  /** Called for each datagram, synchronously; the bytes are the callee's until it returns. Set it at once: earlier datagrams are lost. */
  onDatagram: (bytes: Uint8Array) => void;
  /** Opens a bidirectional stream. Rejects with SessionClosedError. */
  openStream(): Promise<ByteStream>;
  /** Called for each bidirectional stream that the other side opens. Those that came before it was set are delivered when it is set. */
  onStream: (stream: ByteStream) => void;
  /** Ends the session; a second call does nothing. `reason` is cut to 512 bytes of UTF-8. */
  close(code: number, reason: string): void;
  /** Resolves (never rejects) once, when the session is over for whatever reason. */
  readonly closed: Promise<SessionClose>;
  readonly counters: Readonly<SessionCounters>;
}

/** The session or stream is over; nothing can be sent or received on it any more. */
export class SessionClosedError extends Error {
  override readonly name = "SessionClosedError";
}

export interface ConnectOptions {
  /** SHA-256 of DER, for self-signed relays. */
  certificateHashes: readonly Uint8Array[];
  timeoutMs: number;
  /** The same relay over TCP; "" or undefined = it takes none there. */
  fallbackUrl?: string | undefined;
}

/** Opens sessions: `url` is a relay's WebTransport URL with query; "" = it has no UDP. */
export type Connect = (url: string, options: ConnectOptions) => Promise<Session>;

export function emptyCounters(): SessionCounters {
  return {
    datagramsSent: 0,
    datagramBytesSent: 0,
    datagramsReceived: 0,
    datagramBytesReceived: 0,
    dropped: { closed: 0, "queue-full": 0, oversized: 0 },
  };
}
