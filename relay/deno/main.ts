/**
 * A relay as its own process: `deno run -A relay/deno/main.ts`, configured by environment (docs/operating.md).
 * It registers in the etcd in TRIBUTARY_ETCD; without one it keeps a directory of its own, and a gateway knows it by
 * configuration. With RELAY_WORKERS it is several relays, a process each, and supervises them.
 */
import { readRelaySettings } from "../serving/relay-settings.ts";
import { logLine, runRelay, startFault } from "../serving/run-relay.ts";
import { denoRuntime } from "./runtime.ts";
import { onDenoSignals } from "./signals.ts";
import { supervise } from "./supervisor.ts";
import { workerEnvironments } from "./worker-settings.ts";

export { type RelayConfig, RelayStartError, type RunningRelay, startRelay } from "./start-relay.ts";

async function main(): Promise<number> {
  const environment = Deno.env.toObject();
  const settings = readRelaySettings(environment);
  if (settings.workers > 1)
    return supervise({ environments: workerEnvironments(settings, environment), log: logLine });
  return runRelay(settings, {
    runtime: denoRuntime,
    readText: Deno.readTextFile,
    onSignals: onDenoSignals,
    // Whoever started this relay holds its standard input open for as long as it lives itself.
    supervisorEnd: settings.isSupervised ? endOf(Deno.stdin.readable) : undefined,
  });
}

async function endOf(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _ of stream) {
    // Nothing is said there; only its end matters.
  }
}

if (import.meta.main) {
  main().then(Deno.exit, (error: unknown) => {
    console.error(startFault(error));
    Deno.exit(1);
  });
}
