/** The relay's environment, checked. Every wrong value is one line that names the variable and says what it takes. */
import { createRemoteJWKSet, type JSONWebKeySet, type JWK } from "jose";
import {
  type EtcdSettings,
  EtcdSettingsError,
  readEtcdSettings,
} from "../../core/directory/etcd/etcd-settings.ts";
import { type TicketKeys, ticketKeysOf } from "../ticket-verifier.ts";
import { type Routes, readRoutes } from "./routes.ts";
import { RelayStartError } from "./start-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface RelaySettings {
  host: string;
  /** UDP; undefined = none. */
  port: number | undefined;
  publicUrl: string | undefined;
  /** For networks without UDP; undefined = none. */
  tcpPort: number | undefined;
  tcpPublicUrl: string | undefined;
  id: string;
  region: string;
  capacity: number;
  operations: { host: string; port: number; url: string | undefined };
  keys: TicketKeys;
  /** PEM files; undefined = a self-signed certificate. */
  certificateFiles: { cert: string; key: string } | undefined;
  /** Where it registers; undefined = nowhere, gateways know it by configuration. */
  etcd: EtcdSettings | undefined;
  /** Where room events are posted to. */
  gatewayUrl: string | undefined;
  /** Other relays that are dialled at another address than they tell browsers. */
  routes: Routes;
  /** How long participants have to move elsewhere when the relay is asked to end. */
  drainSeconds: number;
  /** Relays on this machine, a process each; 1 = this process is the relay. */
  workers: number;
  /** This process is one of them: it ends when its supervisor does. */
  isSupervised: boolean;
}

const DEFAULT_PORT = 4433;
const DEFAULT_OPERATIONS_PORT = 9090;
const DEFAULT_CAPACITY = 1_000;
const DEFAULT_DRAIN_SECONDS = 30;
const MAX_WORKERS = 256;

/** Throws RelayStartError. */
export function readRelaySettings(environment: Environment): RelaySettings {
  const at = (name: string): string | undefined => environment[name] || undefined;
  const port = portOrOff("RELAY_PORT", at("RELAY_PORT"), DEFAULT_PORT);
  return {
    host: at("RELAY_HOST") ?? "0.0.0.0",
    port,
    tcpPort: portOrOff("RELAY_TCP_PORT", at("RELAY_TCP_PORT"), port ?? DEFAULT_PORT),
    tcpPublicUrl: urlOf(
      "RELAY_TCP_PUBLIC_URL",
      at("RELAY_TCP_PUBLIC_URL"),
      ["https:"],
      "https://relay1.example.org:4433/",
    ),
    publicUrl: urlOf(
      "RELAY_PUBLIC_URL",
      at("RELAY_PUBLIC_URL"),
      ["https:"],
      "https://relay1.example.org:4433/",
    ),
    id: idOf(at("RELAY_ID")),
    region: at("RELAY_REGION") ?? "",
    capacity: wholeOf("RELAY_CAPACITY", at("RELAY_CAPACITY"), DEFAULT_CAPACITY, 1, 1_000_000),
    operations: {
      host: at("RELAY_OPERATIONS_HOST") ?? "127.0.0.1",
      port: portOf("RELAY_OPERATIONS_PORT", at("RELAY_OPERATIONS_PORT"), DEFAULT_OPERATIONS_PORT),
      url: urlOf(
        "RELAY_OPERATIONS_URL",
        at("RELAY_OPERATIONS_URL"),
        ["http:", "https:"],
        "http://relay1.internal:9090/",
      ),
    },
    keys: keysOf(at("TRIBUTARY_TICKET_JWKS"), at("TRIBUTARY_JWKS_URL")),
    certificateFiles: filesOf(at("RELAY_CERT"), at("RELAY_KEY")),
    etcd: etcdOf(environment),
    gatewayUrl: urlOf(
      "TRIBUTARY_GATEWAY_URL",
      at("TRIBUTARY_GATEWAY_URL"),
      ["http:", "https:"],
      "https://gateway.example.org/",
    ),
    routes: readRoutes(at("RELAY_ROUTES")),
    drainSeconds: wholeOf("RELAY_DRAIN_SECONDS", at("RELAY_DRAIN_SECONDS"), DEFAULT_DRAIN_SECONDS, 0, 86_400),
    workers: wholeOf("RELAY_WORKERS", at("RELAY_WORKERS"), 1, 1, MAX_WORKERS),
    isSupervised: at("RELAY_SUPERVISED") === "1",
  };
}

function portOf(name: string, value: string | undefined, fallback: number): number {
  return wholeOf(name, value, fallback, 0, 65_535);
}

/** Undefined = off. */
function portOrOff(name: string, value: string | undefined, fallback: number): number | undefined {
  if (value === "off") return undefined;
  try {
    return portOf(name, value, fallback);
  } catch (cause) {
    throw new RelayStartError(
      `${name}=${shown(value ?? "")} is not usable: give a whole number from 0 to 65535, or off.`,
      { cause },
    );
  }
}

function wholeOf(
  name: string,
  value: string | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (/^\d{1,9}$/.test(value) && number >= min && number <= max) return number;
  throw new RelayStartError(
    `${name}=${shown(value)} is not usable: give a whole number from ${min} to ${max}.`,
  );
}

function urlOf(
  name: string,
  value: string | undefined,
  protocols: string[],
  example: string,
): string | undefined {
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !protocols.includes(url.protocol) || url.username !== "" || url.hash !== "") {
    throw new RelayStartError(`${name}=${shown(value)} is not usable: give an address such as ${example}`);
  }
  return url.href;
}

function idOf(value: string | undefined): string {
  if (value === undefined) return `relay-${crypto.randomUUID().slice(0, 8)}`;
  if (/^[\w.:-]{1,128}$/.test(value)) return value;
  throw new RelayStartError(
    `RELAY_ID=${shown(value)} is not usable: give 1 to 128 letters, digits and - _ . : that no other relay has.`,
  );
}

function keysOf(text: string | undefined, url: string | undefined): TicketKeys {
  if (text === undefined && url === undefined) {
    throw new RelayStartError(
      "No key to check tickets with: set TRIBUTARY_TICKET_JWKS to the gateway's public JWK or JWKS, or TRIBUTARY_JWKS_URL to where the gateway serves it.",
    );
  }
  if (text === undefined) {
    const href = urlOf(
      "TRIBUTARY_JWKS_URL",
      url,
      ["http:", "https:"],
      "https://gateway.example.org/.well-known/jwks.json",
    );
    return createRemoteJWKSet(new URL(href!));
  }
  try {
    return ticketKeysOf(JSON.parse(text) as JWK | JSONWebKeySet);
  } catch (cause) {
    const detail = cause instanceof TypeError ? cause.message : "it is not JSON";
    throw new RelayStartError(`TRIBUTARY_TICKET_JWKS is not usable: ${detail}.`, { cause });
  }
}

function etcdOf(environment: Environment): EtcdSettings | undefined {
  try {
    return readEtcdSettings(environment);
  } catch (error) {
    if (error instanceof EtcdSettingsError) throw new RelayStartError(`${error.message}.`, { cause: error });
    throw error;
  }
}

function filesOf(cert: string | undefined, key: string | undefined): RelaySettings["certificateFiles"] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key };
  throw new RelayStartError("RELAY_CERT and RELAY_KEY belong together: set both to PEM files, or neither.");
}

function shown(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}
