/**
 * Takes sessions over TCP: WebSockets and HTTP/2 with the package's server, each as a Session. It bounds connections and
 * counts whatever it turns away. Where runtimes differ, they hand their part in.
 */
import type { Clock } from "../../core/clock.ts";
import { ReliableSession } from "../../core/session/reliable-session.ts";
import type { Session } from "../../core/session/session.ts";
import { TCP_CLOSE_LINGER_MS } from "../../core/wire/limits.ts";
import { calmPings } from "./calm-pings.ts";
import {
  CONNECTION_LIMITS,
  CONNECTION_REFUSALS,
  type ConnectionLimits,
  ConnectionTable,
} from "./connection-table.ts";
import { loadPackage } from "./load-package.ts";
import type {
  FinishedRequest,
  PackageHeaders,
  PackageListener,
  PackageServer,
  PackageSession,
} from "./package-objects.ts";
import { CUT_REASONS, PackagePipe } from "./package-pipe.ts";

export interface TcpRequest {
  /** With query. */
  readonly path: string;
  /** Of the page that asks; undefined = no browser. */
  readonly origin: string | undefined;
}

export interface TcpListenerOptions {
  hostname: string;
  /** 0 = any free port. */
  port: number;
  /** PEM. */
  cert: string;
  key: string;
  clock: Clock;
  /** The status that refuses a request, undefined takes it. Browsers learn only that they were refused. */
  refuse(request: TcpRequest): number | undefined;
  /** Gets each session in the moment it begins; handlers set inside miss nothing. */
  onSession(session: Session): void;
  /** What a callback threw. */
  onFault(error: unknown): void;
  limits?: Partial<ConnectionLimits>;
}

/** Why a connection or request was turned away, or a session cut. */
const TCP_REFUSAL_REASONS = [
  ...CONNECTION_REFUSALS,
  ...CUT_REASONS,
  "handshake-failed",
  "not-webtransport",
  "too-many-sessions",
  "refused-by-application",
] as const;
type TcpRefusalReason = (typeof TCP_REFUSAL_REASONS)[number];

export interface TcpListenerStats {
  /** Now. */
  readonly connections: number;
  readonly halfOpen: number;
  readonly sessions: number;
  /** Since the start. */
  readonly connectionsAccepted: number;
  readonly sessionsAccepted: number;
  readonly refused: Readonly<Record<TcpRefusalReason, number>>;
}

/** All sessions of the package go to one place; their real path is kept beside. */
const ALL_SESSIONS = "/";
const MAX_PATH_CHARS = 8_192;
const HTTP1 = "websocketoverhttp1";
const PLAIN_ANSWER = "This is a relay of Tributary: it takes sessions, not pages.\n";

