/**
 * One of the gateways of `npm run cluster`: the product's, with guests and the web client as `npm start` has them, and a made-up
 * front that knows where callers are: `eu.localhost` is Europe. Behind a real one a header says so (docs/gateway.md).
 */
import { EtcdDirectory } from "../../core/directory/etcd/etcd-directory.ts";
import { readEtcdSettings } from "../../core/directory/etcd/etcd-settings.ts";
import { httpPost } from "../../core/directory/etcd/http-post.ts";
import { createGateway } from "../../gateway/app.ts";
import { addressFromDeno } from "../../gateway/client-address.ts";
import { readGatewayConfig, readTicketKey } from "../../gateway/config.ts";
import packageJson from "../../package.json" with { type: "json" };
import { systemClock } from "../../relay/serving/clock.ts";
import { openHttpListeners } from "../../start/http-listeners.ts";
import { readSettings } from "../../start/settings.mjs";
import { StaticFiles } from "../../start/static-files.ts";
import { frontAnswer, withRegion } from "./region-front.ts";

const CLIENT_DIST = decodeURIComponent(new URL("../../client/dist", import.meta.url).pathname);

const environment = Deno.env.toObject();
const log = (line: string): void => console.error(`gateway: ${line}`);
const directory = new EtcdDirectory({
  settings: readEtcdSettings(environment)!,
  post: httpPost(fetch, () => new AbortController()),
  clock: systemClock,
  random: Math.random,
  log,
});
directory.follow();
directory.bridges.follow();
const files = await StaticFiles.read(CLIENT_DIST);
const app = createGateway({
  directory,
  bridges: directory.bridges,
  clock: systemClock,
  config: readGatewayConfig(environment),
  ticketKey: await readTicketKey(environment, true),
  fetch: (input, init) => fetch(input, init),
  log: (level, message, fields) => {
    if (level !== "info") log(`${message} ${JSON.stringify(fields ?? {})}`);
  },
  guests: true,
  version: packageJson.version,
  clientAddress: addressFromDeno,
});
const http = openHttpListeners(
  readSettings(environment),
  (request, info) => frontAnswer(request) ?? files.answer(request) ?? app.fetch(withRegion(request), info),
);
console.info(`Gateway is ready: http://127.0.0.1:${http.port}`);
// Whoever started us holds our standard input open for as long as it lives.
for await (const _ of Deno.stdin.readable) {
  // Nothing is said there; only its end matters.
}
Deno.exit(0);
