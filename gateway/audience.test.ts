/** Audiences that come to a gateway are sent on to the bridge that has what they ask for. */
import { beforeEach, describe, expect, test } from "vitest";
import type { BridgeRegistration } from "../core/directory/bridge-directory.ts";
import {
  bridgeNamed,
  hlsJob,
  mp3Job,
  recordingJob,
} from "../core/directory/bridge-directory-harness.contract.ts";
import { type GatewayFixture, gatewayFixture, problemOf } from "./gateway.fixture.ts";

const TTL_MS = 10_000;
const RECORDING = "recording-1";

let fixture: GatewayFixture;
let b1: BridgeRegistration;
let b2: BridgeRegistration;
/** Bridges whose operations API says that they have the recording; `undefined`: the API does not answer. */
let holders: Record<string, boolean | undefined>;

beforeEach(async () => {
  holders = { b1: false, b2: true };
  fixture = await gatewayFixture({
    fetch: async (url) => {
      const has = holders[url.hostname.split(".")[0] ?? ""];
      if (has === undefined) throw new TypeError("connection refused");
      if (!has || !url.pathname.endsWith(RECORDING)) return new Response("no", { status: 404 });
      return Response.json({
        id: RECORDING,
        room: "demo",
        state: "complete",
        startedAt: "2027-01-15T08:00:00.000Z",
        endedAt: null,
        durationMs: 1,
        bytes: 1,
        participants: [],
        hasPicture: true,
        playlistPath: "p",
        downloadPath: "d",
        posterPath: null,
      });
    },
  });
  b1 = await fixture.bridges.registerBridge(bridgeNamed("b1"), TTL_MS);
  b2 = await fixture.bridges.registerBridge(
    bridgeNamed("b2", { publicUrl: "https://cdn.example.org/b2/" }),
    TTL_MS,
  );
});

const get = (path: string, headers: Record<string, string> = {}) => fixture.app.request(path, { headers });

async function placeOf(path: string): Promise<string | null> {
  const response = await get(path, { origin: "https://a-site.example.org" });
  expect(response.status).toBe(307);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(response.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
  return response.headers.get("location");
}

describe("audiences", () => {
  test("HLS and MP3 are where the bridge is that has them, also after it has changed", async () => {
    await fixture.bridges.putJob(hlsJob("output-hls-1", "demo"));
    await fixture.bridges.putJob(mp3Job("output-mp3-1", "demo"));
    await b1.claimJob("output-hls-1");
    await b2.claimJob("output-mp3-1");
    expect(await placeOf("/hls/demo/index.m3u8")).toBe("https://b1.example.org/hls/demo/index.m3u8");
    expect(await placeOf("/hls/demo/ts/7.ts?_HLS_msn=3")).toBe(
      "https://b1.example.org/hls/demo/ts/7.ts?_HLS_msn=3",
    );
    expect(await placeOf("/listen/demo.mp3")).toBe("https://cdn.example.org/b2/listen/demo.mp3");
    await b1.end();
    expect(await problemOf(await get("/hls/demo/index.m3u8"))).toBe("503 output-waiting");
    await b2.claimJob("output-hls-1");
    expect(await placeOf("/hls/demo/index.m3u8")).toBe("https://cdn.example.org/b2/hls/demo/index.m3u8");
  });

  test("a room's name may be of any script", async () => {
    await fixture.bridges.putJob(hlsJob("output-hls-1", "Küche"));
    await b1.claimJob("output-hls-1");
    expect(await placeOf("/hls/K%C3%BCche/index.m3u8")).toBe(
      "https://b1.example.org/hls/K%C3%BCche/index.m3u8",
    );
  });

  test("what nobody has is missing, and says how it is added", async () => {
    await fixture.bridges.putJob(recordingJob("output-rec-1", { room: "demo" }));
    for (const path of ["/hls/demo/index.m3u8", "/listen/demo.mp3", "/hls/a%20b/index.m3u8"]) {
      const response = await get(path, { origin: "https://a-site.example.org" });
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      expect(await problemOf(response)).toBe("404 output-not-found");
    }
    // The page of that name is the web app's.
    expect(await problemOf(await get("/listen/demo"))).toBe("404 not-found");
    fixture = await gatewayFixture({ withoutBridges: true });
    expect(await problemOf(await get("/hls/demo/index.m3u8"))).toBe("404 bridges-off");
  });

  test("an output that no bridge has yet is there soon", async () => {
    await fixture.bridges.putJob(hlsJob("output-hls-1", "demo"));
    const response = await get("/hls/demo/index.m3u8");
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await problemOf(response)).toBe("503 output-waiting");
  });

  test("a recording is where it can be reached", async () => {
    const path = `/recordings/${RECORDING}/media.mp4`;
    expect(await placeOf(path)).toBe(`https://cdn.example.org/b2${path}`);
    holders = { b1: true, b2: undefined };
    expect(await placeOf(path)).toBe(`https://b1.example.org${path}`);
    expect(await problemOf(await get("/recordings/another-one/index.m3u8"))).toBe("502 bridge-unreachable");
    holders = { b1: false, b2: false };
    expect(await problemOf(await get(path))).toBe("404 recording-not-found");
    expect(await problemOf(await get("/recordings/x/index.m3u8"))).toBe("404 recording-not-found");
  });

  test("pages of any origin may ask, with what players add", async () => {
    const response = await fixture.app.request("/listen/demo.mp3", {
      method: "OPTIONS",
      headers: { origin: "https://a-site.example.org", "access-control-request-headers": "icy-metadata" },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-headers")).toContain("icy-metadata");
    const elsewhere = await get("/v1/rooms", { origin: "https://a-site.example.org" });
    expect(await problemOf(elsewhere)).toBe("403 origin-not-allowed");
  });
});
