/** HTTP/3 + WebTransport for Deno: server, client and session. See README.md. */
export { StreamAbortedError, type WtBidirectionalStream } from "./byte-streams.ts";
export {
  type ConnectFailure,
  connectWebTransport,
  type WebTransportClientOptions,
  WebTransportConnectError,
} from "./client.ts";
export { DEFAULT_LIMITS, type WebTransportLimits } from "./limits.ts";
export {
  REFUSAL_REASONS,
  type RefusalReason,
  type SessionDecision,
  type SessionRequest,
  serveWebTransport,
  type WebTransportServer,
  type WebTransportServerOptions,
  type WebTransportServerStats,
} from "./server.ts";
export {
  SESSION_DROP_REASONS,
  type SessionCloseInfo,
  type SessionDropReason,
  type SessionStats,
  type StreamOptions,
  type WtSession,
} from "./session.ts";
