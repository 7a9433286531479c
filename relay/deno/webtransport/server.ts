/**
 * A WebTransport server on Deno.QuicEndpoint: admits connections within limits, puts each CONNECT request to the
 * application, and turns accepted ones into sessions.
 */
import { type ConnectRequest, parseRequest, responseFields } from "./connect-headers.ts";
import type { ConnectStream } from "./connect-stream.ts";
import { Http3Connection } from "./connection.ts";
import { H3_EXCESSIVE_LOAD, H3_NO_ERROR, H3_REQUEST_INCOMPLETE } from "./http3-codes.ts";
import { DEFAULT_LIMITS, type WebTransportLimits } from "./limits.ts";
import {
  REFUSAL_REASONS,
  type RefusalReason,
  type SessionDecision,
  type SessionRequest,
  type WebTransportServerOptions,
  type WebTransportServerStats,
} from "./server-options.ts";
import { WtSession } from "./session.ts";

const SECOND_SESSION_STATUS = 429;

/** Starts a server; throws when the address is taken or the certificate is unusable. */
export function serveWebTransport(options: WebTransportServerOptions): WebTransportServer {
  return new WebTransportServer(options);
}

export class WebTransportServer {
  readonly port: number;
  readonly hostname: string;
  onSession: ((session: WtSession) => void) | null;

  readonly #options: WebTransportServerOptions;
  readonly #limits: WebTransportLimits;
  readonly #endpoint: Deno.QuicEndpoint;
  /** Every listener ever made: when an old one is garbage collected, Deno takes the endpoint's configuration away. */
  readonly #listeners: Deno.QuicListener[] = [];
  readonly #connections = new Set<Http3Connection>();
  readonly #sessions = new Set<WtSession>();
  readonly #countByAddress = new Map<string, number>();
  readonly #refused: Record<RefusalReason, number>;
  #halfOpen = 0;
  #connectionsAccepted = 0;
  #sessionsAccepted = 0;
  #isClosing = false;

