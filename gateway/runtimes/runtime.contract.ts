/** What a gateway does over HTTP, whichever runtime it stands on. The process is started as in production. */
import { createServer } from "node:net";
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JWK,
  jwtVerify,
  SignJWT,
} from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { relayTicketSchema } from "../../core/wire/tokens.ts";
import type { GatewayProcess, Settings, StartGateway } from "./gateway-process.ts";
import { type PlayedRelay, playRelay } from "./played-relay.ts";

const SECRET = "a-secret-of-at-least-32-characters-for-tests";
const KEY = { authorization: `Bearer app:${SECRET}` };
/** A key that only the rate limit test uses up. */
const BUSY_KEY = { authorization: `Bearer busy:${SECRET}` };
const KEY_BURST = 60;
const PAGE = "https://app.example.org";

interface Stage {
  url: string;
  relay: PlayedRelay;
  ticketKey: JWK;
  /** Signs join tokens that the gateway knows through its JWKS. */
  identityKey: CryptoKey;
  identityPem: string;
  call(
    method: string,
    path: string,
    init?: { headers?: Record<string, string>; body?: unknown },
  ): Promise<Response>;
  token(room: string, request?: Record<string, unknown>): Promise<string>;
  join(room: string, token: string, headers?: Record<string, string>): Promise<Response>;
}

export function gatewayRuntimeContract(runtime: string, start: StartGateway): void {
  describe(`gateway on ${runtime}`, () => {
    let gateway: GatewayProcess | undefined;
    let stage: Stage;
    beforeAll(async () => {
      const prepared = await prepare();
      gateway = await start(prepared.settings);
      stage = stageOf(gateway.url, prepared);
    });
    afterAll(async () => {
      await gateway?.stop();
      await stage?.relay.close();
    });
    joinTests(() => stage);
    roomTests(() => stage);
    refusalTests(() => stage);
    limitTests(() => stage);
  });
}

async function prepare() {
  const ticket = await generateKeyPair("ES256", { extractable: true });
  const identity = await generateKeyPair("RS256", { extractable: true });
  const publicJwk = await exportJWK(ticket.publicKey);
  const ticketKey = { ...publicJwk, alg: "ES256", kid: await calculateJwkThumbprint(publicJwk) };
  const relay = await playRelay("near", ticketKey);
  const identityJwk = { ...(await exportJWK(identity.publicKey)), kid: "id1", alg: "RS256" };
  const spki = Buffer.from(await crypto.subtle.exportKey("spki", identity.publicKey)).toString("base64");
  const relays = [
    { id: "near", region: "eu", url: "https://near.example.org:4433/", operationsUrl: relay.operationsUrl },
    {
      id: "dead",
      region: "us",
      url: "https://dead.example.org:4433/",
      operationsUrl: `http://127.0.0.1:${await closedPort()}/`,
    },
  ];
  const settings: Settings = {
    TRIBUTARY_API_KEYS: `app:${SECRET},busy:${SECRET}`,
    TRIBUTARY_TICKET_KEY: JSON.stringify(await exportJWK(ticket.privateKey)),
    TRIBUTARY_RELAYS: JSON.stringify(relays),
    TRIBUTARY_JWKS: JSON.stringify({ keys: [identityJwk] }),
    TRIBUTARY_ALLOWED_ORIGINS: PAGE,
    TRIBUTARY_RATE_PER_ADDRESS: "500/1000",
    TRIBUTARY_RATE_PER_KEY: `1/${KEY_BURST}`,
  };
  const identityPem = `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----`;
  return { settings, relay, ticketKey, identityKey: identity.privateKey, identityPem };
}

