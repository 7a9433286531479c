import { createLocalJWKSet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { bridgeNamed } from "../core/directory/bridge-directory-harness.contract.ts";
import type { RecordingInfo } from "../core/wire/bridge-jobs.ts";
import {
  newestFirst,
  placeOfRecording,
  type RecordingPage,
  recordingQuerySchema,
} from "../core/wire/bridge-operations.ts";
import { serviceTokenSchema } from "../core/wire/tokens.ts";
import { seededRandom } from "../test/sim/seeded-random.ts";
import { gatewayFixture, KEY_HEADERS, problemOf } from "./gateway.fixture.ts";
import { mergedPages } from "./recording-list.ts";

const TTL_MS = 10_000;

function recording(n: number, change: Partial<RecordingInfo> = {}): RecordingInfo {
  const startedAt = new Date(1_800_000_000_000 + n * 1000).toISOString();
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
    playlistPath: `recordings/recording-${n}/index.m3u8`,
    downloadPath: `/recordings/recording-${n}/download`,
    posterPath: null,
    files: [],
    ...change,
  };
}

/** Recordings behind a place, as bridges answer. */
function pageOf(all: readonly RecordingInfo[], query: URLSearchParams): RecordingPage {
  const { room, before, limit } = recordingQuerySchema.parse(Object.fromEntries(query));
  const behind = all
    .filter((info) => room === undefined || info.room === room)
    .filter((info) => before === undefined || placeOfRecording(info) < before)
    .sort(newestFirst);
  return { recordings: behind.slice(0, limit), more: behind.length > limit };
}

/** Bridges with what each can reach; one that is undefined does not answer. */
async function cluster(bridges: Record<string, RecordingInfo[] | undefined>, guests = false) {
  const asked: { method: string; url: URL; authorization: string }[] = [];
  const fixture = await gatewayFixture({
    guests,
    fetch: async (url, init) => {
      const id = url.hostname.split(".")[0] ?? "";
      const { method = "GET", headers } = init;
      asked.push({ method, url, authorization: new Headers(headers).get("authorization") ?? "" });
      const all = bridges[id];
      if (!all) throw new TypeError("connection refused");
      if (url.pathname === "/v1/recordings") return Response.json(pageOf(all, url.searchParams));
      const at = all.findIndex((info) => info.id === url.pathname.split("/").at(-1));
      const found = all[at];
      if (!found) return new Response("no", { status: 404 });
      if (method === "DELETE" && found.state === "recording") return new Response("no", { status: 409 });
      if (method === "DELETE") all.splice(at, 1);
      return Response.json(found);
    },
  });
  for (const id of Object.keys(bridges)) await fixture.bridges.registerBridge(bridgeNamed(id), TTL_MS);
  const call = (method: string, path: string, headers: Record<string, string> = KEY_HEADERS) =>
    fixture.app.request(path, { method, headers });
  const list = async (query = "", headers: Record<string, string> = KEY_HEADERS) => {
    const response = await call("GET", `/v1/recordings${query}`, headers);
    expect(response.status).toBe(200);
    const body = (await response.json()) as {
      recordings: (RecordingInfo & { bridgeId: string })[];
      next?: string;
      unreachable: string[];
    };
    return { ...body, ids: body.recordings.map(({ id }) => id) };
  };
  return { fixture, asked, call, list };
}

