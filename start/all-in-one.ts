/**
 * Gateway, relay and directory in one Deno process: what `npm start` runs. Guests may join here, and only here.
 * Started by start/main.mjs, whose end it notices by the end of its standard input.
 */
import { MemoryDirectory } from "../core/directory/memory.ts";
import { createGateway } from "../gateway/app.ts";
import { addressFromDeno } from "../gateway/client-address.ts";
import { ConfigError, readGatewayConfig, readTicketKey } from "../gateway/config.ts";
import packageJson from "../package.json" with { type: "json" };
import { systemClock } from "../relay/deno/clock.ts";
import { type RunningRelay, startRelay } from "../relay/deno/main.ts";
import { type HttpListeners, listenFault, openHttpListeners } from "./http-listeners.ts";
import { keptCertificate, renewInTime } from "./kept-certificate.ts";
import { withKeys } from "./kept-keys.ts";
import { KeptState } from "./kept-state.ts";
import { readSettings } from "./settings.mjs";
import { StartError } from "./start-error.mjs";
import { StaticFiles } from "./static-files.ts";

const RELAY_ID = "local";
const CLIENT_DIST = decodeURIComponent(new URL("../client/dist", import.meta.url).pathname);

async function start(): Promise<() => Promise<void>> {
  const settings = readSettings(Deno.env.toObject());
  const state = await KeptState.open(settings.stateFolder);
  const environment = await withKeys(Deno.env.toObject(), state);
  const config = readGatewayConfig(environment);
  const ticketKey = await readTicketKey(environment, true);
  const directory = new MemoryDirectory(systemClock);
  const files = await StaticFiles.read(CLIENT_DIST);
  const app = createGateway({
    directory,
    clock: systemClock,
    config,
    ticketKey,
    fetch: (input, init) => fetch(input, init),
    log: (level, message, fields) => {
      if (level !== "info") console.error(JSON.stringify({ level, message, ...fields }));
    },
    guests: true,
    version: packageJson.version,
    clientAddress: addressFromDeno,
  });
  const http = openHttpListeners(
    settings,
    (request, info) => files.answer(request) ?? app.fetch(request, info),
  );
  const names = settings.relayPublicUrl === undefined ? [] : certificateNames(settings.relayPublicUrl);
  const certificate = await keptCertificate(state, names);
  // RELAY
  return async () => {};
}

/** The host of a URL as a name in the certificate; an IPv6 address is none, and a browser that goes by the hash looks at neither. */
function certificateNames(url: string): string[] {
  const { hostname } = new URL(url);
  return hostname.startsWith("[") ? [] : [hostname];
}
