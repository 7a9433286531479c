/** Brings a relay to life on Deno: WebTransport server, operations API, directory. Used by main.ts and `npm start`. */
import type { Directory } from "../../core/directory/directory.ts";
import { httpPost } from "../../core/directory/etcd/http-post.ts";
import type { Connect } from "../../core/session/session.ts";
import { type DeliverEvent, EventOutbox } from "../events/event-outbox.ts";
import { eventPost } from "../events/event-post.ts";
import { RoomEvents } from "../events/room-events.ts";
import { MetricsText, seriesBy } from "../metrics-text.ts";
import { createOperationsApp } from "../operations.ts";
import { Relay } from "../relay.ts";
import type { RelayIdentity } from "../relay-options.ts";
import { type TicketKeys, TicketVerifier } from "../ticket-verifier.ts";
import type { RelayKeys } from "../tree/credential.ts";
import { makeSigningKeys } from "../tree/signing-keys.ts";
import { systemClock } from "./clock.ts";
import { ProcessMetrics } from "./process-metrics.ts";
import { connectSession, DenoSession, SESSION_LIMITS } from "./session.ts";
import { serveWebTransport, type WebTransportServer } from "./webtransport/mod.ts";

export interface ServingCertificate {
  certPem: string;
  keyPem: string;
  /** SHA-256 of the DER in base64, for self-signed certificates; empty otherwise. */
  hashes: string[];
}

export interface RelayConfig {
  /** Address of the UDP port. */
  host: string;
  /** 0 = any free port. */
  port: number;
  /** What browsers dial; default: https://127.0.0.1 (or the host) with the port that was bound. */
  publicUrl?: string | undefined;
  /** Unique in the cluster; tickets are bound to it. */
  id: string;
  region: string;
  /** Participants it wants to hold at most. */
  capacity: number;
  version: string;
  certificate: ServingCertificate;
  /** The gateway's public keys. */
  keys: TicketKeys;
  directory: Directory;
  /** How other relays are dialled; default: as they say. */
  connect?: Connect | undefined;
  /** What the directory counts, in Prometheus' text format. */
  furtherMetrics?: (() => string) | undefined;
  /** Where room events are posted to; undefined = nowhere. */
  gatewayUrl?: string | undefined;
  /** Takes room events in place of a gateway elsewhere. */
  deliverEvent?: DeliverEvent | undefined;
  /** Address of the operations API. */
  operations: { host: string; port: number; url?: string | undefined };
  log(line: string): void;
}

export interface RunningRelay {
  readonly relay: Relay;
  /** UDP port. */
  readonly port: number;
  /** What browsers dial. */
  readonly url: string;
  readonly operationsPort: number;
  /** New sessions get this certificate; running ones are not touched. */
  replaceCertificate(certificate: ServingCertificate): void;
  /** Closes every session with `draining` and frees the ports. */
  stop(): Promise<void>;
}

/** The relay cannot start; `message` is one line that says what to do. */
export class RelayStartError extends Error {
  override readonly name = "RelayStartError";
}

/** Starts a relay; it is registered and takes sessions when this resolves. Rejects with RelayStartError. */
export async function startRelay(config: RelayConfig): Promise<RunningRelay> {
  const { directory, id, keys, log } = config;
  const verifier = new TicketVerifier(keys, id, systemClock);
  let relay: Relay | undefined;
  let events: RoomEvents | undefined;
  const server = startServer(config, () => relay);
  const process = new ProcessMetrics();
  let operations: Deno.HttpServer<Deno.NetAddr> | undefined;
  try {
    const url = config.publicUrl ?? server.url(hostInUrl(config.host));
    const app = (): ReturnType<typeof createOperationsApp> =>
      createOperationsApp({
        relay: relay!,
        verifyServiceToken: (token) => verifier.verifyServiceToken(token),
        furtherMetrics: () =>
          serverMetrics(server, process) +
          (events?.outbox.metrics() ?? "") +
          (config.furtherMetrics?.() ?? ""),
      });
    let handler: ReturnType<typeof app> | undefined;
    operations = startOperations(config, (request) => {
      handler ??= app();
      return handler.fetch(request);
    });
    const operationsPort = operations.addr.port;
    const identity: RelayIdentity = {
      id,
      region: config.region,
      url,
      fallbackUrl: "",
      certificateHashes: config.certificate.hashes,
      operationsUrl:
        config.operations.url ?? `http://${hostInUrl(config.operations.host)}:${operationsPort}/`,
      capacity: config.capacity,
      version: config.version,
    };
    const linkKeys = await makeSigningKeys(systemClock);
    relay = new Relay({
      identity,
      clock: systemClock,
      random: Math.random,
      directory,
      verifyTicket: (ticket) => verifier.verifyTicket(ticket),
      connect: config.connect ?? connectSession,
      keys: linkKeys,
      log,
    });
    events = startEvents(config, relay, linkKeys);
    await relay.start();
    const stop = async (): Promise<void> => {
      process.end();
      await events?.end();
      await relay?.stop();
      await server.close();
      await operations?.shutdown();
    };
    return running(relay, identity, server, operations.addr.port, stop);
  } catch (error) {
    process.end();
    await server.close();
    await operations?.shutdown();
    throw error;
  }
}

