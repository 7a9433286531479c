/** The environment of a bridge that runs by itself, checked. Every wrong value is one line that names the variable and says what it takes. */
import { createRemoteJWKSet } from "jose";

import type { GatewaySettings } from "../bridge/room/gateway-access.ts";
import {
  type EtcdSettings,
  EtcdSettingsError,
  readEtcdSettings,
} from "../core/directory/etcd/etcd-settings.ts";
import { type TicketKeys, ticketKeysOf } from "../core/wire/gateway-keys.ts";

import { type Routes, readRoutes } from "../relay/serving/routes.ts";
import { readS3Settings, type S3Settings, StorageSettingsError } from "./recording-storage.ts";
import { readRetention } from "./retention-settings.mjs";
import { StartError } from "./start-error.mjs";

type Environment = Readonly<Record<string, string | undefined>>;

export interface BridgeSettings {
  id: string;
  region: string;
  capacity: number;
  host: string;
  publicHost: string;
  publicUrl: string;
  httpPort: number;
  rtmpPort: number;
  /** Where there is a certificate. */
  rtmpsPort: number;
  icecastPort: number;
  /** PEM files; undefined = no TLS. */
  certificateFiles: { cert: string; key: string } | undefined;
  operations: { host: string; port: number; url: string | undefined };
  allowedTargets: readonly string[];
  recordingsFolder: string;
  s3: S3Settings | undefined;
  retention: { maxDays?: number; maxBytes?: number };
  gateway: GatewaySettings;
  etcd: EtcdSettings;
  keys: TicketKeys;
  /** Relays that are dialled at another address than they tell browsers. */
  routes: Routes;
}

/** `message` is one line that says what to do; no secret is in it. */
export class BridgeSettingsError extends Error {
  override readonly name = "BridgeSettingsError";
}

const DEFAULT_HTTP_PORT = 8090;
const DEFAULT_RTMP_PORT = 1935;
/** As mediamtx has it; there is no registered one. */
const DEFAULT_RTMPS_PORT = 1936;
const DEFAULT_ICECAST_PORT = 8000;
const DEFAULT_OPERATIONS_PORT = 9091;
const DEFAULT_CAPACITY = 50;

/** Throws BridgeSettingsError; RelayStartError where RELAY_ROUTES is wrong. */
export function readBridgeSettings(env: Environment): BridgeSettings {
  const region = env.BRIDGE_REGION ?? "";
  const gateway = urlOf("TRIBUTARY_GATEWAY_URL", env.TRIBUTARY_GATEWAY_URL, "https://rooms.example.org");
  const publicUrl = urlOf("BRIDGE_PUBLIC_URL", env.BRIDGE_PUBLIC_URL, "https://bridge1.example.org");
  return {
    id: idOf(env.BRIDGE_ID),
    region,
    capacity: numberOf("BRIDGE_CAPACITY", env.BRIDGE_CAPACITY, DEFAULT_CAPACITY, 100_000),
    host: env.BRIDGE_HOST || "0.0.0.0",
    publicHost: new URL(publicUrl).hostname,
    publicUrl,
    httpPort: numberOf("BRIDGE_HTTP_PORT", env.BRIDGE_HTTP_PORT, DEFAULT_HTTP_PORT, 65_535),
    rtmpPort: numberOf("RTMP_PORT", env.RTMP_PORT, DEFAULT_RTMP_PORT, 65_535),
    rtmpsPort: numberOf("RTMPS_PORT", env.RTMPS_PORT, DEFAULT_RTMPS_PORT, 65_535),
    icecastPort: numberOf("ICECAST_PORT", env.ICECAST_PORT, DEFAULT_ICECAST_PORT, 65_535),
    certificateFiles: certificateFilesOf(env.BRIDGE_TLS_CERT, env.BRIDGE_TLS_KEY),
    operations: {
      host: env.BRIDGE_OPERATIONS_HOST || "127.0.0.1",
      port: numberOf("BRIDGE_OPERATIONS_PORT", env.BRIDGE_OPERATIONS_PORT, DEFAULT_OPERATIONS_PORT, 65_535),
      url: env.BRIDGE_OPERATIONS_URL || undefined,
    },
    allowedTargets: listOf(env.BRIDGE_ALLOWED_TARGETS),
    recordingsFolder: env.BRIDGE_RECORDINGS || "recordings",
    s3: s3Of(env),
    retention: retentionOf(env),
    gateway: {
      gateway,
      apiKey: apiKeyOf(env.TRIBUTARY_API_KEY),
      region: region || undefined,
    },
    etcd: etcdOf(env),
    keys: keysOf(env.TRIBUTARY_TICKET_JWKS, gateway),
    routes: readRoutes(env.RELAY_ROUTES || undefined),
  };
}

