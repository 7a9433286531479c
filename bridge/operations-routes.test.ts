import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RecordingInfo } from "../core/wire/bridge-jobs.ts";
import { placeOfRecording, type RecordingPage } from "../core/wire/bridge-operations.ts";
import { ticketKeysOf } from "../core/wire/gateway-keys.ts";
import { MAX_RECORDING_PAGE_BYTES } from "../core/wire/limits.ts";
import { VirtualClock } from "../test/sim/virtual-clock.ts";
import { createBridgeOperations } from "./operations-routes.ts";

const clock = new VirtualClock();
const NOW = clock.nowUs() / 1e6;
const keys = { gateway: {} as CryptoKey, stranger: {} as CryptoKey };
let app: ReturnType<typeof createBridgeOperations>;
let stored: RecordingInfo[];
let log: string[];
let isBroken: boolean;

function recording(n: number, change: Partial<RecordingInfo> = {}): RecordingInfo {
  const startedAt = new Date((NOW + n) * 1000).toISOString();
  return {
    id: `recording-${n}`,
    room: "demo",
    state: "complete",
    startedAt,
    endedAt: startedAt,
    durationMs: 1000,
    bytes: 1000,
    participants: [],
    hasPicture: true,
    playlistPath: `/recordings/recording-${n}/index.m3u8`,
    downloadPath: `/recordings/recording-${n}/download`,
    posterPath: null,
    files: [],
    ...change,
  };
}

beforeAll(async () => {
  const [gateway, stranger] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
  Object.assign(keys, { gateway: gateway.privateKey, stranger: stranger.privateKey });
  const publicKeys = ticketKeysOf(await exportJWK(gateway.publicKey));
  const open = async (): Promise<RecordingInfo[]> => {
    if (isBroken) throw new Error("the disk is gone");
    return stored;
  };
  app = createBridgeOperations({
    bridgeId: "b1",
    keys: publicKeys,
    clock,
    log: (line) => log.push(line),
    recordings: {
      list: async (room) => (await open()).filter((info) => room === undefined || info.room === room),
      get: async (id) => (await open()).find((info) => info.id === id),
      delete: async (id) => {
        const found = (await open()).find((info) => info.id === id);
        if (found?.state === "recording") return "recording";
        stored = stored.filter((info) => info !== found);
        return found ? "deleted" : "absent";
      },
    },
  });
});
beforeEach(() => {
  stored = [recording(1), recording(3), recording(2, { room: "other" })];
  log = [];
  isBroken = false;
});

function token(change: JWTPayload = {}, key = keys.gateway): Promise<string> {
  const claims = { aud: "b1", scope: "recordings", iat: NOW, exp: NOW + 60, ...change };
  return new SignJWT(claims).setProtectedHeader({ alg: "ES256" }).sign(key);
}

async function call(path: string, method = "GET", bearer?: string): Promise<Response> {
  const authorization = `Bearer ${bearer ?? (await token())}`;
  return app.request(path, { method, headers: { authorization } });
}

async function idsOf(path: string): Promise<{ ids: string[]; more: boolean }> {
  const response = await call(path);
  expect(response.status).toBe(200);
  const { recordings, more } = (await response.json()) as RecordingPage;
  return { ids: recordings.map(({ id }) => id), more };
}

describe("recordings of a bridge", () => {
  test("are listed newest first, by room, page by page", async () => {
    expect(await idsOf("/v1/recordings")).toEqual({
      ids: ["recording-3", "recording-2", "recording-1"],
      more: false,
    });
    expect(await idsOf("/v1/recordings?room=other")).toEqual({ ids: ["recording-2"], more: false });
    expect(await idsOf("/v1/recordings?limit=2")).toEqual({
      ids: ["recording-3", "recording-2"],
      more: true,
    });
    const before = encodeURIComponent(placeOfRecording(recording(2)));
    expect(await idsOf(`/v1/recordings?before=${before}`)).toEqual({ ids: ["recording-1"], more: false });
  });

  test("that are large come on several pages, each at least one, and none is left out", async () => {
    const people = Array.from({ length: 1000 }, (_, n) => ({ identity: `p${n}`, name: "n".repeat(60) }));
    stored = Array.from({ length: 100 }, (_, n) => recording(100 + n, { participants: people }));
    const seen: string[] = [];
    let query = "";
    for (let page = 0; page < 100; page++) {
      const response = await call(`/v1/recordings${query}`);
      const text = await response.text();
      expect(text.length).toBeLessThan(MAX_RECORDING_PAGE_BYTES + 1000);
      const { recordings, more } = JSON.parse(text) as RecordingPage;
      seen.push(...recordings.map(({ id }) => id));
      if (!more) break;
      query = `?before=${encodeURIComponent(placeOfRecording(recordings.at(-1)!))}`;
    }
    expect(seen).toEqual(stored.map(({ id }) => id).reverse());
  });

  test("are told and deleted one by one; one that is being made stays", async () => {
    stored.push(recording(4, { state: "recording" }));
    expect(await (await call("/v1/recordings/recording-1")).json()).toEqual(recording(1));
    expect(await (await call("/v1/recordings/recording-1", "DELETE")).json()).toEqual(recording(1));
    expect((await call("/v1/recordings/recording-1")).status).toBe(404);
    expect((await call("/v1/recordings/recording-1", "DELETE")).status).toBe(404);
    expect((await call("/v1/recordings/recording-4", "DELETE")).status).toBe(409);
    expect(stored).toHaveLength(3);
  });

  test.each([
    ["/v1/recordings?limit=0", 400],
    ["/v1/recordings?limit=x", 400],
    ["/v1/recordings?before=yesterday", 400],
    ["/v1/recordings?room=a%20b", 400],
    ["/v1/recordings/x", 404],
    ["/v1/recordings/..%2F..%2Fetc", 404],
    [`/v1/recordings/${"x".repeat(5000)}`, 404],
    ["/v1/nothing", 404],
  ])("%s is answered with %i", async (path, status) => {
    expect((await call(path)).status).toBe(status);
  });

  test("a storage that fails is told as that, and why only to the log", async () => {
    isBroken = true;
    const response = await call("/v1/recordings");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("disk");
    expect(log.join()).toContain("the disk is gone");
  });
});

describe("who may ask a bridge", () => {
  test.each([
    ["nobody without a token", () => Promise.resolve("")],
    ["no stranger", () => token({}, keys.stranger)],
    ["no token for another bridge", () => token({ aud: "b2" })],
    ["no token for rooms", () => token({ scope: "rooms" })],
    ["no token that has ended", () => token({ iat: NOW - 120, exp: NOW - 60 })],
    ["no token without scope", () => token({ scope: undefined })],
    ["nothing that is no token", () => Promise.resolve("a.b.c")],
  ])("%s", async (_who, bearer) => {
    const response = await call("/v1/recordings", "GET", await bearer());
    expect(response.status).toBe(401);
    expect((await call("/v1/recordings/recording-1", "DELETE", await bearer())).status).toBe(401);
    expect(stored).toHaveLength(3);
  });
});
