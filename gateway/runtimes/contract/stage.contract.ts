/** A cluster around one gateway: a real etcd, played relays, bridge and application; and calls to the gateway over HTTP. */
import { createServer } from "node:net";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import { expect } from "vitest";
import type { BridgeRegistration } from "../../../core/directory/bridge-directory.ts";
import { bridgeNamed } from "../../../core/directory/bridge-directory-harness.contract.ts";
import { relayNamed } from "../../../core/directory/directory-harness.contract.ts";
import { newPrefix, TestDirectory } from "../../../test/etcd/etcd-cluster.ts";
import { EtcdProcess } from "../../../test/etcd/etcd-process.ts";
import { problemOf } from "../../gateway.fixture.ts";
import type { GatewayProcess, Settings, StartGateway } from "../gateway-process.ts";
import {
  type PlayedApplication,
  type PlayedBridge,
  type PlayedRelay,
  playApplication,
  playBridge,
  playEtcdDoor,
  playKeyServer,
  playRelay,
} from "./played-services.ts";

const SECRET = "a-secret-of-at-least-32-characters-for-tests";
export const WEBHOOK_SECRET = "a-webhook-secret-of-at-least-32-characters";
const LEASE_MS = 60_000;
export const KEY = { authorization: `Bearer app:${SECRET}` };
/** A key that only the rate limit test uses up. */
export const BUSY_KEY = { authorization: `Bearer busy:${SECRET}` };
/** Requests of one key, and of one address, before they are told to wait; hardly any come back within a test. */
export const KEY_BURST = 400;
export const ADDRESS_BURST = 1_500;
/** A page that may call. */
export const PAGE = "https://app.example.org";

interface CallInit {
  headers?: Record<string, string>;
  /** A text is sent as it is, anything else as JSON. */
  body?: unknown;
}

export class Stage {
  readonly secret = SECRET;
  /** "GET /v1/rooms 200": what was called, and how it was answered. */
  readonly calls = new Set<string>();
  gateway!: GatewayProcess;
  relay!: PlayedRelay;
  bridge!: PlayedBridge;
  application!: PlayedApplication;
  directory!: TestDirectory["directory"];
  /** What the bridge b1 does with jobs. */
  bridgeAtWork!: BridgeRegistration;
  etcdDoor: Awaited<ReturnType<typeof playEtcdDoor>> | undefined;
  /** Public half of the gateway's key. */
  ticketKey!: JWK;
  /** Signs what the relay `near` tells gateways. */
  relayKey!: CryptoKey;
  /** Signs join tokens that the gateway knows through its JWKS, and its public half as PEM. */
  identityKey!: CryptoKey;
  identityPem!: string;
  readonly #closers: (() => Promise<unknown>)[] = [];

  /** `etcdPaths`: the gateway reaches etcd through a proxy that lets these paths through only. */
  async open(start: StartGateway, etcdPaths?: readonly string[]): Promise<void> {
    const etcd = await EtcdProcess.start();
    this.#closers.push(() => etcd.stop());
    const prefix = newPrefix();
    this.directory = new TestDirectory([etcd.url], { prefix }).directory;
    this.#closers.push(() => this.directory.close());
    const settings = await this.#playEverybody();
    await this.#register();
    this.gateway = await start({
      ...settings,
      TRIBUTARY_ETCD: etcdPaths ? await this.#door(etcd.url, etcdPaths) : etcd.url,
      TRIBUTARY_ETCD_PREFIX: prefix,
    });
    this.#closers.push(() => this.gateway.stop());
  }

