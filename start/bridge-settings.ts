/** The environment of a bridge that runs by itself, checked. Every wrong value is one line that names the variable and says what it takes. */

import type { GatewaySettings } from "../bridge/room/gateway-access.ts";
import {
  type EtcdSettings,
  EtcdSettingsError,
  readEtcdSettings,
} from "../core/directory/etcd/etcd-settings.ts";
import { type TicketKeys, ticketKeysOf } from "../core/wire/gateway-keys.ts";

import { readS3Settings, type S3Settings, StorageSettingsError } from "./recording-storage.ts";

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
  icecastPort: number;
  operations: { host: string; port: number; url: string | undefined };
  allowedTargets: readonly string[];
  recordingsFolder: string;
  s3: S3Settings | undefined;
  retention: { maxDays?: number; maxBytes?: number };
  gateway: GatewaySettings;
  etcd: EtcdSettings;
  keys: TicketKeys;
}

/** `message` is one line that says what to do; no secret is in it. */
export class BridgeSettingsError extends Error {
  override readonly name = "BridgeSettingsError";
}

const DEFAULT_HTTP_PORT = 8090;
const DEFAULT_RTMP_PORT = 1935;
const DEFAULT_ICECAST_PORT = 8000;
const DEFAULT_OPERATIONS_PORT = 9091;
const DEFAULT_CAPACITY = 50;

/** Throws BridgeSettingsError. */
export function readBridgeSettings(env: Environment): BridgeSettings {
  const region = env.BRIDGE_REGION ?? "";
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
    icecastPort: numberOf("ICECAST_PORT", env.ICECAST_PORT, DEFAULT_ICECAST_PORT, 65_535),
    operations: {
      host: env.BRIDGE_OPERATIONS_HOST || "127.0.0.1",
      port: numberOf("BRIDGE_OPERATIONS_PORT", env.BRIDGE_OPERATIONS_PORT, DEFAULT_OPERATIONS_PORT, 65_535),
      url: env.BRIDGE_OPERATIONS_URL || undefined,
    },
    allowedTargets: listOf(env.BRIDGE_ALLOWED_TARGETS),
    recordingsFolder: env.BRIDGE_RECORDINGS || "recordings",
    s3: s3Of(env),
    retention: {
      ...(env.BRIDGE_KEEP_DAYS
        ? { maxDays: numberOf("BRIDGE_KEEP_DAYS", env.BRIDGE_KEEP_DAYS, 0, 36_500) }
        : {}),
      ...(env.BRIDGE_KEEP_BYTES
        ? { maxBytes: numberOf("BRIDGE_KEEP_BYTES", env.BRIDGE_KEEP_BYTES, 0, 2 ** 53) }
        : {}),
    },
    gateway: {
      gateway: urlOf("TRIBUTARY_GATEWAY_URL", env.TRIBUTARY_GATEWAY_URL, "https://rooms.example.org"),
      apiKey: apiKeyOf(env.TRIBUTARY_API_KEY),
      region: region || undefined,
    },
    etcd: etcdOf(env),
    keys: keysOf(env.TRIBUTARY_TICKET_JWKS),
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

function s3Of(env: Environment): S3Settings | undefined {
  try {
    return readS3Settings(env);
  } catch (cause) {
    if (!(cause instanceof StorageSettingsError)) throw cause;
    throw new BridgeSettingsError(cause.message, { cause });
  }
}

function keysOf(text: string | undefined): TicketKeys {
  const help = "give it the gateway's public ticket key as JWK or JWKS";
  if (!text) throw new BridgeSettingsError(`TRIBUTARY_TICKET_JWKS is not set: ${help}`);
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
