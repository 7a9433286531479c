/** A gateway with a list of relays in place of etcd, over HTTP on each runtime: what it does, and what it says that it cannot do. */
import { exportJWK, generateKeyPair } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemOf } from "../../gateway.fixture.ts";
import type { GatewayProcess, Settings, StartGateway } from "../gateway-process.ts";

const SECRET = "a-secret-of-at-least-32-characters-for-tests";
const HEADERS = { authorization: `Bearer app:${SECRET}`, "content-type": "application/json" };

/** Settings that are enough for a gateway. */
export async function listedRelays(): Promise<Settings> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const relay = { id: "r1", url: "https://r1.example.org:4433/", operationsUrl: "http://127.0.0.1:9/" };
  return {
    TRIBUTARY_API_KEYS: `app:${SECRET}`,
    TRIBUTARY_TICKET_KEY: JSON.stringify(await exportJWK(privateKey)),
    TRIBUTARY_RELAYS: JSON.stringify([relay]),
  };
}

/** Status of minting a token. */
export async function mintStatus(url: string): Promise<number> {
  const body = JSON.stringify({ identity: "ann" });
  const response = await fetch(`${url}/v1/rooms/room/tokens`, { method: "POST", headers: HEADERS, body });
  await response.body?.cancel();
  return response.status;
}

export function listedRelaysContract(runtime: string, start: StartGateway): void {
  describe(`gateway with a list of relays on ${runtime}`, () => {
    let gateway: GatewayProcess | undefined;
    beforeAll(async () => {
      gateway = await start(await listedRelays());
    }, 90_000);
    afterAll(() => gateway?.stop());
    const call = (method: string, path: string, init: RequestInit = {}) =>
      fetch(`${gateway?.url}${path}`, { method, headers: HEADERS, redirect: "manual", ...init });

    test("people join the relay of the list", async () => {
      const minted = await call("POST", "/v1/rooms/room/tokens", { body: '{"identity":"ann"}' });
      const { token } = (await minted.json()) as { token: string };
      const headers = { authorization: `Bearer ${token}` };
      const joined = await call("POST", "/v1/rooms/room/join", { headers });
      expect(await joined.json()).toMatchObject({ identity: "ann", relays: [{ relayId: "r1" }] });
    });

    test("there are no bridges, and no webhook", async () => {
      for (const [method, path, body] of [
        ["POST", "/v1/rooms/room/outputs", '{"type":"hls"}'],
        ["GET", "/v1/ingests", null],
        ["GET", "/v1/recordings", null],
        ["GET", "/hls/room/index.m3u8", null],
      ] as const)
        expect(await problemOf(await call(method, path, { body }))).toBe("404 bridges-off");
    });
  });
}
