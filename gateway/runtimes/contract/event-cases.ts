/** The contract of gateways over HTTP: relays tell of events, the application is told them, signed. */
import { createHmac } from "node:crypto";
import { generateKeyPair, SignJWT } from "jose";
import { expect, test } from "vitest";
import { MAX_EVENT_BYTES } from "../../../core/wire/limits.ts";
import { EVENTS_AUDIENCE, EVENTS_PATH, type RoomEvent } from "../../../core/wire/room-events.ts";
import { type Stage, WEBHOOK_SECRET } from "./stage.contract.ts";

const EVENT: RoomEvent = {
  id: "0123456789abcdef0123456789abcdef",
  type: "participant-joined",
  room: "bühne",
  at: "2027-01-15T08:00:00.000Z",
  participant: { identity: "ann", name: "Änn \u{1f3a4}", admin: false },
};

export function eventCases(stage: Stage): void {
  const token = (change: Record<string, unknown> = {}, key: CryptoKey = stage.relayKey) => {
    const iat = Math.floor(Date.now() / 1000);
    const claims = { iss: "near", aud: EVENTS_AUDIENCE, room: EVENT.room, iat, exp: iat + 30, ...change };
    return new SignJWT(claims).setProtectedHeader({ alg: "ES256" }).sign(key);
  };
  const tell = (bearer: string, body: unknown = EVENT) =>
    stage.refusal("POST", EVENTS_PATH, { headers: { authorization: `Bearer ${bearer}` }, body });

  test("an event of a relay reaches the application, signed; many at once do", async () => {
    const bearer = await token();
    const all = await Promise.all(Array.from({ length: 8 }, () => tell(bearer)));
    expect(new Set(all)).toEqual(new Set(["200"]));
    expect(stage.application.told).toHaveLength(8);
    const { signature, body } = stage.application.told[0]!;
    expect(JSON.parse(body)).toEqual(EVENT);
    const [, at = "", mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
    expect(mac).toBe(createHmac("sha256", WEBHOOK_SECRET).update(`${at}.${body}`).digest("hex"));
  });

  test("what the application does not take, the relay is to tell again", async () => {
    for (const status of [500, 302]) {
      stage.application.status = status;
      expect(await tell(await token())).toBe("502 webhook-failed");
    }
    stage.application.status = 204;
    expect(await tell(await token())).toBe("200");
  });

  test("who is no relay of the cluster, or speaks of another room, tells nothing", async () => {
    const before = stage.application.told.length;
    const other = await generateKeyPair("ES256");
    const iat = Math.floor(Date.now() / 1000) - 600;
    const wrong = [
      await token({}, other.privateKey),
      await token({ iss: "stranger" }),
      await token({ iss: "dead" }),
      await token({ aud: "near" }),
      await token({ room: "other" }),
      await token({ iat, exp: iat + 1_200 }),
      "x",
    ];
    for (const bearer of wrong) expect(await tell(bearer)).toBe("401 relay-refused");
    expect(await tell(await token(), { ...EVENT, type: "x" })).toBe("400 invalid-request");
    const large = { ...EVENT, more: "x".repeat(MAX_EVENT_BYTES) };
    expect(await tell(await token(), large)).toBe("413 body-too-large");
    expect(stage.application.told).toHaveLength(before);
  });
}
