/**
 * WebTransport over UDP on Node, by the package's HTTP/3 server, where its native part is installed. That part is a
 * prebuilt binary which tests cannot get: what is below the sessions here runs only where somebody has it.
 */
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import type { MetricsText } from "../metrics-text.ts";
import type { ListenerOptions, SessionListener } from "../serving/relay-runtime.ts";
import { loadPackage } from "../tcp/load-package.ts";
import { NativeSession, type NativeTransport } from "./native-session.ts";

const NATIVE_PART = "@fails-components/webtransport-transport-http3-quiche";
const ALL_SESSIONS = "/";

export function hasNativePart(): boolean {
  try {
    createRequire(import.meta.url).resolve(NATIVE_PART);
    return true;
  } catch {
    return false;
  }
}

export async function listenNative(options: ListenerOptions): Promise<SessionListener> {
  const { Http3Server } = await loadPackage();
  const { host, port, certPem: cert, keyPem: privKey, refuse, onSession, onFault } = options;
  let sessions = 0;
  let refused = 0;
  const server = new Http3Server({ port, host, secret: randomUUID(), cert, privKey });
  server.setRequestCallback(async ({ header }) => {
    const status = refuse();
    if (status !== undefined) refused++;
    return { status: status ?? 200, path: ALL_SESSIONS, userData: header[":path"] };
  });
  server.sessionController[ALL_SESSIONS] = {
    enqueue: (opened) => {
      const session = new NativeSession(opened as unknown as NativeTransport, String(opened.userData));
      sessions++;
      void session.closed.then(() => {
        sessions--;
      });
      try {
        onSession(session);
      } catch (error) {
        onFault(error);
      }
    },
    close: () => undefined,
  };
  await server.createTransportInt();
  server.startServer();
  await server.ready;
  return {
    port: server.address()?.port ?? port,
    updateCertificate: (newCert, newKey) => server.updateCert(newCert, newKey),
    writeMetrics: (text: MetricsText) => {
      text.gauge("tributary_native_sessions", "Sessions over UDP by the native part.", sessions);
      text.counter("tributary_native_refused_total", "Requests for sessions over UDP turned away.", refused);
    },
    close: async () => server.stopServer(),
  };
}
