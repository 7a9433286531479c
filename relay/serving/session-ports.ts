/** The ports on which a relay takes sessions: WebTransport over UDP, and TCP for networks without it. It needs one of them. */
import type { Session } from "../../core/session/session.ts";
import { type MetricsText, seriesBy } from "../metrics-text.ts";
import type { Relay } from "../relay.ts";
import { TcpListener } from "../tcp/tcp-listener.ts";
import type { RelayConfig } from "./relay-config.ts";
import type { ListenerOptions, RelayRuntime, SessionListener } from "./relay-runtime.ts";
import { describe, portError, RelayStartError } from "./start-error.ts";
import { hostInUrl } from "./url-host.ts";

export interface SessionPorts {
  readonly udp: SessionListener | undefined;
  readonly tcp: SessionListener | undefined;
  /** What browsers dial; "" without UDP. */
  readonly url: string;
  /** "" without TCP. */
  readonly fallbackUrl: string;
  updateCertificate(certPem: string, keyPem: string): void;
  close(): Promise<void>;
}

/** Rejects with RelayStartError. Sessions are refused with 503 until there is a relay. */
export async function openSessionPorts(
  config: RelayConfig,
  runtime: RelayRuntime,
  relay: () => Relay | undefined,
): Promise<SessionPorts> {
  const { host, certificate, log } = config;
  const common = {
    host,
    certPem: certificate.certPem,
    keyPem: certificate.keyPem,
    refuse: () => {
      const ready = relay();
      return ready === undefined || ready.refusal() !== undefined ? 503 : undefined;
    },
    onSession: (session: Session) => relay()?.accept(session),
    onFault: (error: unknown) => log(`a session's handler failed: ${describe(error)}`),
  };
  const udp = await openUdp(config, runtime, common);
  const tcp = await openTcp(config, runtime, common).catch(async (error: unknown) => {
    await udp?.close();
    throw error;
  });
  if (udp === undefined && tcp === undefined) {
    throw new RelayStartError(
      "The relay would take no sessions: give it a UDP port (RELAY_PORT) or a TCP port (RELAY_TCP_PORT).",
    );
  }
  return {
    udp,
    tcp,
    url: udp === undefined ? "" : (config.publicUrl ?? urlOf(host, udp.port)),
    fallbackUrl: tcp === undefined ? "" : fallbackUrlOf(config, tcp.port),
    updateCertificate: (certPem, keyPem) => {
      udp?.updateCertificate(certPem, keyPem);
      tcp?.updateCertificate(certPem, keyPem);
    },
    close: async () => void (await Promise.all([udp?.close(), tcp?.close()])),
  };
}

const PEM_SETTINGS = "RELAY_CERT and RELAY_KEY";

async function openUdp(
  { port, host }: RelayConfig,
  runtime: RelayRuntime,
  common: Omit<ListenerOptions, "port">,
): Promise<SessionListener | undefined> {
  if (port === undefined || runtime.listenUdp === undefined) return undefined;
  try {
    return await runtime.listenUdp({ ...common, port });
  } catch (cause) {
    throw portError(cause, runtime.portFault(cause), {
      what: `UDP port ${port} of ${host}`,
      port: "RELAY_PORT",
      host: "RELAY_HOST",
      pem: PEM_SETTINGS,
    });
  }
}

async function openTcp(
  { tcpPort: port, host }: RelayConfig,
  runtime: RelayRuntime,
  common: Omit<ListenerOptions, "port">,
): Promise<SessionListener | undefined> {
  if (port === undefined) return undefined;
  const { certPem, keyPem, refuse, onSession, onFault } = common;
  try {
    runtime.checkCertificate?.(certPem, keyPem);
    const listener = await TcpListener.listen({
      hostname: host,
      port,
      cert: certPem,
      key: keyPem,
      clock: runtime.clock,
      refuse,
      onSession,
      onFault,
    });
    return {
      port: listener.port,
      updateCertificate: (cert, key) => {
        runtime.checkCertificate?.(cert, key);
        listener.updateCertificate(cert, key);
      },
      writeMetrics: (text) => writeTcpMetrics(listener, text),
      close: () => listener.close(),
    };
  } catch (cause) {
    throw portError(cause, runtime.portFault(cause), {
      what: `TCP port ${port} of ${host}`,
      port: "RELAY_TCP_PORT",
      host: "RELAY_HOST",
      pem: PEM_SETTINGS,
    });
  }
}

function urlOf(host: string, port: number): string {
  return `https://${hostInUrl(host)}:${port}/`;
}

/** Where browsers find the relay over UDP they find it over TCP, unless it is told otherwise. */
function fallbackUrlOf({ tcpPublicUrl, publicUrl, host, port, tcpPort }: RelayConfig, bound: number): string {
  if (tcpPublicUrl !== undefined) return tcpPublicUrl;
  if (publicUrl === undefined) return urlOf(host, bound);
  const url = new URL(publicUrl);
  if (tcpPort !== port) url.port = String(bound);
  return url.href;
}

function writeTcpMetrics(listener: TcpListener, text: MetricsText): void {
  const { connections, halfOpen, sessions, connectionsAccepted, sessionsAccepted, refused } =
    listener.stats();
  text.gauge("tributary_tcp_connections", "TCP connections for sessions.", connections);
  text.gauge("tributary_tcp_half_open", "TCP connections without a session.", halfOpen);
  text.gauge("tributary_tcp_sessions", "Sessions over TCP.", sessions);
  text.counter("tributary_tcp_connections_total", "TCP connections since start.", connectionsAccepted);
  text.counter("tributary_tcp_sessions_total", "Sessions over TCP since start.", sessionsAccepted);
  text.counters(
    "tributary_tcp_refused_total",
    "Connections, requests and sessions over TCP that were turned away or cut, by reason.",
    seriesBy("reason", refused),
  );
}
