/** Brings a relay to life on Deno. Used by main.ts and `npm start`. */
import type { RelayConfig, RunningRelay } from "../serving/relay-config.ts";
import { serveRelay } from "../serving/serve-relay.ts";
import { denoRuntime } from "./runtime.ts";

export type { RelayConfig, RunningRelay, ServingCertificate } from "../serving/relay-config.ts";
export { RelayStartError } from "../serving/start-error.ts";

/** Starts a relay; it is registered and takes sessions when this resolves. Rejects with RelayStartError. */
export function startRelay(config: RelayConfig): Promise<RunningRelay> {
  return serveRelay(config, denoRuntime);
}
