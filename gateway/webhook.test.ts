import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { MAX_EVENT_BYTES } from "../core/wire/limits.ts";
import { EVENTS_AUDIENCE, EVENTS_PATH, type RoomEvent } from "../core/wire/room-events.ts";
import { gatewayFixture, problemOf, relayNamed } from "./gateway.fixture.ts";
import { WEBHOOK_TIMEOUT_MS } from "./limits.ts";

const SECRET = "a-webhook-secret-of-at-least-32-characters";
const URL_OF_APPLICATION = "https://app.example.org/events?from=tributary";
const EVENT: RoomEvent = {
  id: "0123456789abcdef0123456789abcdef",
  type: "participant-joined",
  room: "bühne",
  at: "2027-01-15T08:00:00.000Z",
  participant: { identity: "ann", name: "Änn \u{1f3a4}", admin: false },
};

type Application = (url: string, init: RequestInit) => Response | Promise<Response>;

/** Relay r1 with a key of its own, and an application that is played by a function. */
async function gatewayWithWebhook(application: Application, env: Record<string, string> = {}) {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const { x, y } = await exportJWK(publicKey);
  const fixture = await gatewayFixture({
    relays: [relayNamed("r1", { linkKey: `${x}.${y}` }), relayNamed("keyless", { linkKey: "" })],
    env: { TRIBUTARY_WEBHOOK_URL: URL_OF_APPLICATION, TRIBUTARY_WEBHOOK_SECRET: SECRET, ...env },
    fetch: async (url, init) => application(String(url), init),
  });
  const token = (change: Record<string, unknown> = {}, key: CryptoKey = privateKey): Promise<string> => {
    const iat = Math.floor(fixture.clock.seconds);
    const claims = { iss: "r1", aud: EVENTS_AUDIENCE, room: EVENT.room, iat, exp: iat + 30, ...change };
    return new SignJWT(claims).setProtectedHeader({ alg: "ES256" }).sign(key);
  };
  const tell = async (event: unknown = EVENT, bearer?: string): Promise<Response> =>
    fixture.post(EVENTS_PATH, event, { authorization: `Bearer ${bearer ?? (await token())}` });
  return { ...fixture, token, tell };
}

/** The function of docs/webhooks.md. */
async function documentedReader() {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const [, code = ""] =
    /```js\n([\s\S]*?)```/.exec(readFileSync(join(root, "docs/webhooks.md"), "utf8")) ?? [];
  const folder = join(root, "test/.cache/examples/webhooks");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "read-event.mjs");
  writeFileSync(path, code);
  const { readEvent } = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as {
    readEvent(secret: string, signature: string | null, body: string, nowSeconds?: number): unknown;
  };
  return readEvent;
}

