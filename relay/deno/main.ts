/**
 * A relay as its own process: `deno run -A relay/deno/main.ts`, configured by environment (docs/operating.md).
 * Without a cluster's directory it keeps its own, and a gateway knows it by configuration.
 */
import { MemoryDirectory } from "../../core/directory/memory.ts";
import packageJson from "../../package.json" with { type: "json" };
import { fromFiles, selfSigned } from "./certificate-source.ts";
import { systemClock } from "./clock.ts";
import { readRelaySettings } from "./config.ts";
import { RelayStartError, startRelay } from "./start-relay.ts";

export { type RelayConfig, RelayStartError, type RunningRelay, startRelay } from "./start-relay.ts";

function log(line: string): void {
  console.warn(`relay: ${line}`);
}

async function main(): Promise<void> {
  const settings = readRelaySettings(Deno.env.toObject());
  const { certificateFiles, publicUrl, host } = settings;
  const names = [
    host,
    ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname.replace(/^\[|\]$/g, "")]),
  ];
  const source =
    certificateFiles === undefined
      ? await selfSigned(names.filter((name) => name !== "0.0.0.0" && name !== "::"))
      : await fromFiles(certificateFiles);
  const running = await startRelay({
    ...settings,
    certificate: source.certificate,
    version: packageJson.version,
    directory: new MemoryDirectory(systemClock),
    log,
  });
  const unfollow = source.follow((certificate) => running.replaceCertificate(certificate), log);
  const record = JSON.stringify(running.relay.record);
  console.info(`Tributary relay is ready: ${running.url} ${record}`);
  const stop = async (): Promise<void> => {
    unfollow();
    await running.stop();
    Deno.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => void stop());
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof RelayStartError ? error.message : error);
    Deno.exit(1);
  });
}
