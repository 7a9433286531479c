import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { relayTicketSchema } from "../core/wire/tokens.ts";
import { gatewayFixture, KEY_HEADERS, KEY_ID, KEY_SECRET, problemOf, relayNamed } from "./gateway.fixture.ts";
import type { TicketKey } from "./ticket-key.ts";

interface Joined {
  relays: { relayId: string; url: string; certificateHashes: string[]; ticket: string }[];
  identity: string;
  name: string;
  room: string;
  expiresAt: string;
}

const joined = async (response: Response): Promise<Joined> => {
  expect(response.status).toBe(200);
  return (await response.json()) as Joined;
};

function claims(clockSeconds: number, change: Record<string, unknown> = {}): Record<string, unknown> {
  return { iss: KEY_ID, sub: "ann", room: "room", exp: clockSeconds + 60, ...change };
}

function signed(payload: Record<string, unknown>, secret: string = KEY_SECRET): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
}

async function ticketOf(key: TicketKey, ticket: string, nowSeconds: number) {
  const keys = createLocalJWKSet({ keys: [{ ...key.publicJwk }] });
  const { payload } = await jwtVerify(ticket, keys, {
    algorithms: ["ES256"],
    currentDate: new Date(nowSeconds * 1000),
  });
  return relayTicketSchema.parse(payload);
}

describe("from API key to relay ticket", () => {
  test("a minted token joins; the ticket holds what the token granted, for one relay, for 60 s", async () => {
    const hashes = ["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="];
    const { clock, ticketKey, token, join } = await gatewayFixture({
      relays: [relayNamed("r1", { certificateHashes: hashes })],
    });
    const grants = { publish: ["microphone"], admin: true };
    const body = await joined(
      await join("room", await token("room", { name: "Ann B.", grants, ttlSeconds: 600 })),
    );
    expect(body).toMatchObject({ room: "room", identity: "ann", name: "Ann B." });
    expect(body.expiresAt).toBe(new Date((clock.seconds + 60) * 1000).toISOString());
    expect(body.relays).toHaveLength(1);
    expect(body.relays[0]).toMatchObject({
      relayId: "r1",
      url: "https://r1.example.org:4433/",
      certificateHashes: hashes,
    });
    const ticket = await ticketOf(ticketKey, body.relays[0]?.ticket ?? "", clock.seconds);
    expect(ticket).toMatchObject({ aud: "r1", sub: "ann", name: "Ann B.", room: "room" });
    expect(ticket.grants).toEqual({
      publish: ["microphone"],
      subscribe: true,
      data: true,
      admin: true,
      hidden: false,
    });
    expect(ticket.exp - ticket.iat).toBe(60);
    expect(ticket.tokenExp).toBe(clock.seconds + 600);
  });

  test("a name that is absent is the identity, and each ticket has its own jti and the same token name", async () => {
    const { clock, ticketKey, token, join } = await gatewayFixture();
    const held = await token("room");
    const first = await joined(await join("room", held));
    const second = await joined(await join("room", held));
    expect(first.name).toBe("ann");
    const [a, b] = await Promise.all(
      [first, second].map((j) => ticketOf(ticketKey, j.relays[0]?.ticket ?? "", clock.seconds)),
    );
    expect(a?.jti).not.toBe(b?.jti);
    expect(a?.token).toBe(b?.token);
  });

  test("the key may come as Basic credentials too", async () => {
    const { post } = await gatewayFixture();
    const authorization = `Basic ${btoa(`${KEY_ID}:${KEY_SECRET}`)}`;
    expect((await post("/v1/rooms/room/tokens", { identity: "ann" }, { authorization })).status).toBe(200);
  });

  test.each([
    ["no header", {}, "401 credentials-missing"],
    ["an empty bearer", { authorization: "Bearer " }, "401 credentials-missing"],
    ["another scheme", { authorization: "Digest x" }, "401 credentials-missing"],
    ["Basic that is not base64", { authorization: "Basic ***" }, "401 credentials-missing"],
    ["a wrong secret", { authorization: `Bearer ${KEY_ID}:nope` }, "401 key-refused"],
    ["an unknown id", { authorization: `Bearer other:${KEY_SECRET}` }, "401 key-refused"],
    ["an unknown id with no secret", { authorization: "Bearer other:" }, "401 key-refused"],
    ["a name of every object", { authorization: "Bearer __proto__:x" }, "401 key-refused"],
  ])("minting with %s is refused", async (_what, headers, problem) => {
    const { post } = await gatewayFixture();
    const response = await post(
      "/v1/rooms/room/tokens",
      { identity: "ann" },
      headers as Record<string, string>,
    );
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
    expect(await problemOf(response)).toBe(problem);
  });

  test("a token to mint is checked field by field", async () => {
    const { post } = await gatewayFixture();
    const response = await post(
      "/v1/rooms/room/tokens",
      { identity: "a b", ttlSeconds: 10 ** 9, grants: { publish: ["kitchen"] } },
      KEY_HEADERS,
    );
    const body = (await response.clone().json()) as {
      errors: { in: string; field: string }[];
      detail: string;
    };
    expect(await problemOf(response)).toBe("400 invalid-request");
    expect(body.errors.map((e) => `${e.in} ${e.field}`).sort()).toEqual([
      "body grants.publish.0",
      "body identity",
      "body ttlSeconds",
    ]);
    expect(body.detail).toContain("identity in the body");
  });

  test.each(["..", "%2e%2e", "a%20b", "a%2Fb", "%00", "x".repeat(65), "%zz"])(
    "the room name %s is refused everywhere",
    async (room) => {
      const { app, post } = await gatewayFixture({ guests: true });
      const minted = await post(`/v1/rooms/${room}/tokens`, { identity: "ann" }, KEY_HEADERS);
      expect(minted.status).toBeGreaterThanOrEqual(400);
      expect((await post(`/v1/rooms/${room}/guests`, { name: "x" })).status).toBeGreaterThanOrEqual(400);
      expect(
        (await app.request(`/v1/rooms/${room}`, { headers: KEY_HEADERS })).status,
      ).toBeGreaterThanOrEqual(400);
    },
  );
});