describe("an event on its way to the application", () => {
  test("is signed so that the code in the documentation takes it, and nothing else", async () => {
    const readEvent = await documentedReader();
    const seen: { url: string; init: RequestInit }[] = [];
    const { clock, tell } = await gatewayWithWebhook((url, init) => {
      seen.push({ url, init });
      return new Response(null, { status: 204 });
    });
    const response = await tell();
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ id: EVENT.id });
    const { url, init } = seen[0]!;
    const headers = new Headers(init.headers);
    const body = String(init.body);
    expect(url).toBe(URL_OF_APPLICATION);
    expect(init).toMatchObject({ method: "POST", redirect: "manual" });
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("tributary-event-id")).toBe(EVENT.id);
    const signature = headers.get("tributary-signature");
    const now = clock.seconds;
    expect(readEvent(SECRET, signature, body, now)).toEqual(EVENT);
    expect(readEvent(SECRET, signature, body, now + 200)).toEqual(EVENT);
    expect(readEvent(SECRET, signature, body, now + 400)).toBeUndefined();
    expect(readEvent(`${SECRET}!`, signature, body, now)).toBeUndefined();
    expect(readEvent(SECRET, signature, body.replace("ann", "bob"), now)).toBeUndefined();
    expect(readEvent(SECRET, signature?.replace("t=1", "t=2") ?? "", body, now)).toBeUndefined();
    for (const wrong of [null, "", "t=1,v1=", `v1=${"0".repeat(64)}`])
      expect(readEvent(SECRET, wrong, body, now)).toBeUndefined();
    expect(readEvent(SECRET, signature, body)).toBeUndefined();
  });

  test.each<[string, Application]>([
    ["answers an error", () => new Response("no", { status: 500 })],
    ["knows no such address", () => new Response("no", { status: 404 })],
    [
      "redirects",
      () => new Response(null, { status: 302, headers: { location: "https://evil.example.org/" } }),
    ],
    [
      "cannot be reached",
      () => {
        throw new TypeError("connection refused");
      },
    ],
  ])("is not taken by an application that %s: the relay is to try again", async (_what, application) => {
    const { log, tell } = await gatewayWithWebhook(application);
    const response = await tell();
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await problemOf(response)).toBe("502 webhook-failed");
    expect(log).toMatchObject([{ level: "warn", fields: { event: EVENT.id } }]);
    expect(JSON.stringify(log)).not.toContain(SECRET);
  });

  test("an application that says nothing is given up after its time", async () => {
    let asked = (): void => {};
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { clock, tell } = await gatewayWithWebhook(
      (_url, init) =>
        new Promise((_, reject) => {
          init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
          asked();
        }),
    );
    const answer = tell();
    await wasAsked;
    clock.pass(WEBHOOK_TIMEOUT_MS);
    expect(await problemOf(await answer)).toBe("502 webhook-failed");
  });
});

describe("who may tell of events", () => {
  const never: Application = () => {
    throw new Error("the application was called");
  };

  test("a relay of the directory alone, with its own key, for the room it names, for a short time", async () => {
    const { clock, tell, token, post } = await gatewayWithWebhook(never);
    const other = await generateKeyPair("ES256");
    const now = Math.floor(clock.seconds);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { iss: "r1", aud: EVENTS_AUDIENCE, room: EVENT.room, iat: now, exp: now + 30 };
    const wrong = [
      await token({}, other.privateKey),
      await token({ iss: "r2" }),
      await token({ iss: "keyless" }),
      await token({ aud: "r1" }),
      await token({ room: "other" }),
      await token({ iat: now - 60, exp: now - 30 }),
      await token({ iat: now - 600, exp: now + 600 }),
      await token({ exp: undefined }),
      `${part({ alg: "none" })}.${part(claims)}.`,
      "x",
      "x".repeat(10_000),
    ];
    for (const bearer of wrong) expect(await problemOf(await tell(EVENT, bearer))).toBe("401 relay-refused");
    expect(await problemOf(await post(EVENTS_PATH, EVENT))).toBe("401 relay-refused");
  });

  test("what is no event is refused, whatever its size", async () => {
    const { tell } = await gatewayWithWebhook(never);
    for (const wrong of [
      {},
      { ...EVENT, type: "x" },
      { ...EVENT, id: "../x" },
      { ...EVENT, participant: {} },
    ])
      expect(await problemOf(await tell(wrong))).toBe("400 invalid-request");
    const large = { ...EVENT, more: "x".repeat(MAX_EVENT_BYTES) };
    expect(await problemOf(await tell(large))).toBe("413 body-too-large");
  });

  test("each relay is counted by itself, and a gateway without a webhook says so", async () => {
    const taken: Application = () => new Response("ok");
    const { tell } = await gatewayWithWebhook(taken, { TRIBUTARY_RATE_PER_KEY: "1/3" });
    for (let i = 0; i < 3; i++) expect((await tell()).status).toBe(200);
    expect(await problemOf(await tell())).toBe("429 rate-limited");
    const off = await gatewayWithWebhook(never, { TRIBUTARY_WEBHOOK_URL: "", TRIBUTARY_WEBHOOK_SECRET: "" });
    expect(await problemOf(await off.tell())).toBe("404 webhook-off");
  });
});
