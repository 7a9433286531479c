/** The bridge of `npm start`: in the same process as gateway and relay, with the gateway's own key. */
import { join } from "node:path";
import type { BridgeDirectory } from "../core/directory/bridge-directory.ts";
import type { TicketKeys } from "../core/wire/gateway-keys.ts";
import type { createGateway } from "../gateway/app.ts";
import { denoRuntime } from "../relay/deno/runtime.ts";
import type { Settings } from "./settings.mjs";
import { type RunningBridge, startBridge } from "./start-bridge.ts";

/** Outputs and senders that one machine is asked to do at most. */
const CAPACITY = 100;

export interface OwnBridgeOptions {
  settings: Settings;
  environment: Readonly<Record<string, string>>;
  directory: BridgeDirectory;
  /** The gateway's public keys. */
  keys: TicketKeys;
  app: ReturnType<typeof createGateway>;
  /** Where people reach this machine's pages. */
  origin: string;
  version: string;
}

/** Rejects with SocketError when a port that was asked for cannot be opened. */
export function openBridge(options: OwnBridgeOptions): Promise<RunningBridge> {
  const { settings, environment, directory, keys, app, origin, version } = options;
  const [apiKey = ""] = (environment.TRIBUTARY_API_KEYS ?? "").split(",");
  return startBridge({
    icecastPort: settings.icecastPort,
    id: "local",
    region: "local",
    version,
    capacity: CAPACITY,
    host: settings.relayBindAddress,
    publicHost: new URL(origin).hostname,
    publicUrl: origin,
    rtmpPort: settings.rtmpPort,
    rtmps: undefined,
    allowedTargets: settings.allowedTargets,
    recordingsFolder: join(settings.stateFolder, "recordings"),
    retention: settings.retention,
    gateway: { gateway: origin, apiKey, region: undefined },
    request: async (url, { method, headers, body }) => app.fetch(new Request(url, { method, headers, body })),
    operations: { host: "127.0.0.1", port: 0 },
    connect: denoRuntime.connect,
    directory,
    keys,
    log: (level, message, fields) => {
      if (level !== "info") console.error(`bridge: ${message} ${JSON.stringify(fields ?? {})}`);
    },
  });
}