  async #door(etcdUrl: string, paths: readonly string[]): Promise<string> {
    this.etcdDoor = await playEtcdDoor(etcdUrl, paths);
    this.#closers.push(() => this.etcdDoor?.close() ?? Promise.resolve());
    return this.etcdDoor.url;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  async #playEverybody(): Promise<Settings> {
    const ticket = await generateKeyPair("ES256", { extractable: true });
    const identity = await generateKeyPair("RS256", { extractable: true });
    const publicJwk = await exportJWK(ticket.publicKey);
    this.ticketKey = { ...publicJwk, alg: "ES256", kid: await calculateJwkThumbprint(publicJwk) };
    this.identityKey = identity.privateKey;
    const spki = Buffer.from(await crypto.subtle.exportKey("spki", identity.publicKey)).toString("base64");
    this.identityPem = `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----`;
    this.relay = await playRelay("near", this.ticketKey);
    this.bridge = await playBridge("b1", this.ticketKey);
    this.application = await playApplication();
    const keyServer = await playKeyServer([
      { ...(await exportJWK(identity.publicKey)), kid: "id1", alg: "RS256" },
    ]);
    for (const service of [this.relay, this.bridge, this.application, keyServer])
      this.#closers.push(() => service.close());
    return {
      TRIBUTARY_API_KEYS: `app:${SECRET},busy:${SECRET}`,
      TRIBUTARY_TICKET_KEY: JSON.stringify(await exportJWK(ticket.privateKey)),
      TRIBUTARY_JWKS_URL: keyServer.url,
      TRIBUTARY_ALLOWED_ORIGINS: PAGE,
      TRIBUTARY_WEBHOOK_URL: `${this.application.url}events`,
      TRIBUTARY_WEBHOOK_SECRET: WEBHOOK_SECRET,
      TRIBUTARY_RATE_PER_ADDRESS: `0.01/${ADDRESS_BURST}`,
      TRIBUTARY_RATE_PER_KEY: `0.01/${KEY_BURST}`,
    };
  }

  async #register(): Promise<void> {
    const link = await generateKeyPair("ES256", { extractable: true });
    const { x, y } = await exportJWK(link.publicKey);
    this.relayKey = link.privateKey;
    const near = { operationsUrl: this.relay.url, linkKey: `${x}.${y}` };
    const dead = { region: "us", operationsUrl: `http://127.0.0.1:${await closedPort()}/` };
    await this.directory.register(relayNamed("near", near), LEASE_MS);
    await this.directory.register(relayNamed("dead", dead), LEASE_MS);
    const record = bridgeNamed("b1", { operationsUrl: this.bridge.url });
    this.bridgeAtWork = await this.directory.bridges.registerBridge(record, LEASE_MS);
  }

  async call(method: string, path: string, { headers = {}, body }: CallInit = {}): Promise<Response> {
    const response = await fetch(this.gateway.url + path, {
      method,
      redirect: "manual",
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    this.calls.add(`${method} ${new URL(path, this.gateway.url).pathname} ${response.status}`);
    return response;
  }

  /** Status and name of the problem that it is refused with; "200" when it is not. */
  async refusal(method: string, path: string, init: CallInit = {}): Promise<string> {
    const response = await this.call(method, path, init);
    if (response.status >= 400) return problemOf(response);
    await response.body?.cancel();
    return String(response.status);
  }

  /** JSON of a call that must succeed, with the API key unless `headers` says otherwise. */
  async get<T = Record<string, unknown>>(
    method: string,
    path: string,
    { headers = KEY, body }: CallInit = {},
  ): Promise<T> {
    const response = await this.call(method, path, { headers, body });
    const text = await response.text();
    expect({ path, status: response.status, text }).toMatchObject({
      status: method === "POST" ? expect.toBeOneOf([200, 201]) : 200,
    });
    return JSON.parse(text) as T;
  }

  /** A minted join token. */
  async token(room: string, request: Record<string, unknown> = {}): Promise<string> {
    const body = { identity: "ann", ...request };
    return (await this.get<{ token: string }>("POST", `/v1/rooms/${room}/tokens`, { body })).token;
  }

  join(room: string, token: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.call("POST", `/v1/rooms/${room}/join`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
  }

  async refusedJoin(room: string, token: string): Promise<string> {
    return this.refusal("POST", `/v1/rooms/${room}/join`, { headers: { authorization: `Bearer ${token}` } });
  }
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 9;
}
