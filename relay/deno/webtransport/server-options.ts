/** What a server is told and what it tells: options, requests and decisions, the reasons of its refusals. */
import type { ConnectRequest } from "./connect-headers.ts";
import { CONNECTION_DROP_REASONS } from "./connection.ts";
import type { WebTransportLimits } from "./limits.ts";
import type { WtSession } from "./session.ts";

/** A request to open a session, and where it comes from. */
export interface SessionRequest extends ConnectRequest {
  readonly remoteAddress: { readonly hostname: string; readonly port: number };
}

/** The answer to a request. A refusal's status is 300 to 599; browsers only learn that they were refused. */
export type SessionDecision =
  | { readonly accept: true; readonly onSession?: (session: WtSession) => void }
  | { readonly accept: false; readonly status: number };

export interface WebTransportServerOptions {
  /** Default 0.0.0.0. */
  readonly hostname?: string;
  /** Default 0: any free port, see `WebTransportServer.port`. */
  readonly port?: number;
  /** Certificate chain, PEM. */
  readonly cert: string;
  /** Private key, PEM. */
  readonly key: string;
  /** Decides about each request; default: every one is accepted. Throwing answers 500. */
  readonly onRequest?: (request: SessionRequest) => SessionDecision | Promise<SessionDecision>;
  /** Gets each session in the moment it begins; handlers set inside miss nothing. */
  readonly onSession?: (session: WtSession) => void;
  readonly limits?: Partial<WebTransportLimits>;
  /** Told what a callback of the application threw. Default: console.error. */
  readonly onHandlerError?: (error: unknown) => void;
}

/** Why a connection, request, datagram or stream was turned away. */
export const REFUSAL_REASONS = [
  ...CONNECTION_DROP_REASONS,
  "too-many-connections",
  "too-many-half-open",
  "too-many-from-address",
  "handshake-failed",
  "handshake-timeout",
  "no-connect-in-time",
  "decision-timeout",
  "decision-failed",
  "refused-by-application",
  "not-webtransport",
  "second-session",
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export interface WebTransportServerStats {
  /** Now. */
  readonly connections: number;
  readonly halfOpen: number;
  readonly sessions: number;
  /** Since the start. */
  readonly connectionsAccepted: number;
  readonly sessionsAccepted: number;
  readonly refused: Readonly<Record<RefusalReason, number>>;
}
