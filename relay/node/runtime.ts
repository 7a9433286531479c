/** Node's part of a relay (relay/serving/relay-runtime.ts): HTTP by Hono's server, sessions over TCP, UDP where the native part is there. */
import { once } from "node:events";
import process from "node:process";
import { createSecureContext } from "node:tls";
import { type ServerType, serve } from "@hono/node-server";
import { systemClock } from "../serving/clock.ts";
import type { HttpListener, RelayRuntime } from "../serving/relay-runtime.ts";
import { describe, type PortFault } from "../serving/start-error.ts";
import { tcpConnect } from "../tcp/tcp-connect.ts";
import { hasNativePart, listenNative } from "./native-listener.ts";

export const nodeRuntime: RelayRuntime = {
  clock: systemClock,
  // Node has no QUIC of its own; the native part is for participants.
  connect: tcpConnect(systemClock, (error) =>
    console.error(`a session's handler failed: ${describe(error)}`),
  ),
  listenUdp: hasNativePart() ? listenNative : undefined,
  listenHttp,
  checkCertificate: (cert, key) => void createSecureContext({ cert, key }),
  portFault,
  memory: () => process.memoryUsage(),
};

async function listenHttp(
  { host: hostname, port }: { host: string; port: number },
  handler: (request: Request) => Response | Promise<Response>,
): Promise<HttpListener> {
  const server = serve({ fetch: handler, hostname, port });
  // Rejects with the error of a port that cannot be opened.
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: () => closed(server),
  };
}

function closed(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    // Requests that wait for the next are no reason to stay.
    if ("closeIdleConnections" in server) server.closeIdleConnections();
  });
}

function portFault(error: unknown): PortFault | undefined {
  switch ((error as { code?: unknown } | null)?.code) {
    case "EADDRINUSE":
      return "taken";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "elsewhere";
    case "EACCES":
      return "forbidden";
    default:
      return undefined;
  }
}
