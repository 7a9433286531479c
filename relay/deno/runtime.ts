/** Deno's part of a relay (relay/serving/relay-runtime.ts): UDP by our own HTTP/3 layer, HTTP, what its errors mean. */
import { type MetricsText, seriesBy } from "../metrics-text.ts";
import { systemClock } from "../serving/clock.ts";
import type { ListenerOptions, RelayRuntime, SessionListener } from "../serving/relay-runtime.ts";
import { describe, type PortFault } from "../serving/start-error.ts";
import { tcpConnect } from "../tcp/tcp-connect.ts";
import { connectSession, DenoSession, SESSION_LIMITS } from "./session.ts";
import { serveWebTransport, type WebTransportServer } from "./webtransport/mod.ts";

export const denoRuntime: RelayRuntime = {
  clock: systemClock,
  connect: (url, options) => (url === "" ? connectTcp(url, options) : connectSession(url, options)),
  listenUdp,
  listenHttp: ({ host: hostname, port }, handler) => {
    const server = Deno.serve({ hostname, port, onListen: () => undefined }, handler);
    return { port: server.addr.port, close: () => server.shutdown() };
  },
  // A port of node:tls opens with anything, and then shakes no hands.
  checkCertificate: (cert, key) => Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close(),
  portFault,
  memory: () => Deno.memoryUsage(),
};

const connectTcp = tcpConnect(systemClock, (error) =>
  console.error(`a session's handler failed: ${describe(error)}`),
);

function listenUdp(options: ListenerOptions): SessionListener {
  const server = serveWebTransport({
    hostname: options.host,
    port: options.port,
    cert: options.certPem,
    key: options.keyPem,
    limits: SESSION_LIMITS,
    onRequest: () => {
      const status = options.refuse();
      return status === undefined ? { accept: true } : { accept: false, status };
    },
    onSession: (session) => options.onSession(new DenoSession(session)),
    onHandlerError: options.onFault,
  });
  return {
    port: server.port,
    updateCertificate: (cert, key) => server.updateCertificate(cert, key),
    writeMetrics: (text) => writeMetrics(server, text),
    close: () => server.close(),
  };
}

function writeMetrics(server: WebTransportServer, text: MetricsText): void {
  const stats = server.stats();
  text.gauge("tributary_http3_connections", "QUIC connections.", stats.connections);
  text.gauge("tributary_http3_half_open", "QUIC handshakes under way.", stats.halfOpen);
  text.counter(
    "tributary_http3_connections_total",
    "QUIC connections since start.",
    stats.connectionsAccepted,
  );
  text.counters(
    "tributary_http3_refused_total",
    "Connections and requests turned away below the session, by reason.",
    seriesBy("reason", stats.refused),
  );
}

/** Deno's own APIs throw classes, its node: modules errors with a code. */
function portFault(error: unknown): PortFault | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  if (error instanceof Deno.errors.AddrInUse || code === "EADDRINUSE") return "taken";
  if (error instanceof Deno.errors.AddrNotAvailable || code === "EADDRNOTAVAIL") return "elsewhere";
  if (error instanceof Deno.errors.PermissionDenied || code === "EACCES") return "forbidden";
  return undefined;
}
