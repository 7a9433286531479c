/** A relay as a process of its own, on any runtime: from its settings until it may exit. */
import { DirectoryError } from "../../core/directory/directory.ts";
import packageJson from "../../package.json" with { type: "json" };
import { fromFiles, selfSigned } from "./certificate-source.ts";
import { openDirectory } from "./open-directory.ts";
import type { RelayRuntime } from "./relay-runtime.ts";
import type { RelaySettings } from "./relay-settings.ts";
import { routed } from "./routes.ts";
import { serveRelay } from "./serve-relay.ts";
import { type Shutdown, untilShutDown } from "./shutdown.ts";
import { RelayStartError } from "./start-error.ts";

/** What a process does differently on each runtime. */
export interface RelayProcessRuntime extends Pick<Shutdown, "onSignals" | "supervisorEnd"> {
  runtime: RelayRuntime;
  readText(path: string): Promise<string>;
}

export function logLine(line: string): void {
  console.warn(`relay: ${line}`);
}

/** Resolves to the exit status, long after. Rejects with RelayStartError and DirectoryError, for people. */
export async function runRelay(
  settings: RelaySettings,
  { runtime, readText, ...ending }: RelayProcessRuntime,
): Promise<number> {
  const log = logLine;
  const { certificateFiles } = settings;
  const source =
    certificateFiles === undefined
      ? await selfSigned(namesOf(settings))
      : await fromFiles(certificateFiles, "RELAY_CERT and RELAY_KEY", readText);
  const opened = openDirectory(settings, log);
  const config = {
    ...settings,
    ...opened,
    certificate: source.certificate,
    connect: routed(runtime.connect, settings.routes),
    version: packageJson.version,
    log,
  };
  const running = await serveRelay(config, runtime);
  const unfollow = source.follow((certificate) => running.replaceCertificate(certificate), log);
  const { drainSeconds } = settings;
  const close = (): Promise<void> => opened.directory.close();
  // Whoever reads that it is ready may ask it to end at once.
  const end = untilShutDown({ ...ending, relay: running, drainSeconds, close, log });
  const record = JSON.stringify(running.relay.record);
  console.info(`Tributary relay is ready: ${running.url || running.fallbackUrl} ${record}`);
  await end;
  unfollow();
  return 0;
}

/** Of a certificate of our own. */
function namesOf({ host, publicUrl, tcpPublicUrl }: RelaySettings): string[] {
  const urls = [publicUrl, tcpPublicUrl].filter((url) => url !== undefined);
  const names = [host, ...urls.map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ""))];
  return [...new Set(names)].filter((name) => name !== "0.0.0.0" && name !== "::");
}

/** What somebody reads when it cannot start, or the error itself when it is none of theirs. */
export function startFault(error: unknown): unknown {
  return error instanceof RelayStartError || error instanceof DirectoryError ? error.message : error;
}