  constructor(options: WebTransportServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.onSession = options.onSession ?? null;
    this.#refused = Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, 0])) as Record<
      RefusalReason,
      number
    >;
    this.#endpoint = new Deno.QuicEndpoint({
      hostname: options.hostname ?? "0.0.0.0",
      port: options.port ?? 0,
    });
    this.hostname = this.#endpoint.addr.hostname;
    this.port = this.#endpoint.addr.port;
    try {
      void this.#acceptConnections(this.#listen(options.cert, options.key));
    } catch (error) {
      this.#endpoint.close();
      throw error;
    }
  }

  /** The URL of a path on this server, with `host` (default: localhost) in it. */
  url(host = "localhost", path = "/"): string {
    return `https://${host}:${this.port}${path}`;
  }

  /** The sessions that are open now. */
  get sessions(): ReadonlySet<WtSession> {
    return this.#sessions;
  }

  /** New connections get this certificate from now on; running sessions are not touched. Throws when it is unusable. */
  updateCertificate(cert: string, key: string): void {
    // The first listener's loop goes on accepting: the configuration belongs to the endpoint.
    this.#listen(cert, key);
  }

  stats(): WebTransportServerStats {
    return {
      connections: this.#connections.size,
      halfOpen: this.#halfOpen,
      sessions: this.#sessions.size,
      connectionsAccepted: this.#connectionsAccepted,
      sessionsAccepted: this.#sessionsAccepted,
      refused: { ...this.#refused },
    };
  }

  /** Refuses new connections, closes every session with this code and reason, and settles when all is over. */
  async close(info: { readonly code?: number; readonly reason?: string } = {}): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#listeners.at(-1)?.stop();
    const ends = [...this.#connections].map((connection) => {
      connection.session?.close(info);
      connection.closeSoon();
      return connection.ended;
    });
    await Promise.all(ends);
    this.#endpoint.close({ closeCode: H3_NO_ERROR, reason: info.reason ?? "" });
  }

  #listen(cert: string, key: string): Deno.QuicListener {
    const limits = this.#limits;
    const listener = this.#endpoint.listen({
      cert,
      key,
      alpnProtocols: ["h3"],
      congestionControl: "low-latency",
      maxIdleTimeout: limits.maxIdleTimeoutMs,
      keepAliveInterval: limits.keepAliveIntervalMs,
      maxConcurrentBidirectionalStreams: limits.maxBidirectionalStreams,
      maxConcurrentUnidirectionalStreams: limits.maxUnidirectionalStreams,
    });
    this.#listeners.push(listener);
    return listener;
  }

  async #acceptConnections(listener: Deno.QuicListener): Promise<void> {
    try {
      for (;;) this.#admit(await listener.incoming());
    } catch {
      // The endpoint is closed.
    }
  }

  #admit(incoming: Deno.QuicIncoming): void {
    try {
      // Nothing may be read from `incoming` before: reading its address uses it up.
      if (this.#isClosing || this.#connections.size + this.#halfOpen >= this.#limits.maxConnections) {
        this.#refused["too-many-connections"] += 1;
        incoming.refuse();
      } else if (this.#halfOpen >= this.#limits.maxHalfOpen) {
        this.#refused["too-many-half-open"] += 1;
        incoming.ignore();
      } else {
        // "0-RTT" hands over the connection while its handshake runs, so that it can be timed out.
        void this.#shakeHands(incoming.accept({ zeroRtt: true }));
      }
    } catch {
      this.#refused["handshake-failed"] += 1;
    }
  }

  async #shakeHands(quic: Deno.QuicConn): Promise<void> {
    this.#halfOpen += 1;
    let isTimedOut = false as boolean;
    const timer = setTimeout(() => {
      isTimedOut = true;
      quic.close({ closeCode: H3_EXCESSIVE_LOAD, reason: "handshake took too long" });
    }, this.#limits.handshakeTimeoutMs);
    const lost = quic.closed.then(
      () => false,
      () => false,
    );
    const isDone = await Promise.race([
      lost,
      quic.handshake.then(
        () => true,
        () => false,
      ),
    ]);
    clearTimeout(timer);
    this.#halfOpen -= 1;
    if (isDone && !isTimedOut) this.#serve(quic);
    else this.#refused[isTimedOut ? "handshake-timeout" : "handshake-failed"] += 1;
  }

  #serve(quic: Deno.QuicConn): void {
    const address = quic.remoteAddr.hostname;
    const fromAddress = this.#countByAddress.get(address) ?? 0;
    if (fromAddress >= this.#limits.maxConnectionsPerAddress) {
      this.#refused["too-many-from-address"] += 1;
      quic.close({ closeCode: H3_EXCESSIVE_LOAD, reason: "too many connections from this address" });
      return;
    }
    this.#countByAddress.set(address, fromAddress + 1);
    this.#connectionsAccepted += 1;
    let sawRequest = false;
    const connection: Http3Connection = new Http3Connection({
      quic,
      role: "server",
      limits: this.#limits,
      onDrop: (reason) => {
        this.#refused[reason] += 1;
      },
      onRequest: async (stream) => {
        const fields = await stream.readHeaders();
        const isFirst = !sawRequest;
        sawRequest = true;
        clearTimeout(timer);
        const parsed = parseRequest(fields);
        if ("status" in parsed)
          await this.#refuse(connection, stream, "not-webtransport", parsed.status, isFirst);
        else if (isFirst) await this.#decide(connection, quic, stream, parsed);
        else await this.#refuse(connection, stream, "second-session", SECOND_SESSION_STATUS, false);
      },
    });
    this.#connections.add(connection);
    const timer = setTimeout(() => {
      this.#refused["no-connect-in-time"] += 1;
      connection.closeNow(H3_REQUEST_INCOMPLETE, "no CONNECT request in time");
    }, this.#limits.connectTimeoutMs);
    void connection.ended.then(() => {
      clearTimeout(timer);
      this.#connections.delete(connection);
      const left = (this.#countByAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#countByAddress.delete(address);
      else this.#countByAddress.set(address, left);
    });
    connection.start().catch(() => undefined);
  }

  async #decide(
    connection: Http3Connection,
    quic: Deno.QuicConn,
    stream: ConnectStream,
    request: ConnectRequest,
  ): Promise<void> {
    const { hostname, port } = quic.remoteAddr;
    const decision = await this.#ask({
      ...request,
      remoteAddress: { hostname: plainAddress(hostname), port },
    });
    if (!decision.accept) {
      await this.#refuse(connection, stream, decision.reason, decision.status, true);
      return;
    }
    await stream.sendHeaders(responseFields(200, request.headers));
    const session: WtSession = new WtSession({
      ...request,
      quic,
      connectStream: stream,
      limits: this.#limits,
      onEnded: () => {
        this.#sessions.delete(session);
        stream.finish();
        connection.closeSoon();
      },
      onHandlerError: (error) => this.#reportHandlerError(error),
    });
    this.#sessions.add(session);
    this.#sessionsAccepted += 1;
    try {
      this.onSession?.(session);
      decision.onSession?.(session);
    } catch (error) {
      this.#reportHandlerError(error);
      session.close({ code: 0, reason: "internal error" });
    }
    connection.attach(session, stream);
    if (this.#isClosing) session.close();
  }

  /** The application's answer; a refusal of ours when it throws or takes too long. */
  async #ask(
    request: SessionRequest,
  ): Promise<
    Extract<SessionDecision, { accept: true }> | { accept: false; status: number; reason: RefusalReason }
  > {
    const { onRequest } = this.#options;
    if (onRequest === undefined) return { accept: true };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), this.#limits.decisionTimeoutMs);
    });
    try {
      const decision = await Promise.race([timeout, (async () => onRequest(request))()]);
      if (decision === null) return { accept: false, status: 503, reason: "decision-timeout" };
      return decision.accept ? decision : { ...decision, reason: "refused-by-application" };
    } catch (error) {
      this.#reportHandlerError(error);
      return { accept: false, status: 500, reason: "decision-failed" };
    } finally {
      clearTimeout(timer);
    }
  }

  async #refuse(
    connection: Http3Connection,
    stream: ConnectStream,
    reason: RefusalReason,
    status: number,
    isLast: boolean,
  ): Promise<void> {
    this.#refused[reason] += 1;
    await stream.sendHeaders(responseFields(status, new Map()));
    stream.finish();
    if (isLast) connection.closeSoon();
  }

  #reportHandlerError(error: unknown): void {
    (this.#options.onHandlerError ?? console.error)(error);
  }
}

/** An IPv4 address that came through an IPv6 socket, as IPv4. */
function plainAddress(hostname: string): string {
  return hostname.replace(/^::ffff:(?=\d+\.)/, "");
}
