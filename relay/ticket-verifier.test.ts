import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import type { Clock } from "../core/clock.ts";
import type { CloseReason } from "../core/wire/close-codes.ts";
import { Refusal } from "./refusal.ts";
import { TicketVerifier, ticketKeysOf } from "./ticket-verifier.ts";

const NOW = 1_760_000_000;
let nowSeconds = NOW;
const clock: Clock = { nowUs: () => nowSeconds * 1e6, after: () => ({ cancel: () => undefined }) };

let gateway: Awaited<ReturnType<typeof generateKeyPair>>;
let stranger: Awaited<ReturnType<typeof generateKeyPair>>;
let verifier: TicketVerifier;
let tickets = 0;

beforeAll(async () => {
  gateway = await generateKeyPair("ES256", { extractable: true });
  stranger = await generateKeyPair("ES256", { extractable: true });
});

async function freshVerifier(maxRemembered?: number): Promise<TicketVerifier> {
  nowSeconds = NOW;
  return new TicketVerifier(ticketKeysOf(await exportJWK(gateway.publicKey)), "relay1", clock, maxRemembered);
}

function ticket(change: JWTPayload = {}, key = gateway.privateKey): Promise<string> {
  const claims = {
    aud: "relay1",
    sub: "ada",
    name: "Ada",
    room: "room",
    grants: { publish: [], subscribe: true, data: true, admin: false, hidden: false },
    iat: nowSeconds,
    exp: nowSeconds + 60,
    jti: `ticket-${++tickets}`,
    token: "token",
    tokenExp: nowSeconds + 3600,
    ...change,
  };
  return new SignJWT(claims).setProtectedHeader({ alg: "ES256" }).sign(key);
}

async function refusalOf(promise: Promise<unknown>): Promise<CloseReason | "taken"> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return "taken";
}

describe("TicketVerifier", () => {
  it("takes a good ticket, once", async () => {
    verifier = await freshVerifier();
    const good = await ticket();
    expect(await verifier.verifyTicket(good)).toMatchObject({ sub: "ada", room: "room" });
    expect(await refusalOf(verifier.verifyTicket(good))).toBe("ticket-replayed");
  });

  it.each<{ what: string; make: () => Promise<string>; reason: CloseReason }>([
    {
      what: "an expired one",
      make: () => ticket({ iat: NOW - 120, exp: NOW - 60 }),
      reason: "ticket-expired",
    },
    { what: "another relay's", make: () => ticket({ aud: "relay2" }), reason: "ticket-wrong-relay" },
    {
      what: "a stranger's",
      make: () => ticket({}, stranger.privateKey),
      reason: "ticket-wrong-signature",
    },
    { what: "one that lives too long", make: () => ticket({ exp: NOW + 3600 }), reason: "ticket-malformed" },
    { what: "one without an identity", make: () => ticket({ sub: "" }), reason: "ticket-malformed" },
    { what: "one without a jti", make: () => ticket({ jti: "" }), reason: "ticket-malformed" },
    { what: "no JWT", make: async () => "hello", reason: "ticket-malformed" },
    {
      what: "an unsigned one",
      make: async () => {
        const [, payload] = (await ticket()).split(".");
        return `${btoa('{"alg":"none"}').replaceAll("=", "")}.${payload}.`;
      },
      reason: "ticket-wrong-signature",
    },
    {
      what: "one signed with a shared secret",
      make: () =>
        new SignJWT({ aud: "relay1" })
          .setProtectedHeader({ alg: "HS256" })
          .setExpirationTime(NOW + 60)
          .sign(new Uint8Array(32)),
      reason: "ticket-wrong-signature",
    },
    {
      what: "a changed one",
      make: async () => {
        const [header, , signature] = (await ticket()).split(".");
        const [, other] = (await ticket({ sub: "eve" })).split(".");
        return `${header}.${other}.${signature}`;
      },
      reason: "ticket-wrong-signature",
    },
  ])("refuses $what with $reason", async ({ make, reason }) => {
    verifier = await freshVerifier();
    expect(await refusalOf(verifier.verifyTicket(await make()))).toBe(reason);
    expect(verifier.remembered).toBe(0);
  });

  it("forgets used tickets when they have expired, and takes no more than it can remember", async () => {
    verifier = await freshVerifier(3);
    for (let i = 0; i < 3; i++) await verifier.verifyTicket(await ticket());
    expect(await refusalOf(verifier.verifyTicket(await ticket()))).toBe("relay-full");
    nowSeconds += 70;
    expect(await refusalOf(verifier.verifyTicket(await ticket()))).toBe("taken");
    expect(verifier.remembered).toBe(1);
  });

  it("takes service tokens of the gateway only, and no tickets in their place", async () => {
    verifier = await freshVerifier();
    const claims = { aud: "relay1", scope: "rooms", iat: NOW, exp: NOW + 60 };
    const sign = (key: CryptoKey, change: JWTPayload = {}): Promise<string> =>
      new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: "ES256" }).sign(key);
    expect(await verifier.verifyServiceToken(await sign(gateway.privateKey))).toMatchObject({
      scope: "rooms",
    });
    expect(await refusalOf(verifier.verifyServiceToken(await sign(stranger.privateKey)))).toBe(
      "ticket-wrong-signature",
    );
    expect(
      await refusalOf(verifier.verifyServiceToken(await sign(gateway.privateKey, { aud: "relay2" }))),
    ).toBe("ticket-wrong-relay");
    expect(await refusalOf(verifier.verifyServiceToken(await ticket()))).toBe("ticket-malformed");
    const forBridges = await sign(gateway.privateKey, { scope: "recordings" });
    expect(await refusalOf(verifier.verifyServiceToken(forBridges))).toBe("ticket-malformed");
    expect(await refusalOf(verifier.verifyTicket(await sign(gateway.privateKey)))).toBe("ticket-malformed");
  });

  it("keeps no private half of a key, and says what to do about another kind of key", async () => {
    expect(() => ticketKeysOf({ kty: "RSA", n: "AQAB", e: "AQAB" })).toThrow(/P-256/);
    const verified = new TicketVerifier(
      ticketKeysOf({ keys: [await exportJWK(gateway.privateKey)] }),
      "relay1",
      clock,
    );
    expect(await refusalOf(verified.verifyTicket(await ticket()))).toBe("taken");
  });
});
