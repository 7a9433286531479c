/**
 * A bridge as its own process: `deno run -A start/bridge.ts`, configured by environment (docs/operating.md). It finds its jobs in etcd and
 * enters rooms through the gateway. The first signal drains it: what it does goes on elsewhere.
 */
import { SocketError } from "../bridge/net/byte-socket.ts";
import type { TlsIdentity } from "../bridge/node/tcp.ts";
import { EtcdDirectory } from "../core/directory/etcd/etcd-directory.ts";
import { httpPost } from "../core/directory/etcd/http-post.ts";
import packageJson from "../package.json" with { type: "json" };
import { denoRuntime } from "../relay/deno/runtime.ts";
import { onDenoSignals } from "../relay/deno/signals.ts";
import { RelayStartError, type ServingCertificate } from "../relay/deno/start-relay.ts";
import { fromFiles } from "../relay/serving/certificate-source.ts";
import { systemClock } from "../relay/serving/clock.ts";
import { routed } from "../relay/serving/routes.ts";
import { AudienceServer } from "./audience-server.ts";
import { BridgeSettingsError, readBridgeSettings } from "./bridge-settings.ts";
import { type RunningBridge, startBridge } from "./start-bridge.ts";

function log(level: "info" | "warn" | "error", message: string, fields?: Record<string, unknown>): void {
  console.error(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }));
}

async function main(): Promise<void> {
  const settings = readBridgeSettings(Deno.env.toObject());
  const { certificateFiles: files, host, httpPort } = settings;
  const source = files && (await fromFiles(files, "BRIDGE_TLS_CERT and BRIDGE_TLS_KEY", Deno.readTextFile));
  const identity = source && identityOf(source.certificate);
  let bridge: RunningBridge | undefined;
  const http = new AudienceServer({
    host,
    port: httpPort,
    identity,
    answer: (request) => bridge?.answer(request) ?? new Response("There is nothing here.\n", { status: 404 }),
  });
  const directory = new EtcdDirectory({
    settings: settings.etcd,
    post: httpPost(fetch, () => new AbortController()),
    clock: systemClock,
    random: Math.random,
    log: (line) => log("warn", line),
  });
  directory.bridges.follow();
  const running = await startBridge({
    ...settings,
    rtmps: identity && { port: settings.rtmpsPort, identity },
    version: packageJson.version,
    directory: directory.bridges,
    connect: routed(denoRuntime.connect, settings.routes),
    request: (url, { method, headers, body }) => fetch(url, { method, headers, body }),
    log,
  });
  bridge = running;
  const unfollow = source?.follow(
    async (certificate) => {
      await http.replaceCertificate(identityOf(certificate));
      running.updateCertificate(identityOf(certificate));
      log("info", "the certificate was renewed");
    },
    (line) => log("warn", line),
  );
  console.info(`Tributary bridge is ready: ${settings.publicUrl} ${JSON.stringify(running.record)}`);
  await new Promise<void>((resolve) => {
    onDenoSignals(() => void running.drain().then(resolve), resolve);
  });
  unfollow?.();
  await running.stop();
  await http.close();
  await directory.close();
}

function identityOf({ certPem, keyPem }: ServingCertificate): TlsIdentity {
  return { cert: certPem, key: keyPem };
}

main().then(
  () => Deno.exit(0),
  (error: unknown) => {
    const isForPeople =
      error instanceof BridgeSettingsError ||
      error instanceof RelayStartError ||
      error instanceof SocketError;
    console.error(isForPeople ? error.message : error);
    Deno.exit(1);
  },
);
