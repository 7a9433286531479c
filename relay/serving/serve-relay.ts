/** Brings a relay to life on any runtime: its ports, operations API, directory. */
import { httpPost } from "../../core/directory/etcd/http-post.ts";
import { EventOutbox } from "../events/event-outbox.ts";
import { eventPost } from "../events/event-post.ts";
import { RoomEvents } from "../events/room-events.ts";
import { MetricsText } from "../metrics-text.ts";
import { createOperationsApp } from "../operations.ts";
import { Relay } from "../relay.ts";
import type { RelayIdentity } from "../relay-options.ts";
import { TicketVerifier } from "../ticket-verifier.ts";
import type { RelayKeys } from "../tree/credential.ts";
import { makeSigningKeys } from "../tree/signing-keys.ts";
import { ProcessMetrics } from "./process-metrics.ts";
import type { RelayConfig, RunningRelay } from "./relay-config.ts";
import type { HttpListener, RelayRuntime } from "./relay-runtime.ts";
import { openSessionPorts, type SessionPorts } from "./session-ports.ts";
import { portError } from "./start-error.ts";
import { hostInUrl } from "./url-host.ts";

/** It is registered and takes sessions when this resolves. Rejects with RelayStartError. */
export async function serveRelay(config: RelayConfig, runtime: RelayRuntime): Promise<RunningRelay> {
  const { directory, id, keys, log } = config;
  const { clock } = runtime;
  const verifier = new TicketVerifier(keys, id, clock);
  let relay: Relay | undefined;
  let events: RoomEvents | undefined;
  const ports = await openSessionPorts(config, runtime, () => relay);
  const process = new ProcessMetrics(() => runtime.memory());
  let operations: HttpListener | undefined;
  try {
    const app = (): ReturnType<typeof createOperationsApp> =>
      createOperationsApp({
        relay: relay!,
        verifyServiceToken: (token) => verifier.verifyServiceToken(token),
        furtherMetrics: () =>
          metricsOf(process, ports) + (events?.outbox.metrics() ?? "") + (config.furtherMetrics?.() ?? ""),
      });
    let handler: ReturnType<typeof app> | undefined;
    operations = await startOperations(config, runtime, (request) => {
      handler ??= app();
      return handler.fetch(request);
    });
    const identity = identityOf(config, ports, operations.port);
    const linkKeys = await makeSigningKeys(clock);
    relay = new Relay({
      identity,
      clock,
      random: Math.random,
      directory,
      verifyTicket: (ticket) => verifier.verifyTicket(ticket),
      connect: config.connect ?? runtime.connect,
      keys: linkKeys,
      log,
    });
    events = startEvents(config, runtime, relay, linkKeys);
    await relay.start();
    const stop = async (): Promise<void> => {
      process.end();
      await events?.end();
      await relay?.stop();
      await ports.close();
      await operations?.close();
    };
    return running(relay, identity, ports, operations.port, stop);
  } catch (error) {
    process.end();
    await ports.close();
    await operations?.close();
    throw error;
  }
}

function identityOf(config: RelayConfig, ports: SessionPorts, operationsPort: number): RelayIdentity {
  const { operations, certificate, id, region, capacity, version } = config;
  return {
    id,
    region,
    url: ports.url,
    fallbackUrl: ports.fallbackUrl,
    certificateHashes: certificate.hashes,
    operationsUrl: operations.url ?? `http://${hostInUrl(operations.host)}:${operationsPort}/`,
    capacity,
    version,
  };
}

/** Tells somebody of what happens in the rooms, if anybody wants to know. */
function startEvents(
  config: RelayConfig,
  { clock }: RelayRuntime,
  relay: Relay,
  keys: RelayKeys,
): RoomEvents | undefined {
  const { gatewayUrl, id: relayId, log } = config;
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
  ports: SessionPorts,
  operationsPort: number,
  stop: () => Promise<void>,
): RunningRelay {
  return {
    relay,
    port: ports.udp?.port ?? 0,
    tcpPort: ports.tcp?.port ?? 0,
    url: identity.url,
    fallbackUrl: identity.fallbackUrl,
    operationsPort,
    replaceCertificate: ({ certPem, keyPem, hashes }) => {
      ports.updateCertificate(certPem, keyPem);
      relay.setIdentity({ ...identity, certificateHashes: hashes });
    },
    stop,
  };
}

async function startOperations(
  config: RelayConfig,
  runtime: RelayRuntime,
  handler: (request: Request) => Response | Promise<Response>,
): Promise<HttpListener> {
  const { host, port } = config.operations;
  try {
    return await runtime.listenHttp({ host, port }, handler);
  } catch (cause) {
    throw portError(cause, runtime.portFault(cause), {
      what: `TCP port ${port} of ${host}`,
      port: "RELAY_OPERATIONS_PORT",
      host: "RELAY_OPERATIONS_HOST",
      pem: "",
    });
  }
}

function metricsOf(process: ProcessMetrics, ports: SessionPorts): string {
  const text = new MetricsText();
  process.write(text);
  ports.udp?.writeMetrics(text);
  ports.tcp?.writeMetrics(text);
  return text.toString();
}