describe("listing recordings", () => {
  test("puts together what all bridges have, newest first, with addresses on their bridge", async () => {
    const { list } = await cluster({ b1: [recording(1), recording(3)], b2: [recording(2)] });
    const { ids, recordings, unreachable } = await list();
    expect(ids).toEqual(["recording-3", "recording-2", "recording-1"]);
    expect(unreachable).toEqual([]);
    expect(recordings[1]).toEqual({
      ...recording(2),
      bridgeId: "b2",
      playlistPath: "https://b2.example.org/recordings/recording-2/index.m3u8",
      downloadPath: "https://b2.example.org/recordings/recording-2/download",
    });
    expect((await list("?room=other")).ids).toEqual([]);
  });

  test("a recording that several bridges can reach is one, as the bridge that makes it tells it", async () => {
    const making = recording(1, { state: "recording", durationMs: 5000 });
    const { list } = await cluster({ b1: [recording(1, { durationMs: 9000 })], b2: [making] });
    const { recordings } = await list();
    expect(recordings).toMatchObject([{ id: "recording-1", bridgeId: "b2", durationMs: 5000 }]);
  });

  test("goes page by page, each recording once, however they lie", async () => {
    const random = seededRandom(7);
    const shared = Array.from({ length: 40 }, (_, n) => recording(n));
    const part = () => shared.filter(() => random() < 0.6);
    const parts = { b1: part(), b2: part(), b3: part() };
    const wanted = [...new Set(Object.values(parts).flat())].sort(newestFirst).map(({ id }) => id);
    const { list } = await cluster(parts);
    const seen: string[] = [];
    let query = "?limit=7";
    for (let page = 0; page < 50; page++) {
      const { ids, next } = await list(query);
      expect(ids.length).toBeGreaterThan(0);
      expect(ids.length).toBeLessThanOrEqual(7);
      seen.push(...ids);
      if (!next) break;
      query = `?limit=7&before=${encodeURIComponent(next)}`;
    }
    expect(seen).toEqual(wanted);
  });

  test("what is older than the end of one bridge's page waits for its next", () => {
    const [b1, b2] = [bridgeNamed("b1"), bridgeNamed("b2")];
    const { found, next } = mergedPages(
      [
        { bridge: b1, page: { recordings: [recording(9), recording(6)], more: true } },
        { bridge: b2, page: { recordings: [recording(8), recording(2)], more: false } },
      ],
      10,
    );
    expect(found.map((one) => one.recording.id)).toEqual(["recording-9", "recording-8", "recording-6"]);
    expect(next).toBe(placeOfRecording(recording(6)));
  });

  test("a bridge that does not answer makes it partial", async () => {
    const { list, fixture } = await cluster({ b1: [recording(1)], b2: undefined });
    const { ids, unreachable } = await list();
    expect(ids).toEqual(["recording-1"]);
    expect(unreachable).toEqual(["b2"]);
    expect(fixture.log).toMatchObject([{ level: "warn", fields: { bridge: "b2" } }]);
  });

  test("bridges are asked with a token of their own, not with the caller's key", async () => {
    const { list, asked, fixture } = await cluster({ b1: [] });
    await list();
    const keys = createLocalJWKSet({ keys: [fixture.ticketKey.publicJwk] });
    const { payload } = await jwtVerify(asked[0]?.authorization.slice(7) ?? "", keys, {
      currentDate: new Date(fixture.clock.seconds * 1000),
    });
    expect(serviceTokenSchema.parse(payload)).toMatchObject({ aud: "b1", scope: "recordings" });
  });

  test("wrong queries are refused", async () => {
    const { call } = await cluster({ b1: [] });
    for (const query of ["limit=0", "limit=1001", "before=x", "room=a%20b"]) {
      expect(await problemOf(await call("GET", `/v1/recordings?${query}`))).toBe("400 invalid-request");
    }
    expect(await problemOf(await call("GET", "/v1/recordings/x"))).toBe("400 invalid-request");
  });
});

describe("one recording", () => {
  test("is told and deleted, wherever it can be reached from", async () => {
    const b1 = [recording(1)];
    const b2 = [recording(1), recording(2)];
    const { call } = await cluster({ b1, b2, b3: undefined });
    expect(await (await call("GET", "/v1/recordings/recording-1")).json()).toMatchObject({
      id: "recording-1",
    });
    expect((await call("DELETE", "/v1/recordings/recording-1")).status).toBe(200);
    expect(b1).toEqual([]);
    expect(b2).toEqual([recording(2)]);
    // One bridge is away, and may have it.
    expect(await problemOf(await call("GET", "/v1/recordings/recording-1"))).toBe("502 bridge-unreachable");
  });

  test("that is not there, or is being made, is told as such", async () => {
    const { call, asked } = await cluster({ b1: [recording(1, { state: "recording" })], b2: [recording(1)] });
    expect(await problemOf(await call("GET", "/v1/recordings/recording-2"))).toBe("404 recording-not-found");
    expect(await problemOf(await call("DELETE", "/v1/recordings/recording-2"))).toBe(
      "404 recording-not-found",
    );
    expect(await problemOf(await call("DELETE", "/v1/recordings/recording-1"))).toBe(
      "409 recording-in-progress",
    );
    expect(asked.filter(({ method }) => method === "DELETE")).toEqual([]);
  });

  test("belongs to its room: an admin of another finds none, and none of it is deleted", async () => {
    const b1 = [recording(1), recording(2, { room: "other" })];
    const { fixture, call, list } = await cluster({ b1 });
    const bearer = async (room: string, grants: object) => ({
      authorization: `Bearer ${await fixture.token(room, { grants })}`,
    });
    const admin = await bearer("demo", { admin: true });
    expect((await list("", admin)).ids).toEqual(["recording-1"]);
    expect(await problemOf(await call("GET", "/v1/recordings?room=other", admin))).toBe(
      "403 token-other-room",
    );
    for (const method of ["GET", "DELETE"]) {
      const path = "/v1/recordings/recording-2";
      expect(await problemOf(await call(method, path, admin))).toBe("404 recording-not-found");
    }
    const ann = await bearer("demo", {});
    expect(await problemOf(await call("GET", "/v1/recordings", ann))).toBe("403 admin-required");
    expect(await problemOf(await call("GET", "/v1/recordings", {}))).toBe("401 credentials-missing");
    expect(b1).toHaveLength(2);
    expect((await call("DELETE", "/v1/recordings/recording-1", admin)).status).toBe(200);
  });

  test("of a gateway that takes guests is everybody's who is in the room", async () => {
    const { fixture, list } = await cluster({ b1: [recording(1), recording(2, { room: "other" })] }, true);
    const minted = await fixture.post("/v1/rooms/demo/guests", { name: "Guest" });
    const { token } = (await minted.json()) as { token: string };
    expect((await list("", { authorization: `Bearer ${token}` })).ids).toEqual(["recording-1"]);
  });
});
