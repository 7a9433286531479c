/** HTTP/3 + WebTransport for Deno: server, client and session. See README.md. */
export { StreamAbortedError, type WtBidirectionalStream } from "./byte-streams.ts";
export {
  type ConnectFailure,
  connectWebTransport,
  type WebTransportClientOptions,
  WebTransportConnectError,
} from "./client.ts";
export { DEFAULT_LIMITS, type WebTransportLimits } from "./limits.ts";
export { serveWebTransport, type WebTransportServer } from "./server.ts";
export {
  REFUSAL_REASONS,
  type RefusalReason,
  type SessionDecision,
  type SessionRequest,
  type WebTransportServerOptions,
  type WebTransportServerStats,
} from "./server-options.ts";
export type { StreamOptions, WtSession } from "./session.ts";
export {
  SESSION_DROP_REASONS,
  type SessionCloseInfo,
  type SessionDropReason,
  type SessionStats,
} from "./session-figures.ts";
