import { describe, expect, it } from "vitest";
import { hlsRoutes } from "./hls-routes.ts";
import { MAX_PARTS_AHEAD, MAX_WAIT_MS } from "./limits.ts";
import { fuzzRequests } from "./testing/fuzz-requests.ts";
import { PlayedRoom } from "./testing/played-room.ts";

/** A room that has played for a while: its newest segment has some parts. */
async function open(seconds = 9) {
  const stage = new PlayedRoom();
  await stage.open("black", true);
  await stage.play({ seconds, fps: 30, gopSeconds: 2 });
  const app = hlsRoutes({ room: (name) => (name === "stage" ? stage.room : undefined) });
  const get = (path: string, init?: RequestInit) =>
    Promise.resolve(app.fetch(new Request(`http://bridge/stage/${path}`, init)));
  return { stage, app, get, newest: stage.room.main.newest! };
}

describe("HLS over HTTP", () => {
  it("answers the multivariant playlist with codecs, size and rates", async () => {
    const { get } = await open();
    const response = await get("index.m3u8");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(await response.text()).toMatch(
      /^#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAM-INF:BANDWIDTH=\d+,AVERAGE-BANDWIDTH=\d+,CODECS="avc1\.42C00D,mp4a\.40\.2",RESOLUTION=320x180\nmain\.m3u8\n$/,
    );
  });

  it("lets caches keep what never changes, playlists for a moment, refusals not at all", async () => {
    const { get, newest } = await open();
    const caching = async (path: string) => (await get(path)).headers.get("cache-control");
    expect(await caching(`s${newest.sequence - 1}.m4s`)).toContain("immutable");
    expect(await caching(`p${newest.sequence}.0.m4s`)).toContain("immutable");
    expect(await caching(`init${newest.sequence - 4}.0.mp4`)).toContain("immutable");
    expect(await caching("main.m3u8")).toBe("public, max-age=1");
    expect(await caching("s1.m4s")).toBe("no-store");
  });

  it("holds a reload until the part is there, for everybody who waits", async () => {
    const { stage, get, newest } = await open();
    const query = `main.m3u8?_HLS_msn=${newest.sequence}&_HLS_part=${newest.part + 2}`;
    let done = 0;
    const all = Array.from({ length: 20 }, async () => {
      const response = await get(query);
      done += 1;
      return response;
    });
    await stage.play({ seconds: 0.2, fps: 30, gopSeconds: 2 });
    expect(done).toBe(0);
    expect(stage.room.audience).toBe(20);
    await stage.play({ seconds: 0.6, fps: 30, gopSeconds: 2 });
    for (const response of await Promise.all(all)) {
      expect(response.headers.get("cache-control")).toBe("public, max-age=24");
      expect(await response.text()).toContain(`p${newest.sequence}.${newest.part + 2}.m4s"`);
    }
    expect(stage.room.audience).toBe(0);
  });

  it("compresses playlists for those who take it", async () => {
    const { get } = await open();
    const plain = await (await get("main.m3u8")).text();
    const response = await get("main.m3u8", { headers: { "accept-encoding": "br, gzip" } });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(Number(response.headers.get("content-length"))).toBeLessThan(plain.length / 3);
    const text = response.body!.pipeThrough(new DecompressionStream("gzip"));
    expect(await new Response(text).text()).toBe(plain);
  });

  it("takes a part behind the last of a segment as the first of the next", async () => {
    const { get, newest } = await open();
    const early = await get(`main.m3u8?_HLS_msn=${newest.sequence - 1}&_HLS_part=40`);
    expect(early.status).toBe(200);
  });

  it("holds the hinted part until it is there", async () => {
    const { stage, get } = await open();
    const hint = /PRELOAD-HINT:TYPE=PART,URI="([^"]+)"/.exec(await (await get("main.m3u8")).text())![1]!;
    const waiting = get(hint);
    await stage.play({ seconds: 0.5, fps: 30, gopSeconds: 2 });
    const response = await waiting;
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("video/mp4");
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100);
  });

  it("refuses what is too far ahead, ill-formed or twice with 400", async () => {
    const { get, newest } = await open();
    for (const query of [
      `_HLS_msn=${newest.sequence + 3}`,
      `_HLS_msn=${newest.sequence}&_HLS_part=${newest.part + 2 + MAX_PARTS_AHEAD}`,
      "_HLS_part=1",
      "_HLS_msn=x",
      "_HLS_msn=-1",
      "_HLS_msn=1&_HLS_msn=2",
      `_HLS_msn=${"1".repeat(16)}`,
      "_HLS_skip=NO",
    ]) {
      expect([query, (await get(`main.m3u8?${query}`)).status]).toEqual([query, 400]);
    }
  });

  it("answers 503 to a reload that would wait for ever, and forgets one whose client has gone", async () => {
    const { stage, get, newest } = await open();
    const query = `main.m3u8?_HLS_msn=${newest.sequence + 1}`;
    const leaving = new AbortController();
    const gone = get(query, { signal: leaving.signal });
    const late = get(query);
    expect(stage.room.audience).toBe(2);
    leaving.abort();
    expect((await gone).status).toBe(503);
    expect(stage.room.audience).toBe(1);
    await stage.clock.advance(MAX_WAIT_MS + 1);
    const response = await late;
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
  });

  it("answers everybody when the programme ends", async () => {
    const { stage, get, newest } = await open();
    const waiting = get(`main.m3u8?_HLS_msn=${newest.sequence + 1}`);
    await stage.end();
    expect(await (await waiting).text()).toMatch(/#EXT-X-ENDLIST\n$/);
  });

  it("serves the same as MPEG-TS to old players", async () => {
    const { get, newest } = await open();
    const playlist = await (await get("ts/index.m3u8")).text();
    expect(playlist).not.toContain("EXT-X-MAP");
    expect(playlist).toMatch(new RegExp(`#EXTINF:2[.\\d]*,\\ns${newest.sequence - 1}\\.ts\\n$`));
    const segment = await get(`ts/s${newest.sequence - 1}.ts`);
    expect(segment.headers.get("content-type")).toBe("video/mp2t");
    const bytes = new Uint8Array(await segment.arrayBuffer());
    expect(bytes.length % 188).toBe(0);
    for (let at = 0; at < bytes.length; at += 188) expect(bytes[at]).toBe(0x47);
    expect((await get(`ts/s${newest.sequence}.ts`)).status).toBe(404);
    expect((await get("ts/s1.ts")).status).toBe(404);
  });

  it("survives hostile requests", async () => {
    const { app, newest } = await open();
    const count = Number(process.env.TRIBUTARY_FUZZ_INPUTS ?? 3_000);
    await fuzzRequests(app, 1, count, newest.sequence);
  });
});
