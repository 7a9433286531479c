/**
 * A bridge as its own process: `deno run -A start/bridge.ts`, configured by environment (docs/operating.md). It finds its jobs in etcd and
 * enters rooms through the gateway. The first signal drains it: what it does goes on elsewhere.
 */
import { SocketError } from "../bridge/net/byte-socket.ts";
import { EtcdDirectory } from "../core/directory/etcd/etcd-directory.ts";
import { httpPost } from "../core/directory/etcd/http-post.ts";
import packageJson from "../package.json" with { type: "json" };
import { systemClock } from "../relay/deno/clock.ts";
import { onSignals } from "../relay/deno/signals.ts";
import { BridgeSettingsError, readBridgeSettings } from "./bridge-settings.ts";
import { startBridge } from "./start-bridge.ts";

function log(level: "info" | "warn" | "error", message: string, fields?: Record<string, unknown>): void {
  console.error(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }));
}

async function main(): Promise<void> {
  const settings = readBridgeSettings(Deno.env.toObject());
  const directory = new EtcdDirectory({
    settings: settings.etcd,
    post: httpPost(fetch, () => new AbortController()),
    clock: systemClock,
    random: Math.random,
    log: (line) => log("warn", line),
  });
  directory.bridges.follow();
  const bridge = await startBridge({
    ...settings,
    version: packageJson.version,
    directory: directory.bridges,
    request: (url, { method, headers, body }) => fetch(url, { method, headers, body }),
    log,
  });
  const http = Deno.serve(
    { hostname: settings.host, port: settings.httpPort, onListen: () => undefined },
    (request) => bridge.answer(request) ?? new Response("There is nothing here.\n", { status: 404 }),
  );
  console.info(`Tributary bridge is ready: ${settings.publicUrl} ${JSON.stringify(bridge.record)}`);
  await new Promise<void>((resolve) => {
    onSignals(() => void bridge.drain().then(resolve), resolve);
  });
  await bridge.stop();
  await http.shutdown();
  await directory.close();
}

main().then(
  () => Deno.exit(0),
  (error: unknown) => {
    const isForPeople = error instanceof BridgeSettingsError || error instanceof SocketError;
    console.error(isForPeople ? error.message : error);
    Deno.exit(1);
  },
);