/** Tells somebody of what happens in the rooms, if anybody wants to know. */
function startEvents(config: RelayConfig, relay: Relay, keys: RelayKeys): RoomEvents | undefined {
  const { gatewayUrl, id: relayId, log } = config;
  const clock = systemClock;
  let deliver = config.deliverEvent;
  if (gatewayUrl !== undefined) {
    const post = httpPost(fetch, () => new AbortController());
    deliver ??= eventPost({ gatewayUrl, relayId, keys, clock, post, log });
  }
  if (deliver === undefined) return undefined;
  return new RoomEvents(relay.rooms, clock, new EventOutbox({ clock, random: Math.random, deliver }));
}

function running(
  relay: Relay,
  identity: RelayIdentity,
  server: WebTransportServer,
  operationsPort: number,
  stop: () => Promise<void>,
): RunningRelay {
  return {
    relay,
    port: server.port,
    url: identity.url,
    operationsPort,
    replaceCertificate: ({ certPem, keyPem, hashes }) => {
      server.updateCertificate(certPem, keyPem);
      relay.setIdentity({ ...identity, certificateHashes: hashes });
    },
    stop,
  };
}

function startServer(config: RelayConfig, relay: () => Relay | undefined): WebTransportServer {
  const { host, port, certificate } = config;
  try {
    return serveWebTransport({
      hostname: host,
      port,
      cert: certificate.certPem,
      key: certificate.keyPem,
      limits: SESSION_LIMITS,
      onRequest: () => {
        const ready = relay();
        return ready === undefined || ready.refusal() !== undefined
          ? { accept: false, status: 503 }
          : { accept: true };
      },
      onSession: (session) => relay()?.accept(new DenoSession(session)),
      onHandlerError: (error) => config.log(`a session's handler failed: ${describe(error)}`),
    });
  } catch (cause) {
    throw startError(
      cause,
      `UDP port ${port} of ${host}`,
      "RELAY_PORT",
      "RELAY_HOST",
      "RELAY_CERT and RELAY_KEY",
    );
  }
}

function startOperations(
  config: RelayConfig,
  handler: (request: Request) => Response | Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  const { host, port } = config.operations;
  try {
    return Deno.serve({ hostname: host, port, onListen: () => undefined }, handler);
  } catch (cause) {
    throw startError(
      cause,
      `TCP port ${port} of ${host}`,
      "RELAY_OPERATIONS_PORT",
      "RELAY_OPERATIONS_HOST",
      "",
    );
  }
}

function startError(cause: unknown, what: string, port: string, host: string, pem: string): RelayStartError {
  if (cause instanceof Deno.errors.AddrInUse) {
    return new RelayStartError(`${what} is taken: stop what uses it or set ${port} to another.`, { cause });
  }
  if (cause instanceof Deno.errors.AddrNotAvailable) {
    return new RelayStartError(`${what} cannot be used: set ${host} to an address of this machine.`, {
      cause,
    });
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return new RelayStartError(`${what} is not allowed to us: set ${port} to 1024 or more.`, { cause });
  }
  const advice = pem === "" ? "" : ` If the certificate is at fault, look at ${pem}.`;
  return new RelayStartError(`${what} cannot be served: ${describe(cause)}.${advice}`, { cause });
}

function hostInUrl(host: string): string {
  if (host === "0.0.0.0" || host === "::" || host === "localhost") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

function serverMetrics(server: WebTransportServer, process: ProcessMetrics): string {
  const stats = server.stats();
  const text = new MetricsText();
  process.write(text);
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
  return text.toString();
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
