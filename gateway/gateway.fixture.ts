/** A gateway for tests: a clock that moves by hand, a memory directory, and relays played by a function. */
import type { Clock, Timer } from "../core/clock.ts";
import type { RelayRecord } from "../core/directory/directory.ts";
import { relayNamed as recordNamed } from "../core/directory/directory-harness.contract.ts";
import { MemoryDirectory } from "../core/directory/memory.ts";
import { MemoryBridges } from "../core/directory/memory-bridges.ts";
import { createGateway } from "./app.ts";
import { addressFromNode } from "./client-address.ts";
import { type Env, readGatewayConfig } from "./config.ts";
import type { GatewayDeps } from "./deps.ts";
import { generateTicketKey, type TicketKey } from "./ticket-key.ts";

export const KEY_ID = "app";
export const KEY_SECRET = "a-secret-of-at-least-32-characters-for-tests";
export const KEY_HEADERS = { authorization: `Bearer ${KEY_ID}:${KEY_SECRET}` };
/** Of the right shape; nothing is signed with it. */
const LINK_KEY = `${"x".repeat(43)}.${"y".repeat(43)}`;
const START_SECONDS = 1_800_000_000;

/** Timers fire only through `pass`. */
class TestClock implements Clock {
  #nowUs = START_SECONDS * 1e6;
  readonly #tasks = new Set<{ atUs: number; task: () => void }>();

  nowUs(): number {
    return this.#nowUs;
  }

  get seconds(): number {
    return this.#nowUs / 1e6;
  }

  after(delayMs: number, task: () => void): Timer {
    const entry = { atUs: this.#nowUs + delayMs * 1000, task };
    this.#tasks.add(entry);
    return { cancel: () => this.#tasks.delete(entry) };
  }

  pass(delayMs: number): void {
    this.#nowUs += delayMs * 1000;
    for (const entry of [...this.#tasks]) {
      if (entry.atUs > this.#nowUs) continue;
      this.#tasks.delete(entry);
      entry.task();
    }
  }
}

/** A relay that links to others. */
export function relayNamed(id: string, change: Partial<RelayRecord> = {}): RelayRecord {
  return recordNamed(id, { linkKey: LINK_KEY, ...change });
}

export interface GatewayFixture {
  app: ReturnType<typeof createGateway>;
  clock: TestClock;
  directory: MemoryDirectory;
  bridges: MemoryBridges;
  ticketKey: TicketKey;
  log: { level: string; message: string; fields: Record<string, unknown> }[];
  /** POST with a JSON body, or none. */
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** A minted join token. */
  token(room: string, request?: Record<string, unknown>): Promise<string>;
  join(room: string, token: string, headers?: Record<string, string>): Promise<Response>;
}

export async function gatewayFixture(
  options: {
    env?: Env;
    guests?: boolean;
    relays?: RelayRecord[];
    /** True: the gateway has a list of relays only. */
    withoutBridges?: boolean;
    lookupReuseMs?: number;
    sharedLimits?: GatewayDeps["sharedLimits"];
    /** Plays every relay's and bridge's operations API and the JWKS server. */
    fetch?: (url: URL, init: RequestInit) => Promise<Response>;
  } = {},
): Promise<GatewayFixture> {
  const clock = new TestClock();
  const directory = new MemoryDirectory(clock);
  for (const relay of options.relays ?? [relayNamed("r1")]) await directory.register(relay, 10_000);
  const bridges = new MemoryBridges(clock);
  const ticketKey = await generateTicketKey();
  const log: GatewayFixture["log"] = [];
  const app = createGateway({
    directory,
    bridges: options.withoutBridges ? undefined : bridges,
    clock,
    ticketKey,
    config: readGatewayConfig({ TRIBUTARY_API_KEYS: `${KEY_ID}:${KEY_SECRET}`, ...options.env }),
    fetch: async (input, init) => {
      if (!options.fetch) throw new TypeError("this test has no network");
      return options.fetch(new URL(String(input)), init ?? {});
    },
    log: (level, message, fields) => log.push({ level, message, fields: fields ?? {} }),
    guests: options.guests ?? false,
    version: "0.0.0-test",
    clientAddress: addressFromNode,
    lookupReuseMs: options.lookupReuseMs,
    sharedLimits: options.sharedLimits,
  });
  const post: GatewayFixture["post"] = async (path, body, headers = {}) =>
    app.request(path, {
      method: "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    });
  return {
    app,
    clock,
    directory,
    bridges,
    ticketKey,
    log,
    post,
    token: async (room, request = {}) => {
      const response = await post(`/v1/rooms/${room}/tokens`, { identity: "ann", ...request }, KEY_HEADERS);
      if (response.status !== 200) throw new Error(`minting failed: ${await response.text()}`);
      return ((await response.json()) as { token: string }).token;
    },
    join: (room, token, headers = {}) =>
      post(`/v1/rooms/${room}/join`, undefined, { authorization: `Bearer ${token}`, ...headers }),
  };
}

/** Status and the name at the end of `type` of a problem document, e.g. "404 not-found". */
export async function problemOf(response: Response): Promise<string> {
  const body = (await response.json()) as { type: string; status: number; title: string; detail: string };
  const proper =
    response.headers.get("content-type") === "application/problem+json" &&
    body.status === response.status &&
    body.title !== "" &&
    body.detail !== "";
  return `${response.status} ${body.type.replace("/v1/docs#", "")}${proper ? "" : " (not a proper problem document)"}`;
}