export class TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #server: PackageServer;
  readonly #connections: ConnectionTable;
  readonly #refused: Record<TcpRefusalReason, number>;
  readonly #sessions = new Set<Session>();
  #sessionsAccepted = 0;
  #isClosing = false;

  private constructor(options: TcpListenerOptions, server: PackageServer) {
    this.#options = options;
    this.#server = server;
    this.#refused = Object.fromEntries(TCP_REFUSAL_REASONS.map((reason) => [reason, 0])) as Record<
      TcpRefusalReason,
      number
    >;
    const limits = { ...CONNECTION_LIMITS, ...options.limits };
    this.#connections = new ConnectionTable(limits, options.clock, (reason) => this.#refused[reason]++);
    server.sessionController[ALL_SESSIONS] = {
      enqueue: (session) => this.#accept(session),
      close: () => undefined,
    };
    server.setRequestCallback(({ header }) => Promise.resolve(this.#decide(header)));
  }

  /** Rejects with what the runtime says of the port, or of the certificate. */
  static async listen(options: TcpListenerOptions): Promise<TcpListener> {
    const { Http2Server } = await loadPackage();
    const server = new Http2Server({
      port: options.port,
      host: options.hostname,
      // Asked for and not used over TCP.
      secret: "unused",
      cert: options.cert,
      privKey: options.key,
    });
    const listener = new TcpListener(options, server);
    // By itself `startServer` says nothing when the certificate is no good.
    await server.createTransportInt();
    listener.#listenBelow(server.transportInt.serverInt);
    listener.#answerUpgrades();
    server.startServer();
    await server.ready;
    return listener;
  }

  get port(): number {
    return this.#server.address()?.port ?? 0;
  }

  #listenBelow(below: PackageListener): void {
    below.on("connection", (socket) => this.#connections.add(socket));
    below.on("session", calmPings);
    below.on("tlsClientError", (_error, socket) => {
      this.#refused["handshake-failed"]++;
      socket.destroy();
    });
    // Until the package has an ear for them, an error of such a socket would end the process.
    below.prependListener("upgrade", (_request, socket) => socket.on("error", () => undefined));
    const before = new Set(below.listeners("stream"));
    below.on("request", ({ httpVersionMajor }, response) => {
      if (httpVersionMajor !== 1) return;
      this.#refused["not-webtransport"]++;
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8", connection: "close" });
      response.end(PLAIN_ANSWER);
    });
    // Node answers HTTP/2 by itself too once somebody listens for requests; the package does that.
    for (const added of below.listeners("stream")) {
      if (!before.has(added)) below.removeListener("stream", added);
    }
  }

  /** The package cuts WebSockets that are refused without an answer, and dies of what is said before its own. */
  #answerUpgrades(): void {
    const { transportInt } = this.#server;
    const finish = transportInt.finishSessionRequest.bind(transportInt);
    transportInt.finishSessionRequest = (request: FinishedRequest) => {
      const { status, protocol, session, head } = request;
      if (protocol === HTTP1 && head !== undefined && head.length > 0) {
        this.#refused.malformed++;
        session.destroy();
        return;
      }
      if (status === 200 || protocol !== HTTP1) return finish(request);
      session.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    };
  }

  #decide(header: PackageHeaders): { status: number; path: string; userData?: unknown } {
    const path = header[":path"];
    const origin = header.origin;
    const status =
      this.#isClosing || typeof path !== "string" || path.length > MAX_PATH_CHARS
        ? 503
        : this.#ask({ path, origin: typeof origin === "string" ? origin : undefined });
    if (status === undefined) return { status: 200, path: ALL_SESSIONS, userData: path };
    this.#refused["refused-by-application"]++;
    return { status, path: ALL_SESSIONS };
  }

  #ask(request: TcpRequest): number | undefined {
    try {
      return this.#options.refuse(request);
    } catch (error) {
      this.#options.onFault(error);
      return 500;
    }
  }

  #accept(opened: PackageSession): void {
    const { clock, onFault, onSession } = this.#options;
    const pipe = new PackagePipe(opened, clock, { onCut: (reason) => this.#refused[reason]++, onFault });
    const from = opened.peerAddress ?? "";
    if (!this.#connections.addSession(from)) {
      this.#refused["too-many-sessions"]++;
      return pipe.end();
    }
    const session = new ReliableSession({
      pipe,
      clock,
      isDialled: false,
      id: from,
      remoteAddress: from,
      path: String(opened.userData),
    });
    this.#sessionsAccepted++;
    this.#sessions.add(session);
    void session.closed.then(() => {
      this.#sessions.delete(session);
      this.#connections.endSession(from);
    });
    try {
      onSession(session);
    } catch (error) {
      onFault(error);
    }
  }

  /** New connections get this certificate; running ones are not touched. Throws when it is no good. */
  updateCertificate(cert: string, key: string): void {
    this.#server.updateCert(cert, key);
  }

  stats(): TcpListenerStats {
    return {
      connections: this.#connections.size,
      halfOpen: this.#connections.halfOpen,
      sessions: this.#sessions.size,
      connectionsAccepted: this.#connections.accepted,
      sessionsAccepted: this.#sessionsAccepted,
      refused: { ...this.#refused },
    };
  }

  /** Frees the port, and cuts what is still open when the last words of sessions have had time to leave. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#server.stopServer();
    for (const session of this.#sessions) session.close(0, "");
    if (this.#connections.size > 0) {
      const cut = new Promise<void>((resolve) => {
        this.#options.clock.after(TCP_CLOSE_LINGER_MS, resolve);
      });
      await Promise.race([cut, this.#server.closed]);
    }
    this.#connections.cutAll();
  }
}
