/**
 * A gateway by itself, apart from its relays: what the three entries have in common. Its directory is the etcd in
 * TRIBUTARY_ETCD, or the list of relays in TRIBUTARY_RELAYS (core/directory/static.ts says what that cannot know).
 */
import type { Clock } from "../core/clock.ts";
import { EtcdDirectory } from "../core/directory/etcd/etcd-directory.ts";
import type { EtcdSettings } from "../core/directory/etcd/etcd-settings.ts";
import { httpPost } from "../core/directory/etcd/http-post.ts";
import { staticDirectory } from "../core/directory/static.ts";
import packageJson from "../package.json" with { type: "json" };
import { createGateway } from "./app.ts";
import type { ClientAddress } from "./client-address.ts";
import { ConfigError, type Env, readStandaloneConfig } from "./config.ts";
import type { GatewayDeps, Log } from "./deps.ts";
import { wallClock } from "./wall-clock.ts";

/** One JSON object a line on stderr; stdout is left to the line that says where the gateway is. */
export const logLine: Log = (level, message, fields) => {
  console.error(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }));
};

export interface Standalone {
  app: ReturnType<typeof createGateway>;
  host: string;
  port: number;
}

/**
 * So long joins go by the relays and the room's root that were read from etcd. Stale ones do no harm: every relay of the answer
 * leads into the room, and there are several. Isolates of Workers are many, and ask from far away.
 */
const LOOKUP_REUSE_MS = { process: 500, requests: 2_000 };

/** What a runtime makes different. */
export interface RuntimeTraits {
  /**
   * How it lets a gateway live. One that lives in requests only (Workers) cannot keep a watch of etcd open between them; while etcd
   * does not answer it knows what it asked before.
   */
  life?: "process" | "requests";
  sharedLimits?: GatewayDeps["sharedLimits"];
}

/** Rejects with ConfigError. Guests are never taken: that is for `npm start` alone. */
export async function createStandalone(
  env: Env,
  clientAddress: ClientAddress,
  { life = "process", sharedLimits }: RuntimeTraits = {},
): Promise<Standalone> {
  const { gateway, ticketKey, etcd, relays, host, port } = await readStandaloneConfig(env);
  const clock = wallClock();
  const shared = etcd && etcdDirectory(etcd, clock, life);
  const app = createGateway({
    directory: shared ?? (await staticDirectory(relays, clock)),
    bridges: shared?.bridges,
    clock,
    config: gateway,
    ticketKey,
    fetch: (input, init) => fetch(input, init),
    log: logLine,
    guests: false,
    version: packageJson.version,
    clientAddress,
    sharedLimits,
    lookupReuseMs: shared ? LOOKUP_REUSE_MS[life] : 0,
  });
  return { app, host, port };
}

function etcdDirectory(
  settings: EtcdSettings,
  clock: Clock,
  life: NonNullable<RuntimeTraits["life"]>,
): EtcdDirectory {
  const directory = new EtcdDirectory({
    settings,
    post: httpPost(
      (url, init) => fetch(url, init),
      () => new AbortController(),
    ),
    clock,
    random: Math.random,
    log: (line) => logLine("warn", line),
  });
  if (life === "process") {
    directory.follow();
    directory.bridges.follow();
  }
  return directory;
}

/** The one line that a wrong setting or a taken port ends in; undefined for faults that deserve a stack. */
export function startFault(error: unknown, host: string, port: number): string | undefined {
  if (error instanceof ConfigError) return error.message;
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error ? String(error.code) : "";
  if (code === "EADDRINUSE" || error.name === "AddrInUse") {
    return `PORT ${port} is taken on ${host}: stop what listens there, or set PORT to another one`;
  }
  const unknownHost = code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN";
  if (unknownHost || error.name === "AddrNotAvailable" || /failed to lookup address/.test(error.message)) {
    return `HOST ${host} is not an address of this machine: set HOST to one that is, e.g. 0.0.0.0`;
  }
  if (code === "EACCES" || error.name === "PermissionDenied") {
    return `PORT ${port} may not be opened by this user: use one above 1023`;
  }
  return undefined;
}

export function readyLine(host: string, port: number): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `Tributary gateway is ready: http://${name}:${port}`;
}
