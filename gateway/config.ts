/**
 * The gateway's settings, read from a record of environment variables. Anything wrong ends in one
 * ConfigError that names the variable and says what to do; secrets are never repeated in it.
 */
import type { JWK } from "jose";
import { z } from "zod";
import type { RelayRecord } from "../core/directory/directory.ts";
import {
  type EtcdSettings,
  EtcdSettingsError,
  readEtcdSettings,
} from "../core/directory/etcd/etcd-settings.ts";
import { relayRecordSchema } from "../core/directory/relay-record.ts";
import type { JwksSource } from "./join-tokens.ts";
import type { Rate } from "./rate-limit.ts";
import { generateTicketKey, importTicketKey, type TicketKey } from "./ticket-key.ts";

export interface GatewayConfig {
  /** Secret by key id. */
  apiKeys: ReadonlyMap<string, string>;
  jwks: JwksSource | undefined;
  jwksIssuer: string | undefined;
  /** Origins of pages that may call, beside the gateway's own. */
  allowedOrigins: "*" | ReadonlySet<string>;
  trustProxy: boolean;
  /** Undefined: no limit. */
  perAddress: Rate | undefined;
  perKey: Rate | undefined;
}

/** Settings of a gateway that runs by itself. */
export interface StandaloneConfig {
  gateway: GatewayConfig;
  ticketKey: TicketKey;
  /** Where relays and rooms are looked up; when undefined, `relays` is all there is. */
  etcd: EtcdSettings | undefined;
  relays: RelayRecord[];
  host: string;
  port: number;
}

export type Env = Readonly<Record<string, string | undefined>>;

/** `message` is one line: the variable, what is wrong with it, what to do. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const MIN_SECRET_CHARS = 32;
const DEFAULT_PORT = 8080;
const DEFAULT_PER_ADDRESS: Rate = { perSecond: 50, burst: 200 };
const DEFAULT_PER_KEY: Rate = { perSecond: 500, burst: 2000 };

/** What every gateway reads. Throws ConfigError. */
export function readGatewayConfig(env: Env): GatewayConfig {
  return {
    apiKeys: apiKeysOf(env.TRIBUTARY_API_KEYS),
    jwks: jwksOf(env),
    jwksIssuer: env.TRIBUTARY_JWKS_ISSUER || undefined,
    allowedOrigins: originsOf(env.TRIBUTARY_ALLOWED_ORIGINS),
    trustProxy: flagOf("TRIBUTARY_TRUST_PROXY", env.TRIBUTARY_TRUST_PROXY),
    perAddress: rateOf("TRIBUTARY_RATE_PER_ADDRESS", env.TRIBUTARY_RATE_PER_ADDRESS, DEFAULT_PER_ADDRESS),
    perKey: rateOf("TRIBUTARY_RATE_PER_KEY", env.TRIBUTARY_RATE_PER_KEY, DEFAULT_PER_KEY),
  };
}

/** The same and what only a gateway apart from its relays needs. Rejects with ConfigError. */
export async function readStandaloneConfig(env: Env): Promise<StandaloneConfig> {
  const gateway = readGatewayConfig(env);
  if (gateway.apiKeys.size === 0 && !gateway.jwks) {
    throw new ConfigError(
      "TRIBUTARY_API_KEYS is not set: nobody could join; give it as id:secret, or set TRIBUTARY_JWKS_URL",
    );
  }
  const etcd = etcdOf(env);
  return {
    gateway,
    ticketKey: await readTicketKey(env, true),
    etcd,
    relays: etcd ? [] : relaysOf(env.TRIBUTARY_RELAYS),
    host: env.HOST || "127.0.0.1",
    port: portOf(env.PORT),
  };
}

/** The key in TRIBUTARY_TICKET_KEY; without one a fresh key, or ConfigError where `required`. */
export async function readTicketKey(env: Env, required: boolean): Promise<TicketKey> {
  const text = env.TRIBUTARY_TICKET_KEY;
  const help = "give it a private P-256 key as JWK (docs/gateway.md has the command that makes one)";
  if (!text) {
    if (required) throw new ConfigError(`TRIBUTARY_TICKET_KEY is not set: ${help}`);
    return generateTicketKey();
  }
  try {
    return await importTicketKey(JSON.parse(text) as JWK);
  } catch (cause) {
    throw new ConfigError(`TRIBUTARY_TICKET_KEY is not a private P-256 JWK: ${help}`, { cause });
  }
}