function stageOf(url: string, prepared: Awaited<ReturnType<typeof prepare>>): Stage {
  const call: Stage["call"] = (method, path, { headers = {}, body } = {}) =>
    fetch(url + path, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  return {
    ...prepared,
    url,
    call,
    token: async (room, request = {}) => {
      const response = await call("POST", `/v1/rooms/${room}/tokens`, {
        headers: KEY,
        body: { identity: "ann", ...request },
      });
      expect(response.status).toBe(200);
      return ((await response.json()) as { token: string }).token;
    },
    join: (room, token, headers = {}) =>
      call("POST", `/v1/rooms/${room}/join`, { headers: { authorization: `Bearer ${token}`, ...headers } }),
  };
}

async function problemOf(response: Response): Promise<string> {
  const body = (await response.json()) as { type: string; status: number };
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(body.status).toBe(response.status);
  return `${response.status} ${body.type.replace("/v1/docs#", "")}`;
}

interface Joined {
  relays: { relayId: string; ticket: string }[];
}

function joinTests(stage: () => Stage): void {
  test("a minted token becomes a ticket that its relay can check through the published key", async () => {
    const { call, token, join } = stage();
    const response = await join(
      "room",
      await token("room", { name: "Ann", grants: { publish: ["camera"] } }),
      {
        "x-tributary-region": "eu",
      },
    );
    expect(response.status).toBe(200);
    const [candidate] = ((await response.json()) as Joined).relays;
    const published = (await (await call("GET", "/.well-known/jwks.json")).json()) as { keys: JWK[] };
    const { payload } = await jwtVerify(candidate?.ticket ?? "", createLocalJWKSet(published), {
      audience: "near",
    });
    const ticket = relayTicketSchema.parse(payload);
    expect(ticket).toMatchObject({ sub: "ann", name: "Ann", room: "room", grants: { publish: ["camera"] } });
    expect(ticket.exp - Math.floor(Date.now() / 1000)).toBeGreaterThan(30);
  });

  test("a room goes to one relay each time; a region is preferred when it is named", async () => {
    const { token, join } = stage();
    const held = await token("somewhere");
    const relayOf = async (headers: Record<string, string> = {}) =>
      ((await (await join("somewhere", held, headers)).json()) as Joined).relays[0]?.relayId;
    expect(new Set([await relayOf(), await relayOf(), await relayOf()]).size).toBe(1);
    expect(await relayOf({ "x-tributary-region": "us" })).toBe("dead");
    expect(await relayOf({ "x-tributary-region": "eu" })).toBe("near");
  });

  test("a token signed with a key of the JWKS joins; its public key as a secret does not", async () => {
    const { identityKey, identityPem, join } = stage();
    const payload = { iss: "app", sub: "bob", room: "room", exp: Math.floor(Date.now() / 1000) + 60 };
    const signed = new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "id1" });
    expect((await join("room", await signed.sign(identityKey))).status).toBe(200);
    const confused = await new SignJWT(payload)
      .setProtectedHeader({ alg: "HS256", kid: "id1" })
      .sign(new TextEncoder().encode(identityPem));
    expect(await problemOf(await join("room", confused))).toBe("401 token-refused");
  });

  test("wrong, expired, other-room and unsigned tokens are refused, each with its name", async () => {
    const { join } = stage();
    const nowSeconds = Math.floor(Date.now() / 1000);
    const claims = { iss: "app", sub: "ann", room: "room", exp: nowSeconds + 60 };
    const sign = (payload: object, secret: string = SECRET) =>
      new SignJWT({ ...payload }).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    expect(await problemOf(await join("room", await sign(claims, "x".repeat(40))))).toBe("401 token-refused");
    expect(await problemOf(await join("room", await sign({ ...claims, exp: nowSeconds - 60 })))).toBe(
      "401 token-expired",
    );
    expect(await problemOf(await join("room", await sign({ ...claims, room: "x" })))).toBe(
      "403 token-other-room",
    );
    expect(await problemOf(await join("room", `${part({ alg: "none" })}.${part(claims)}.`))).toBe(
      "401 token-refused",
    );
    expect(await problemOf(await join("room", "x"))).toBe("401 token-malformed");
  });

  test("guests are not taken by a gateway that stands alone", async () => {
    const response = await stage().call("POST", "/v1/rooms/room/guests", { body: { name: "Ann" } });
    expect(await problemOf(response)).toBe("404 guests-off");
  });
}

function roomTests(stage: () => Stage): void {
  test("rooms of a relay that answers are listed, one that is dead is named", async () => {
    const { relay, call } = stage();
    relay.members.set("listed/ann", { token: "t", tokenExp: 1 });
    const list = await call("GET", "/v1/rooms", { headers: KEY });
    expect(list.status).toBe(200);
    const body = (await list.json()) as { rooms: { room: string }[]; unreachable: string[] };
    expect(body.rooms.map(({ room }) => room)).toContain("listed");
    expect(body.unreachable).toEqual(["dead"]);
    const detail = await call("GET", "/v1/rooms/listed", { headers: KEY });
    expect(await detail.json()).toMatchObject({ members: [{ identity: "ann" }], unreachable: ["dead"] });
    expect(relay.refused).toBe(0);
  });

  test("a removed participant is out at the relay and does not come back on the same token", async () => {
    const { relay, ticketKey, call, token, join } = stage();
    const held = await token("banned");
    const { relays } = (await (await join("banned", held, { "x-tributary-region": "eu" })).json()) as Joined;
    const { payload } = await jwtVerify(relays[0]?.ticket ?? "", createLocalJWKSet({ keys: [ticketKey] }));
    const ticket = relayTicketSchema.parse(payload);
    relay.members.set("banned/ann", { token: ticket.token, tokenExp: ticket.tokenExp });
    const response = await call("DELETE", "/v1/rooms/banned/participants/ann", { headers: KEY });
    expect(response.status).toBe(200);
    expect(relay.members.has("banned/ann")).toBe(false);
    expect(await problemOf(await join("banned", held))).toBe("403 removed");
    expect((await join("banned", await token("banned"))).status).toBe(200);
  });
}

