/**
 * A relay as its own process on Node: `npx tsx relay/node/main.ts`, configured by environment as the one on Deno is
 * (docs/operating.md). It takes sessions over TCP, and over UDP where the native part of its package is installed.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { readRelaySettings } from "../serving/relay-settings.ts";
import { logLine, runRelay, startFault } from "../serving/run-relay.ts";
import { onSignals } from "../serving/signals.ts";
import { RelayStartError } from "../serving/start-error.ts";
import { nodeRuntime } from "./runtime.ts";

async function main(): Promise<number> {
  const settings = readRelaySettings(process.env);
  if (settings.workers > 1) {
    throw new RelayStartError(
      `RELAY_WORKERS=${settings.workers} works on Deno only: start ${settings.workers} relays by yourself, each with its own RELAY_ID and ports, or use relay/deno/main.ts.`,
    );
  }
  if (settings.port !== undefined && nodeRuntime.listenUdp === undefined) {
    logLine(
      "there is no UDP port: Node has no QUIC. Sessions come over TCP, unless @fails-components/webtransport-transport-http3-quiche is installed.",
    );
  }
  return runRelay(settings, {
    runtime: nodeRuntime,
    readText: (path) => readFile(path, "utf8"),
    onSignals: onSignals((signal, hear) => process.on(signal, hear)),
    // Whoever started this relay holds its standard input open for as long as it lives itself.
    supervisorEnd: settings.isSupervised ? endOfInput() : undefined,
  });
}

function endOfInput(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.resume().once("end", () => resolve());
  });
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(startFault(error));
    process.exit(1);
  },
);