function apiKeysOf(text: string | undefined): Map<string, string> {
  const keys = new Map<string, string>();
  for (const entry of listOf(text)) {
    const [, id, secret = ""] = /^([\w.-]{1,64}):([\x21-\x7e]+)$/.exec(entry) ?? [];
    if (!id) {
      throw new ConfigError(
        "TRIBUTARY_API_KEYS has an entry that is not id:secret: write id:secret,id2:secret2, ids of letters, digits, . _ -, secrets of ASCII without spaces and commas",
      );
    }
    if (secret.length < MIN_SECRET_CHARS) {
      throw new ConfigError(
        `TRIBUTARY_API_KEYS: the secret of ${id} has ${secret.length} characters; use at least ${MIN_SECRET_CHARS}, e.g. from: openssl rand -hex 32`,
      );
    }
    if (keys.has(id))
      throw new ConfigError(`TRIBUTARY_API_KEYS has the id ${id} twice: give each key its own`);
    keys.set(id, secret);
  }
  return keys;
}

const publicKeySchema = z
  .looseObject({
    kty: z.enum(["EC", "RSA", "OKP"], "kty must be EC, RSA or OKP (a secret does not belong here)"),
  })
  .refine((jwk) => !("d" in jwk), "it holds a private key: give the public half only");
const jwksSchema = z.object({ keys: z.array(publicKeySchema).min(1, "it has no keys").max(64) });

function jwksOf(env: Env): JwksSource | undefined {
  const { TRIBUTARY_JWKS: inline, TRIBUTARY_JWKS_URL: url } = env;
  if (inline && url) {
    throw new ConfigError("TRIBUTARY_JWKS and TRIBUTARY_JWKS_URL are both set: set one of them");
  }
  if (inline) return { keys: jsonOf("TRIBUTARY_JWKS", inline, jwksSchema) };
  if (!url) return undefined;
  if (!z.url({ protocol: /^https?$/ }).safeParse(url).success) {
    throw new ConfigError(
      "TRIBUTARY_JWKS_URL is not an http(s) URL: give the address of a JWKS, e.g. https://id.example.org/.well-known/jwks.json",
    );
  }
  return { url };
}

function originsOf(text: string | undefined): "*" | Set<string> {
  const entries = listOf(text);
  if (entries.length === 1 && entries[0] === "*") return "*";
  for (const entry of entries) {
    if (!URL.canParse(entry) || new URL(entry).origin !== entry) {
      throw new ConfigError(
        `TRIBUTARY_ALLOWED_ORIGINS: ${entry} is not an origin; write scheme://host[:port] with nothing after it, or * alone for all`,
      );
    }
  }
  return new Set(entries);
}

function etcdOf(env: Env): EtcdSettings | undefined {
  try {
    return readEtcdSettings(env);
  } catch (error) {
    if (error instanceof EtcdSettingsError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}

function relaysOf(text: string | undefined): RelayRecord[] {
  if (!text) {
    throw new ConfigError(
      'TRIBUTARY_RELAYS is not set: list the relays, e.g. [{"id":"r1","url":"https://r1.example.org:4433/","operationsUrl":"http://relay1.internal:9090/"}], or set TRIBUTARY_ETCD to the etcd where they register',
    );
  }
  const relays = jsonOf(
    "TRIBUTARY_RELAYS",
    text,
    z.array(relayRecordSchema).min(1, "the list is empty").max(1000),
  );
  const ids = new Set(relays.map((relay) => relay.id));
  if (ids.size < relays.length) {
    throw new ConfigError("TRIBUTARY_RELAYS has two relays of one id: give each its own");
  }
  return relays;
}

function rateOf(name: string, text: string | undefined, standard: Rate): Rate | undefined {
  if (!text) return standard;
  if (text === "off") return undefined;
  const [, perSecond, burst] = /^(\d{1,6}(?:\.\d{1,3})?)\/(\d{1,6})$/.exec(text) ?? [];
  const rate = { perSecond: Number(perSecond), burst: Number(burst) };
  if (!(rate.perSecond > 0) || !(rate.burst >= 1)) {
    throw new ConfigError(`${name} is not a rate: write requests a second / burst, e.g. 50/200, or off`);
  }
  return rate;
}

function flagOf(name: string, text: string | undefined): boolean {
  if (!text || text === "0") return false;
  if (text === "1") return true;
  throw new ConfigError(`${name} is neither 0 nor 1: set 1 to switch it on`);
}

function portOf(text: string | undefined): number {
  if (!text) return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535))
    throw new ConfigError("PORT is not a port: give a number from 0 (any free one) to 65535");
  return port;
}

function listOf(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

function jsonOf<Schema extends z.ZodType>(name: string, text: string, schema: Schema): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError(`${name} is not JSON: check quotes and brackets`, { cause });
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw new ConfigError(
    `${name}${issue?.path.map((part) => `[${String(part)}]`).join("") ?? ""}: ${issue?.message}`,
  );
}
