/**
 * A relay as its own process: `deno run -A relay/deno/main.ts`, configured by environment (docs/operating.md).
 * It registers in the etcd in TRIBUTARY_ETCD; without one it keeps a directory of its own, and a gateway knows it by
 * configuration. With RELAY_WORKERS it is several relays, a process each, and supervises them.
 */
import { DirectoryError } from "../../core/directory/directory.ts";
import { EtcdDirectory } from "../../core/directory/etcd/etcd-directory.ts";
import { httpPost } from "../../core/directory/etcd/http-post.ts";
import { MemoryDirectory } from "../../core/directory/memory.ts";
import packageJson from "../../package.json" with { type: "json" };
import { MetricsText } from "../metrics-text.ts";
import { fromFiles, selfSigned } from "./certificate-source.ts";
import { systemClock } from "./clock.ts";
import { type RelaySettings, readRelaySettings } from "./config.ts";
import { routed } from "./routes.ts";
import { connectSession } from "./session.ts";
import { untilShutDown } from "./shutdown.ts";
import { type RelayConfig, RelayStartError, startRelay } from "./start-relay.ts";
import { supervise } from "./supervisor.ts";
import { workerEnvironments } from "./worker-settings.ts";

export { type RelayConfig, RelayStartError, type RunningRelay, startRelay } from "./start-relay.ts";

function log(line: string): void {
  console.warn(`relay: ${line}`);
}

/** The directory, and what it counts. */
function openDirectory({ etcd }: RelaySettings): Pick<RelayConfig, "directory" | "furtherMetrics"> {
  if (etcd === undefined) return { directory: new MemoryDirectory(systemClock) };
  const directory = new EtcdDirectory({
    settings: etcd,
    post: httpPost(fetch, () => new AbortController()),
    clock: systemClock,
    random: Math.random,
    log,
  });
  directory.follow();
  const furtherMetrics = (): string => {
    const text = new MetricsText();
    text.counter(
      "tributary_etcd_values_skipped_total",
      "Values in etcd that were passed over because they are not Tributary's.",
      directory.skippedValues,
    );
    return text.toString();
  };
  return { directory, furtherMetrics };
}

async function main(): Promise<number> {
  const environment = Deno.env.toObject();
  const settings = readRelaySettings(environment);
  if (settings.workers > 1)
    return supervise({ environments: workerEnvironments(settings, environment), log });
  return runRelay(settings);
}

/** Resolves to the exit status, long after. */
async function runRelay(settings: RelaySettings): Promise<number> {
  const { certificateFiles, publicUrl, host } = settings;
  const names = [
    host,
    ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname.replace(/^\[|\]$/g, "")]),
  ];
  const source =
    certificateFiles === undefined
      ? await selfSigned(names.filter((name) => name !== "0.0.0.0" && name !== "::"))
      : await fromFiles(certificateFiles, "RELAY_CERT and RELAY_KEY");
  const opened = openDirectory(settings);
  const running = await startRelay({
    ...settings,
    ...opened,
    certificate: source.certificate,
    connect: routed(connectSession, settings.routes),
    version: packageJson.version,
    log,
  });
  const unfollow = source.follow((certificate) => running.replaceCertificate(certificate), log);
  const record = JSON.stringify(running.relay.record);
  console.info(`Tributary relay is ready: ${running.url} ${record}`);
  const { drainSeconds, isSupervised } = settings;
  const close = (): Promise<void> => opened.directory.close();
  await untilShutDown({ relay: running, drainSeconds, close, log }, isSupervised);
  unfollow();
  return 0;
}

if (import.meta.main) {
  main().then(Deno.exit, (error: unknown) => {
    const isForPeople = error instanceof RelayStartError || error instanceof DirectoryError;
    console.error(isForPeople ? error.message : error);
    Deno.exit(1);
  });
}