function refusalTests(stage: () => Stage): void {
  test("a wrong key, broken JSON, an unknown address and a wrong method", async () => {
    const { call } = stage();
    const path = "/v1/rooms/room/tokens";
    const wrong = { authorization: "Bearer app:wrong" };
    expect(await problemOf(await call("POST", path, { headers: wrong, body: { identity: "a" } }))).toBe(
      "401 key-refused",
    );
    expect(await problemOf(await call("POST", path, { headers: KEY, body: "{" }))).toBe("400 malformed-json");
    expect(await problemOf(await call("POST", path, { headers: KEY, body: {} }))).toBe("400 invalid-request");
    expect(await problemOf(await call("GET", "/v1/nothing"))).toBe("404 not-found");
    const method = await call("PUT", "/v1/rooms");
    expect(method.headers.get("allow")).toBe("GET");
    expect(await problemOf(method)).toBe("405 method-not-allowed");
  });

  test("pages of other origins are refused, those of the list may read answers and refusals", async () => {
    const { call } = stage();
    const other = await call("GET", "/healthz", { headers: { origin: "https://evil.example.org" } });
    expect(await problemOf(other)).toBe("403 origin-not-allowed");
    const preflight = await call("OPTIONS", "/v1/rooms/room/join", {
      headers: { origin: PAGE, "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(PAGE);
    const refused = await call("POST", "/v1/rooms/room/join", { headers: { origin: PAGE } });
    expect(refused.headers.get("access-control-allow-origin")).toBe(PAGE);
    expect(await problemOf(refused)).toBe("401 credentials-missing");
  });

  test("it is alive, and describes itself", async () => {
    const { call } = stage();
    expect(await (await call("GET", "/healthz")).json()).toMatchObject({ status: "ok" });
    const document = (await (await call("GET", "/v1/openapi.json")).json()) as { paths: object };
    expect(Object.keys(document.paths).sort()).toEqual([
      "/.well-known/jwks.json",
      "/healthz",
      "/relay/events",
      "/v1/ingests",
      "/v1/ingests/{id}",
      "/v1/recordings",
      "/v1/recordings/{id}",
      "/v1/rooms",
      "/v1/rooms/{room}",
      "/v1/rooms/{room}/guests",
      "/v1/rooms/{room}/join",
      "/v1/rooms/{room}/outputs",
      "/v1/rooms/{room}/outputs/{id}",
      "/v1/rooms/{room}/participants/{identity}",
      "/v1/rooms/{room}/tokens",
      "/v1/rooms/{room}/tree",
    ]);
    const page = await call("GET", "/v1/docs");
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain("/v1/rooms/{room}/join");
  });
}

function limitTests(stage: () => Stage): void {
  test("a body that is too large is refused, whether its length is told or not", async () => {
    const { url, call } = stage();
    const body = JSON.stringify({ identity: "ann", name: "x".repeat(100_000) });
    const path = "/v1/rooms/room/tokens";
    expect(await problemOf(await call("POST", path, { headers: KEY, body }))).toBe("413 body-too-large");
    const streamed = await fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...KEY },
      body: new Blob([body]).stream(),
      duplex: "half",
    } as RequestInit);
    expect(await problemOf(streamed)).toBe("413 body-too-large");
    expect((await call("GET", "/healthz")).status).toBe(200);
  });

  test("a key that asks too much is told to wait; other keys are not touched", async () => {
    const { call } = stage();
    let refused: Response | undefined;
    for (let i = 0; i < KEY_BURST * 3 && !refused; i++) {
      const response = await call("POST", "/v1/rooms/room/tokens", {
        headers: BUSY_KEY,
        body: { identity: "ann" },
      });
      if (response.status === 200) await response.body?.cancel();
      else refused = response;
    }
    expect(refused?.headers.get("retry-after")).toBe("1");
    expect(refused && (await problemOf(refused))).toBe("429 rate-limited");
    expect((await call("GET", "/v1/rooms", { headers: KEY })).status).toBe(200);
  });
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 9;
}
