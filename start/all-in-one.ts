/**
 * Gateway, relay and directory in one Deno process: what `npm start` runs. Guests may join here, and only here.
 * Started by start/main.mjs, whose end it notices by the end of its standard input.
 */
import { SocketError } from "../bridge/net/byte-socket.ts";
import { MemoryDirectory } from "../core/directory/memory.ts";
import { MemoryBridges } from "../core/directory/memory-bridges.ts";
import { createGateway } from "../gateway/app.ts";
import { addressFromDeno } from "../gateway/client-address.ts";
import { ConfigError, readGatewayConfig, readTicketKey } from "../gateway/config.ts";
import type { Log } from "../gateway/deps.ts";
import { Webhook } from "../gateway/webhook.ts";
import packageJson from "../package.json" with { type: "json" };
import { systemClock } from "../relay/serving/clock.ts";
import { RelayStartError, startRelay } from "../relay/deno/main.ts";
import { ticketKeysOf } from "../relay/ticket-verifier.ts";
import { openHttpListeners } from "./http-listeners.ts";
import { keptCertificate, renewInTime } from "./kept-certificate.ts";
import { withKeys } from "./kept-keys.ts";
import { KeptState } from "./kept-state.ts";
import { openBridge } from "./own-bridge.ts";
import { readSettings } from "./settings.mjs";
import type { RunningBridge } from "./start-bridge.ts";
import { StartError } from "./start-error.mjs";
import { StaticFiles } from "./static-files.ts";
import { warnOfSmallBuffers } from "./udp-buffers.ts";

const RELAY_ID = "local";
/** Participants that one machine is asked to hold at most; it is a wish that the only gateway knows. */
const CAPACITY = 1_000;
const CLIENT_DIST = decodeURIComponent(new URL("../client/dist", import.meta.url).pathname);

const request: typeof fetch = (input, init) => fetch(input, init);

const logOfGateway: Log = (level, message, fields) => {
  if (level !== "info") console.error(`gateway: ${message} ${JSON.stringify(fields ?? {})}`);
};

/** Resolves, once everything runs and the ready line is out, to what ends it. */
async function start(): Promise<() => Promise<void>> {
  const settings = readSettings(Deno.env.toObject());
  const state = await KeptState.open(settings.stateFolder);
  const environment = await withKeys(Deno.env.toObject(), state);
  const config = readGatewayConfig(environment);
  const ticketKey = await readTicketKey(environment, true);
  const directory = new MemoryDirectory(systemClock);
  const bridges = new MemoryBridges(systemClock);
  const files = await StaticFiles.read(CLIENT_DIST);
  const outside = { clock: systemClock, fetch: request, log: logOfGateway };
  const webhook = config.webhook && new Webhook({ ...config.webhook, ...outside });
  const app = createGateway({
    ...outside,
    directory,
    bridges,
    config,
    ticketKey,
    guests: true,
    version: packageJson.version,
    clientAddress: addressFromDeno,
  });
  let bridge: RunningBridge | undefined;
  const http = openHttpListeners(
    settings,
    (request, info) => files.answer(request) ?? bridge?.answer(request) ?? app.fetch(request, info),
  );
  const names = certificateNames(settings.relayPublicUrl, settings.relayTcpPublicUrl);
  const certificate = await keptCertificate(state, names);
  const relay = await startRelay({
    id: RELAY_ID,
    region: "local",
    capacity: CAPACITY,
    version: packageJson.version,
    host: settings.relayBindAddress,
    port: settings.relayPort,
    publicUrl: settings.relayPublicUrl,
    tcpPort: settings.relayTcpPort,
    tcpPublicUrl: settings.relayTcpPublicUrl,
    certificate: { ...certificate, hashes: [certificate.sha256] },
    keys: ticketKeysOf(ticketKey.publicJwk),
    directory,
    deliverEvent: webhook && ((event) => webhook.deliver(event)),
    operations: { host: "127.0.0.1", port: 0 },
    log: (line) => console.error(`relay: ${line}`),
  });
  const origin = `http://${hostForPeople(settings.host)}:${http.port}`;
  bridge = await openBridge({
    settings,
    environment,
    directory: bridges,
    keys: ticketKeysOf(ticketKey.publicJwk),
    app,
    origin,
    version: packageJson.version,
  });
  const endRenewal = renewInTime(state, names, certificate, (fresh) =>
    relay.replaceCertificate({ ...fresh, hashes: [fresh.sha256] }),
  );
  await warnOfSmallBuffers();
  console.info(`Tributary is ready: ${origin}`);
  return async () => {
    endRenewal();
    await bridge?.stop();
    await Promise.all([relay.stop(), http.close()]);
  };
}

/** The hosts of URLs as names in the certificate. An IPv6 address is none; browsers go by the hash anyway. */
function certificateNames(...urls: (string | undefined)[]): string[] {
  const hosts = urls.filter((url) => url !== undefined).map((url) => new URL(url).hostname);
  return [...new Set(hosts)].filter((host) => !host.startsWith("["));
}

function hostForPeople(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** Resolves when we are asked to stop, or when the process that started us is gone. */
async function asked(): Promise<void> {
  const signal = new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => resolve());
  });
  const parentGone = (async () => {
    for await (const _ of Deno.stdin.readable) {
      // Nothing is said to us there; only its end matters.
    }
  })();
  await Promise.race([signal, parentGone]);
}

try {
  const stop = await start();
  await asked();
  await stop();
  Deno.exit(0);
} catch (error) {
  const isForPeople =
    error instanceof StartError ||
    error instanceof ConfigError ||
    error instanceof RelayStartError ||
    error instanceof SocketError;
  console.error(isForPeople ? error.message : error);
  Deno.exit(1);
}