describe("join tokens of others", () => {
  test("a token that an application signed itself joins; without jti it has a name all the same", async () => {
    const { clock, ticketKey, join } = await gatewayFixture();
    const body = await joined(await join("room", await signed(claims(clock.seconds))));
    const ticket = await ticketOf(ticketKey, body.relays[0]?.ticket ?? "", clock.seconds);
    expect(ticket.token).toMatch(/^[\w-]{43}$/);
    expect(ticket.grants.publish).toEqual([]);
  });

  test("the same token with its signature written in another way has the same name", async () => {
    const { clock, ticketKey, join } = await gatewayFixture();
    const token = await signed(claims(clock.seconds));
    const names = new Set<string>();
    let accepted = 0;
    for (const last of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
      const response = await join("room", token.slice(0, -1) + last);
      if (response.status !== 200) continue;
      accepted += 1;
      const ticket = ((await response.json()) as Joined).relays[0]?.ticket ?? "";
      names.add((await ticketOf(ticketKey, ticket, clock.seconds)).token);
    }
    expect(accepted).toBeGreaterThan(0);
    expect(names.size).toBe(1);
  });

  test.each<[string, (nowSeconds: number) => Promise<string> | string, string]>([
    ["no JWT", () => "abc", "401 token-malformed"],
    ["three parts of nothing", () => "..", "401 token-malformed"],
    ["5000 characters", () => "x".repeat(5000), "401 token-malformed"],
    ["an API key", () => `${KEY_ID}:${KEY_SECRET}`, "401 token-malformed"],
    ["another room's token", (now) => signed(claims(now, { room: "other" })), "403 token-other-room"],
    ["a wrong secret", (now) => signed(claims(now), "x".repeat(40)), "401 token-refused"],
    ["an unknown key id", (now) => signed(claims(now, { iss: "nobody" })), "401 token-refused"],
    ["an iss of every object", (now) => signed(claims(now, { iss: "constructor" })), "401 token-refused"],
    ["no iss", (now) => signed(claims(now, { iss: undefined })), "401 token-refused"],
    ["the guests' iss", (now) => signed(claims(now, { iss: "guests of this gateway" })), "401 token-refused"],
    ["an old exp", (now) => signed(claims(now, { exp: now - 6 })), "401 token-expired"],
    ["an nbf to come", (now) => signed(claims(now, { nbf: now + 30 })), "401 token-expired"],
    ["no exp", (now) => signed(claims(now, { exp: undefined })), "401 token-malformed"],
    ["an exp in words", (now) => signed(claims(now, { exp: "tomorrow" as never })), "401 token-malformed"],
    ["no identity", (now) => signed(claims(now, { sub: undefined })), "401 token-malformed"],
    ["an identity with spaces", (now) => signed(claims(now, { sub: "a b" })), "401 token-malformed"],
    ["unknown grants", (now) => signed(claims(now, { grants: { publish: ["x"] } })), "401 token-malformed"],
    ["another audience", (now) => signed(claims(now, { aud: "elsewhere" })), "401 token-refused"],
    ["HS512", (now) => hs512(claims(now)), "401 token-refused"],
    ["alg none", (now) => unsigned(claims(now), "none"), "401 token-refused"],
    ["alg None", (now) => unsigned(claims(now), "None"), "401 token-refused"],
    ["HS256 without a signature", (now) => unsigned(claims(now), "HS256"), "401 token-refused"],
    ["ES256 with no JWKS set up", (now) => unsigned(claims(now), "ES256"), "401 token-refused"],
  ])("%s is refused", async (_what, make, problem) => {
    const { clock, join } = await gatewayFixture();
    const response = await join("room", await make(clock.seconds));
    // The key's own limit is not touched by somebody who does not hold the key.
    expect(response.headers.get("ratelimit")).toContain('"address"');
    expect(await problemOf(response)).toBe(problem);
  });

  test("a token may name tributary as its audience", async () => {
    const { clock, join } = await gatewayFixture();
    expect(
      (await join("room", await signed(claims(clock.seconds, { aud: ["x", "tributary"] })))).status,
    ).toBe(200);
  });

  test("a token ends when its time is over", async () => {
    const { clock, token, join } = await gatewayFixture();
    const held = await token("room", { ttlSeconds: 60 });
    clock.pass(59_000);
    expect((await join("room", held)).status).toBe(200);
    clock.pass(10_000);
    expect(await problemOf(await join("room", held))).toBe("401 token-expired");
  });

  test("a banned token is refused in its room, also when it was not minted here", async () => {
    const { clock, ticketKey, directory, join } = await gatewayFixture();
    const token = await signed(claims(clock.seconds));
    const body = await joined(await join("room", token));
    const { token: name, tokenExp } = await ticketOf(ticketKey, body.relays[0]?.ticket ?? "", clock.seconds);
    await directory.ban({ room: "room", token: name, untilSeconds: tokenExp });
    expect(await problemOf(await join("room", token))).toBe("403 removed");
    expect((await join("room", await signed(claims(clock.seconds, { jti: "another" })))).status).toBe(200);
  });
});