function etcdOf(env: Environment): EtcdSettings {
  try {
    const etcd = readEtcdSettings(env);
    if (etcd !== undefined) return etcd;
  } catch (cause) {
    if (!(cause instanceof EtcdSettingsError)) throw cause;
    throw new BridgeSettingsError(cause.message, { cause });
  }
  throw new BridgeSettingsError(
    "TRIBUTARY_ETCD is not set: a bridge finds its jobs there; give the URLs that the gateways have",
  );
}

function certificateFilesOf(
  cert: string | undefined,
  key: string | undefined,
): BridgeSettings["certificateFiles"] {
  if (!cert && !key) return undefined;
  if (cert && key) return { cert, key };
  throw new BridgeSettingsError(
    "BRIDGE_TLS_CERT and BRIDGE_TLS_KEY belong together: set both to PEM files, or neither",
  );
}

function retentionOf(env: Environment): BridgeSettings["retention"] {
  try {
    return readRetention(env);
  } catch (cause) {
    if (!(cause instanceof StartError)) throw cause;
    throw new BridgeSettingsError(cause.message, { cause });
  }
}

function s3Of(env: Environment): S3Settings | undefined {
  try {
    return readS3Settings(env);
  } catch (cause) {
    if (!(cause instanceof StorageSettingsError)) throw cause;
    throw new BridgeSettingsError(cause.message, { cause });
  }
}

/** Where no key is given, the gateway is asked for it when it is needed. */
function keysOf(text: string | undefined, gateway: string): TicketKeys {
  const help = "give it the gateway's public ticket key as JWK or JWKS, or leave it out";
  if (!text) return createRemoteJWKSet(new URL(`${gateway}/.well-known/jwks.json`));
  try {
    return ticketKeysOf(JSON.parse(text));
  } catch (cause) {
    throw new BridgeSettingsError(`TRIBUTARY_TICKET_JWKS is no set of public keys: ${help}`, { cause });
  }
}

function apiKeyOf(text: string | undefined): string {
  if (text && /^[\w.-]{1,64}:[\x21-\x7e]+$/.test(text)) return text;
  throw new BridgeSettingsError(
    "TRIBUTARY_API_KEY is not an API key: give a bridge one of the gateway's own as id:secret, so that it may enter rooms",
  );
}

function urlOf(name: string, text: string | undefined, example: string): string {
  if (text && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text.replace(/\/+$/, "");
  throw new BridgeSettingsError(`${name} is not a URL: use an address such as ${example}`);
}

function numberOf(name: string, text: string | undefined, usual: number, most: number): number {
  if (text === undefined || text === "") return usual;
  const number = Number(text);
  if (/^\d{1,16}$/.test(text) && number <= most) return number;
  throw new BridgeSettingsError(
    `${name} is not a whole number from 0 to ${most}: set it right or leave it out`,
  );
}

function idOf(text: string | undefined): string {
  if (!text) return `bridge-${crypto.randomUUID().slice(0, 8)}`;
  if (/^[\w.-]{1,64}$/.test(text)) return text;
  throw new BridgeSettingsError("BRIDGE_ID is not usable: 1 to 64 letters, digits, . _ and -");
}

function listOf(text: string | undefined): string[] {
  return (text ?? "").split(/[\s,]+/).filter((entry) => entry !== "");
}
