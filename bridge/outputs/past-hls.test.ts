import { beforeEach, expect, it } from "vitest";
import { hlsRoutes } from "../hls/hls-routes.ts";
import { Catalogue } from "../recording/catalogue.ts";
import { History } from "../recording/history.ts";
import { Recordings } from "../recording/recordings.ts";
import { HandClock, settled } from "../recording/testing/hand-clock.ts";
import { madeInit, madeParts } from "../recording/testing/made-media.ts";
import { MemoryStorage } from "../storage/testing/memory-storage.ts";
import { PastHls } from "./past-hls.ts";

const T0 = 1_800_000_000_000_000;
/** Parts of a segment. */
const SEGMENT = 10;
let clock: HandClock;
let storage: MemoryStorage;
let isWanted: boolean | undefined;
beforeEach(() => {
  clock = new HandClock(T0);
  storage = new MemoryStorage(() => clock.nowUs() / 1000);
  isWanted = false;
});

function bridge() {
  const log = (): void => undefined;
  const catalogue = new Catalogue({ storage, clock, log });
  const recordings = new Recordings({ storage, catalogue, clock, random: () => 0.5, log, bridgeId: "b1" });
  const history = new History({ storage, catalogue, recordings });
  const past = new PastHls({ history, isWanted: () => isWanted });
  const app = hlsRoutes({ room: () => undefined, past: (room) => past.playlist(room) });
  const get = (path: string) => Promise.resolve(app.fetch(new Request(`http://bridge/${path}`)));
  return { recordings, history, get };
}
type Bridge = ReturnType<typeof bridge>;

let jobs = 0;
/** A recording of some segments, of which the first few are shown live. */
async function record({ recordings }: Bridge, room: string, segments: number, shown: number) {
  const recorder = await recordings.open({ jobId: `job-${10_000 + jobs++}`, room, participants: () => [] });
  const init = madeInit(0, true);
  recorder.onInit(init);
  madeParts(init, clock.nowUs(), segments * SEGMENT).forEach((part, n) => {
    recorder.onPart({ ...part, shown: n < shown * SEGMENT });
  });
  await settled();
  await clock.pass(60_000);
  return recorder;
}

const countOf = (text: string): number => text.match(/#EXTINF/g)?.length ?? 0;

it("answers what was shown live of the latest recording, whole, as VOD; also when the bridge has been restarted", async () => {
  const first = bridge();
  await (await record(first, "Büro", 2, 2)).close("complete");
  const latest = await record(first, "Büro", 5, 5);
  await latest.close("complete");
  // Newer, and nobody's to see.
  await (await record(first, "Büro", 3, 0)).close("complete");
  for (const each of [first, bridge()]) {
    for (const name of ["index.m3u8", "main.m3u8"]) {
      const path = `hls/B%C3%BCro/${name}`;
      const response = await each.get(path.slice("hls/".length));
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
      expect(response.headers.get("cache-control")).toBe("public, max-age=10");
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      const text = await response.text();
      expect(text).toContain("#EXT-X-PLAYLIST-TYPE:VOD\n");
      expect(text).toMatch(/#EXT-X-ENDLIST\n$/);
      expect(countOf(text)).toBe(5);
      const uris = new Set(text.split("\n").filter((line) => line !== "" && !line.startsWith("#")));
      expect([...uris].map((uri) => new URL(uri, `http://bridge/${path}`).pathname)).toEqual([
        `/recordings/${latest.id}/media.mp4`,
      ]);
    }
    expect((await each.get("B%C3%BCro/s1.m4s")).status).toBe(404);
  }
  await first.history.delete(latest.id);
  const before = await (await first.get("B%C3%BCro/index.m3u8")).text();
  expect(countOf(before)).toBe(2);
});

it("does not make a room public that was only recorded", async () => {
  const here = bridge();
  await (await record(here, "private", 5, 0)).close("complete");
  for (const each of [here, bridge()]) {
    const response = await each.get("private/index.m3u8");
    expect(response.status).toBe(404);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect((await each.get("nobody/index.m3u8")).status).toBe(404);
  }
});

it("ends where it was shown last, also while the recording goes on", async () => {
  const here = bridge();
  const recorder = await record(here, "standup", 6, 2.5);
  expect(recorder.isShown).toBe(false);
  expect(countOf(await (await here.get("standup/index.m3u8")).text())).toBe(2);
  await recorder.close("complete");
  const text = await (await bridge().get("standup/index.m3u8")).text();
  expect(countOf(text)).toBe(2);
  expect(text).toMatch(/#EXT-X-ENDLIST\n$/);
});

it("gives players no end while somebody wants the room to be live, or that is not known", async () => {
  const here = bridge();
  await (await record(here, "standup", 2, 2)).close("complete");
  isWanted = true;
  expect((await here.get("standup/index.m3u8")).status).toBe(404);
  isWanted = undefined;
  const unknown = await here.get("standup/index.m3u8");
  expect([unknown.status, unknown.headers.get("retry-after")]).toEqual([503, "1"]);
  isWanted = false;
  expect((await here.get("standup/index.m3u8")).status).toBe(200);
});
