/**
 * Every maximum of the HTTP/3 + WebTransport layer, and what happens at it. All of them may be overridden for one
 * server or one client connection.
 */
export interface WebTransportLimits {
  /** Connections with a finished or running handshake. One more is refused at the QUIC level (`too-many-connections`). */
  readonly maxConnections: number;
  /** Handshakes under way. One more is dropped without an answer (`too-many-half-open`). */
  readonly maxHalfOpen: number;
  /** Connections from one IP address. One more is closed after its handshake (`too-many-from-address`). */
  readonly maxConnectionsPerAddress: number;
  /** A handshake that takes longer is closed (`handshake-timeout`). */
  readonly handshakeTimeoutMs: number;
  /** A connection without a complete CONNECT request by then is closed (`no-connect-in-time`). */
  readonly connectTimeoutMs: number;
  /** A request callback that has not answered by then is answered 503 for (`decision-timeout`). */
  readonly decisionTimeoutMs: number;
  /** Encoded HEADERS frame, and decoded size as RFC 9114 4.2.2 counts it. More closes the connection (`protocol-error`). */
  readonly maxHeaderBytes: number;
  /** Fields in one header section. More closes the connection (`protocol-error`). */
  readonly maxHeaderFields: number;
  /** Payload of one SETTINGS frame. More closes the connection (`protocol-error`). */
  readonly maxSettingsBytes: number;
  /** Length of one unknown frame or capsule that is skipped. More closes the connection (`protocol-error`). */
  readonly maxSkippedRecordBytes: number;
  /** Unknown frames and capsules skipped on one stream, together. More closes the connection (`protocol-error`). */
  readonly maxSkippedStreamBytes: number;
  /** Bidirectional streams that the other side may have open at once, the CONNECT stream included. QUIC makes it wait. */
  readonly maxBidirectionalStreams: number;
  /** Unidirectional streams that the other side may have open at once, its control streams included. QUIC makes it wait. */
  readonly maxUnidirectionalStreams: number;
  /** Incoming streams held until the session is accepted and a handler attached. One more is cancelled (`held-streams-full`). */
  readonly maxHeldStreams: number;
  /** Datagram sends that Deno has not settled. One more is dropped (`queue-full`). */
  readonly maxPendingDatagrams: number;
  /** How long a closed or refused connection may live on, so that the last bytes arrive. */
  readonly closeLingerMs: number;
  /** QUIC idle timeout: a peer that vanished without a word is noticed after this time. */
  readonly maxIdleTimeoutMs: number;
  /** QUIC keep-alive. */
  readonly keepAliveIntervalMs: number;
}

export const DEFAULT_LIMITS: WebTransportLimits = {
  maxConnections: 4096,
  maxHalfOpen: 512,
  maxConnectionsPerAddress: 4096,
  handshakeTimeoutMs: 4000,
  connectTimeoutMs: 4000,
  decisionTimeoutMs: 10_000,
  maxHeaderBytes: 16_384,
  maxHeaderFields: 100,
  maxSettingsBytes: 1024,
  maxSkippedRecordBytes: 65_536,
  maxSkippedStreamBytes: 1_048_576,
  maxBidirectionalStreams: 64,
  maxUnidirectionalStreams: 64,
  maxHeldStreams: 32,
  maxPendingDatagrams: 1024,
  closeLingerMs: 1000,
  maxIdleTimeoutMs: 10_000,
  keepAliveIntervalMs: 3000,
};
