/** The contract of gateways over HTTP: minting tokens, joining, and every token that does not join. */
import { createLocalJWKSet, type JWK, jwtVerify, SignJWT } from "jose";
import { expect, test } from "vitest";
import { MAX_TOKEN_CHARS } from "../../../core/wire/limits.ts";
import { relayTicketSchema } from "../../../core/wire/tokens.ts";
import type { Stage } from "./stage.contract.ts";

export interface Joined {
  relays: { relayId: string; ticket: string }[];
}

const nowSeconds = () => Math.floor(Date.now() / 1000);

export function joinCases(stage: Stage): void {
  test("a minted token becomes a ticket that its relay can check through the published key", async () => {
    const held = await stage.token("room", { name: "Ann", grants: { publish: ["camera"] } });
    const response = await stage.join("room", held, { "x-tributary-region": "eu" });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const [candidate] = ((await response.json()) as Joined).relays;
    const published = await stage.get<{ keys: JWK[] }>("GET", "/.well-known/jwks.json", { headers: {} });
    const { payload } = await jwtVerify(candidate?.ticket ?? "", createLocalJWKSet(published), {
      audience: "near",
    });
    const ticket = relayTicketSchema.parse(payload);
    expect(ticket).toMatchObject({ sub: "ann", name: "Ann", room: "room", grants: { publish: ["camera"] } });
    expect(ticket.exp - nowSeconds()).toBeGreaterThan(30);
  });

  test("a room goes to one relay each time; a region is preferred when it is named", async () => {
    const held = await stage.token("somewhere");
    const relayOf = async (headers: Record<string, string> = {}, query = "") =>
      (
        await stage.get<Joined>("POST", `/v1/rooms/somewhere/join${query}`, {
          headers: { authorization: `Bearer ${held}`, ...headers },
        })
      ).relays[0]?.relayId;
    expect(new Set([await relayOf(), await relayOf(), await relayOf()]).size).toBe(1);
    expect(await relayOf({ "x-tributary-region": "us" })).toBe("dead");
    expect(await relayOf({ "x-tributary-region": "us" }, "?region=eu")).toBe("near");
  });

  test("tokens signed with a key of the JWKS join, many at once; its public key as a secret does not", async () => {
    const payload = { iss: "app", sub: "bob", room: "room", exp: nowSeconds() + 60 };
    const signed = await new SignJWT(payload)
      .setProtectedHeader({ alg: "RS256", kid: "id1" })
      .sign(stage.identityKey);
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await stage.join("room", signed)).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    const confused = await new SignJWT(payload)
      .setProtectedHeader({ alg: "HS256", kid: "id1" })
      .sign(new TextEncoder().encode(stage.identityPem));
    expect(await stage.refusedJoin("room", confused)).toBe("401 token-refused");
  });

  test("guests are not taken by a gateway that stands alone", async () => {
    const body = { name: "Ann" };
    expect(await stage.refusal("POST", "/v1/rooms/room/guests", { body })).toBe("404 guests-off");
  });

  badTokenCases(stage);
}

function badTokenCases(stage: Stage): void {
  const claims = () => ({ iss: "app", sub: "ann", room: "room", exp: nowSeconds() + 60 });
  const sign = (change: object, secret: string = stage.secret) =>
    new SignJWT({ ...claims(), ...change })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(secret));
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

  test.each<[string, () => Promise<string> | string, string]>([
    ["another secret", () => sign({}, "x".repeat(40)), "401 token-refused"],
    ["a key that there is not", () => sign({ iss: "nobody" }), "401 token-refused"],
    ["an end in the past", () => sign({ exp: nowSeconds() - 60 }), "401 token-expired"],
    ["a beginning in the future", () => sign({ nbf: nowSeconds() + 60 }), "401 token-expired"],
    ["no end", () => sign({ exp: undefined }), "401 token-malformed"],
    ["another room", () => sign({ room: "x" }), "403 token-other-room"],
    ["another audience", () => sign({ aud: "else" }), "401 token-refused"],
    ["a name of the wrong kind", () => sign({ sub: { $ne: "" } }), "401 token-malformed"],
    ["grants of the wrong kind", () => sign({ grants: { admin: "yes" } }), "401 token-malformed"],
    ["no signature", () => `${part({ alg: "none" })}.${part(claims())}.`, "401 token-refused"],
    ["half a token", () => `${part({ alg: "HS256" })}.${part(claims())}`, "401 token-malformed"],
    ["text", () => "x", "401 token-malformed"],
    ["too much text", () => "x".repeat(MAX_TOKEN_CHARS + 1), "401 token-malformed"],
    ["an API key", () => `app:${stage.secret}`, "401 token-malformed"],
  ])("a token with %s is refused by name", async (_what, make, problem) => {
    expect(await stage.refusedJoin("room", await make())).toBe(problem);
  });

  test("no token, and another scheme, are told what to send", async () => {
    const join = "/v1/rooms/room/join";
    expect(await stage.refusal("POST", join)).toBe("401 credentials-missing");
    const response = await stage.call("POST", join, { headers: { authorization: "Digest x" } });
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
    expect(response.status).toBe(401);
  });
}
