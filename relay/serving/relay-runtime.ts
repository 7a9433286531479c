/** What runtimes do differently: each hands its own in (relay/deno, relay/node). */
import type { Clock } from "../../core/clock.ts";
import type { Connect, Session } from "../../core/session/session.ts";
import type { MetricsText } from "../metrics-text.ts";
import type { PortFault } from "./start-error.ts";

export interface ListenerOptions {
  host: string;
  /** 0 = any free one. */
  port: number;
  certPem: string;
  keyPem: string;
  /** The status that refuses a session, undefined takes it. */
  refuse(): number | undefined;
  onSession(session: Session): void;
  /** What a callback threw. */
  onFault(error: unknown): void;
}

/** Takes sessions on one port. */
export interface SessionListener {
  readonly port: number;
  /** Throws when it is no good. */
  updateCertificate(certPem: string, keyPem: string): void;
  writeMetrics(text: MetricsText): void;
  close(): Promise<void>;
}

export interface HttpListener {
  readonly port: number;
  close(): Promise<void>;
}

export interface RelayRuntime {
  clock: Clock;
  /** How relays are dialled. */
  connect: Connect;
  /** WebTransport over UDP; undefined = this runtime has none. Throws what `portFault` reads. */
  listenUdp: ((options: ListenerOptions) => SessionListener | Promise<SessionListener>) | undefined;
  /** Throws what `portFault` reads. */
  listenHttp(
    address: { host: string; port: number },
    handler: (request: Request) => Response | Promise<Response>,
  ): HttpListener | Promise<HttpListener>;
  /** Throws when a certificate for the TCP port is no good; undefined = opening the port does. */
  checkCertificate?(certPem: string, keyPem: string): void;
  /** What an error of opening a port means; undefined = something else. */
  portFault(error: unknown): PortFault | undefined;
  memory(): { rss: number; heapUsed: number };
}