describe("tokens signed with asymmetric keys", () => {
  for (const alg of ["ES256", "RS256", "EdDSA"]) {
    test(`${alg} joins through an inline JWKS, with the right key only`, async () => {
      const { publicKey, privateKey } = await generateKeyPair(alg);
      const other = await generateKeyPair(alg);
      const jwk = { ...(await exportJWK(publicKey)), kid: "k1", alg };
      const { clock, join } = await gatewayFixture({
        env: { TRIBUTARY_JWKS: JSON.stringify({ keys: [jwk] }) },
      });
      const sign = (key: CryptoKey, payload: Record<string, unknown>) =>
        new SignJWT(payload).setProtectedHeader({ alg, kid: "k1" }).sign(key);
      const payload = claims(clock.seconds, { iss: "https://id.example.org" });
      expect((await join("room", await sign(privateKey, payload))).status).toBe(200);
      expect(await problemOf(await join("room", await sign(other.privateKey, payload)))).toBe(
        "401 token-refused",
      );
    });
  }

  test("a public key never serves as a secret (algorithm confusion)", async () => {
    const { publicKey } = await generateKeyPair("RS256", { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256" };
    const { clock, join } = await gatewayFixture({
      env: { TRIBUTARY_JWKS: JSON.stringify({ keys: [jwk] }) },
    });
    const spki = Buffer.from(await crypto.subtle.exportKey("spki", publicKey));
    const pem = `-----BEGIN PUBLIC KEY-----\n${spki.toString("base64").replace(/(.{64})/g, "$1\n")}\n-----END PUBLIC KEY-----`;
    for (const secret of [pem, `${pem}\n`, spki.toString("latin1"), JSON.stringify(jwk), String(jwk.n)]) {
      for (const iss of [KEY_ID, "https://id.example.org"]) {
        const token = await new SignJWT(claims(clock.seconds, { iss }))
          .setProtectedHeader({ alg: "HS256", kid: "k1" })
          .sign(Buffer.from(secret, "latin1"));
        expect(await problemOf(await join("room", token))).toBe("401 token-refused");
      }
    }
  });

  test("keys behind a URL are fetched once; when they cannot be, that is 503 and logged", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const jwk = { ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256" };
    let up = false;
    let fetches = 0;
    const fixture = await gatewayFixture({
      env: {
        TRIBUTARY_JWKS_URL: "https://id.example.org/jwks",
        TRIBUTARY_JWKS_ISSUER: "https://id.example.org",
      },
      fetch: async () => {
        fetches += 1;
        return up ? Response.json({ keys: [jwk] }) : new Response("down", { status: 500 });
      },
    });
    const sign = (iss: string) =>
      new SignJWT(claims(fixture.clock.seconds, { iss }))
        .setProtectedHeader({ alg: "ES256", kid: "k1" })
        .sign(privateKey);
    const response = await fixture.join("room", await sign("https://id.example.org"));
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await problemOf(response)).toBe("503 keys-unavailable");
    expect(fixture.log.map((entry) => entry.level)).toContain("error");
    up = true;
    fetches = 0;
    for (let i = 0; i < 3; i++) {
      expect((await fixture.join("room", await sign("https://id.example.org"))).status).toBe(200);
    }
    expect(fetches).toBe(1);
    expect(await problemOf(await fixture.join("room", await sign("https://evil.example.org")))).toBe(
      "401 token-refused",
    );
  });
});

describe("guests", () => {
  test("are told there are none where the gateway takes none", async () => {
    const { post } = await gatewayFixture();
    expect(await problemOf(await post("/v1/rooms/room/guests", { name: "Ann" }))).toBe("404 guests-off");
  });

  test("get an identity of their own and may do everything but administer", async () => {
    const { clock, ticketKey, post, join } = await gatewayFixture({ guests: true });
    const identities = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const response = await post("/v1/rooms/room/guests", { name: "Ann" });
      const { token, identity } = (await response.json()) as { token: string; identity: string };
      expect(identity).toMatch(/^guest-[a-z2-9]{8}$/);
      identities.add(identity);
      if (i > 0) continue;
      const body = await joined(await join("room", token));
      const ticket = await ticketOf(ticketKey, body.relays[0]?.ticket ?? "", clock.seconds);
      expect(ticket).toMatchObject({ sub: identity, name: "Ann" });
      expect(ticket.grants).toEqual({
        publish: ["microphone", "camera", "screen"],
        subscribe: true,
        data: true,
        admin: false,
        hidden: false,
      });
      expect(await problemOf(await join("other", token))).toBe("403 token-other-room");
    }
    expect(identities.size).toBe(50);
  });

  test("must have a name", async () => {
    const { post } = await gatewayFixture({ guests: true });
    expect(await problemOf(await post("/v1/rooms/room/guests", {}))).toBe("400 invalid-request");
    expect(await problemOf(await post("/v1/rooms/room/guests", { name: "\u0007" }))).toBe(
      "400 invalid-request",
    );
    expect((await post("/v1/rooms/room/guests")).status).toBe(400);
  });
});

function hs512(payload: Record<string, unknown>): Promise<string> {
  return new SignJWT(payload)
    .setProtectedHeader({ alg: "HS512" })
    .sign(new TextEncoder().encode(KEY_SECRET.padEnd(64, "x")));
}

function unsigned(payload: Record<string, unknown>, alg: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg })}.${part(payload)}.`;
}
