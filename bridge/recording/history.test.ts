import { beforeEach, describe, expect, it } from "vitest";
import { bytesOf, ODD_KEYS } from "../storage/storage.contract.ts";
import { StorageError } from "../storage/storage.ts";
import { MemoryStorage } from "../storage/testing/memory-storage.ts";
import { Catalogue } from "./catalogue.ts";
import { History } from "./history.ts";
import { historyRoutes } from "./history-routes.ts";
import { MAX_LISTED } from "./limits.ts";
import { boxesOf, decodeTimesOf, viewOf } from "./media-boxes.ts";
import type { Recorder } from "./recorder.ts";
import { isRecordingId, keysOf } from "./recording-record.ts";
import { Recordings } from "./recordings.ts";
import { Retention, type RetentionOptions } from "./retention.ts";
import { HandClock, settled } from "./testing/hand-clock.ts";
import { madeInit, madeParts } from "./testing/made-media.ts";

const T0 = 1_800_000_000_000_000;
const DAY_MS = 86_400_000;
let storage: MemoryStorage;
let clock: HandClock;
let allowed = true;
beforeEach(() => {
  clock = new HandClock(T0);
  storage = new MemoryStorage(() => clock.nowUs() / 1000);
  allowed = true;
});

function bridge() {
  const log = (): void => undefined;
  const catalogue = new Catalogue({ storage, clock, log });
  const recordings = new Recordings({ storage, catalogue, clock, random: () => 0.5, log, bridgeId: "b1" });
  const history = new History({ storage, catalogue, recordings });
  const app = historyRoutes({ history, storage, log, authorise: async () => allowed });
  const retention = (change: Partial<RetentionOptions>) =>
    new Retention({ catalogue, history, clock, log, ...change });
  return { catalogue, recordings, history, app, retention };
}

let jobs = 0;
async function begin(recordings: Recordings, room = "standup"): Promise<Recorder> {
  const recorder = await recordings.open({ jobId: `job-${10_000 + jobs++}`, room, participants: () => [] });
  const init = madeInit(0, true);
  recorder.onInit(init);
  for (const part of madeParts(init, clock.nowUs(), 25)) recorder.onPart(part);
  await settled();
  return recorder;
}

async function record(recordings: Recordings, room = "standup"): Promise<string> {
  const recorder = await begin(recordings, room);
  await recorder.close("complete");
  await clock.pass(60_000);
  return recorder.id;
}

describe("the list", () => {
  it("is newest first, by room, in pages", async () => {
    const { recordings, history } = bridge();
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) ids.unshift(await record(recordings, n % 2 === 0 ? "even" : "odd"));
    expect((await history.list({})).recordings.map(({ id }) => id)).toEqual(ids);
    const even = await history.list({ room: "even" });
    expect(even.recordings.map(({ id }) => id)).toEqual(ids.filter((_, n) => n % 2 === 0));
    expect(even.next).toBeUndefined();
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await history.list({ limit: 3, after });
      expect(page.recordings.length).toBeLessThanOrEqual(3);
      seen.push(...page.recordings.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual(ids);
    expect((await history.list({ limit: MAX_LISTED * 5 })).recordings).toHaveLength(7);
    expect((await history.list({ after: "rubbish\n" })).recordings).toHaveLength(7);
  });

  it("shows what other bridges record and delete, and what a running recorder has now", async () => {
    const [ours, theirs] = [bridge(), bridge()];
    const recorder = await begin(theirs.recordings);
    await clock.pass(5_000);
    const [seen] = (await ours.history.list({})).recordings;
    expect(seen).toMatchObject({ id: recorder.id, state: "recording" });
    expect((await theirs.history.list({})).recordings[0]).toMatchObject({ durationMs: 5_000 });
    await recorder.close("complete");
    await clock.pass(5_000);
    expect((await ours.history.list({})).recordings[0]).toMatchObject({
      state: "complete",
      durationMs: 5_000,
    });
    await theirs.history.delete(recorder.id);
    await clock.pass(5_000);
    expect((await ours.history.list({})).recordings).toEqual([]);
  });

  it("leaves unreadable records out", async () => {
    const { recordings, history } = bridge();
    const id = await record(recordings);
    for (const [n, text] of ["", "{}", "[", '{"info":{}}'].entries()) {
      await storage.put(`records/${"0".repeat(31)}${n}.json`, new TextEncoder().encode(text), "x");
    }
    await storage.put("records/odd.json", bytesOf(5), "x");
    expect((await history.list({})).recordings.map((info) => info.id)).toEqual([id]);
  });
});

describe("playing", () => {
  it("the playlist grows while it is recorded, and ends with it", async () => {
    const { recordings, app } = bridge();
    const recorder = await begin(recordings);
    const url = `/recordings/${recorder.id}/index.m3u8`;
    const live = await app.request(url);
    expect(live.headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
    expect(live.headers.get("cache-control")).toBe("no-cache");
    const liveText = await live.text();
    expect(liveText).toContain("#EXT-X-PLAYLIST-TYPE:EVENT\n");
    expect(liveText.match(/#EXTINF/g)).toHaveLength(2);
    const [sound] = [madeInit(1, false)];
    recorder.onInit(sound!);
    for (const part of madeParts(sound!, T0 + 5_000_000, 10, 5_000_000)) recorder.onPart(part);
    await settled();
    await recorder.close("complete");
    const text = await (await app.request(url)).text();
    const old = liveText.split("#EXT-X-MEDIA-SEQUENCE:0\n")[1]!;
    expect(text.split("#EXT-X-MEDIA-SEQUENCE:0\n")[1]!.startsWith(old)).toBe(true);
    const init = recorder.index.inits[1]!;
    const { segments } = recorder.index;
    expect(text.split("\n").slice(0, 12)).toEqual([
      "#EXTM3U",
      "#EXT-X-VERSION:7",
      "#EXT-X-TARGETDURATION:4",
      "#EXT-X-PLAYLIST-TYPE:VOD",
      "#EXT-X-INDEPENDENT-SEGMENTS",
      "#EXT-X-MEDIA-SEQUENCE:0",
      `#EXT-X-MAP:URI="media.mp4",BYTERANGE="${recorder.index.inits[0]!.length}@0"`,
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(T0 / 1000).toISOString()}`,
      "#EXTINF:2.00000,",
      `#EXT-X-BYTERANGE:${segments[0]!.length}@${segments[0]!.offset}`,
      "media.mp4",
      "#EXTINF:2.00000,",
    ]);
    expect(text.split("\n").slice(-8)).toEqual([
      "#EXT-X-DISCONTINUITY",
      `#EXT-X-MAP:URI="media.mp4",BYTERANGE="${init.length}@${init.offset}"`,
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(T0 / 1000 + 5_000).toISOString()}`,
      "#EXTINF:2.00000,",
      `#EXT-X-BYTERANGE:${segments[3]!.length}@${segments[3]!.offset}`,
      "media.mp4",
      "#EXT-X-ENDLIST",
      "",
    ]);
  });

  it("media comes in ranges", async () => {
    const { recordings, app } = bridge();
    const id = await record(recordings);
    const media = storage.objects.get(keysOf(id).media)!.bytes;
    const url = `/recordings/${id}/media.mp4`;
    const whole = await app.request(url);
    expect(whole.status).toBe(200);
    expect(new Uint8Array(await whole.arrayBuffer())).toEqual(media);
    expect(whole.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    const etag = whole.headers.get("etag")!;
    const part = await app.request(url, { headers: { range: "bytes=100-199", "if-range": etag } });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-range")).toBe(`bytes 100-199/${media.length}`);
    expect(part.headers.get("content-length")).toBe("100");
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(media.slice(100, 200));
    expect((await app.request(url, { headers: { range: "bytes=0-1", "if-range": '"old"' } })).status).toBe(
      200,
    );
    const beyond = await app.request(url, { headers: { range: `bytes=${media.length}-` } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get("content-range")).toBe(`bytes */${media.length}`);
    expect((await app.request(url, { headers: { "if-none-match": etag } })).status).toBe(304);
    const head = await app.request(url, { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe(String(media.length));
    expect(await head.text()).toBe("");
    const asked = await app.request(url, { method: "OPTIONS" });
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-headers")).toContain("range");
  });

  it("ids that are none lead nowhere", async () => {
    const { app, recordings } = bridge();
    const id = await record(recordings);
    expect(isRecordingId(id)).toBe(true);
    const odd = [...ODD_KEYS, id.toUpperCase(), `${id}0`, "../records", "%2e%2e%2frecords", "0".repeat(32)];
    for (const name of odd) {
      for (const file of ["index.m3u8", "media.mp4", "download", "poster.jpg", ""]) {
        const path = `/recordings/${encodeURIComponent(name)}/${file}`.replace(/\/$/, "");
        expect([400, 404]).toContain((await app.request(path)).status);
      }
      const gone = await app.request(`/recordings/${encodeURIComponent(name)}`, { method: "DELETE" });
      expect([400, 404]).toContain(gone.status);
    }
    expect((await app.request(`/recordings/${id}`)).status).toBe(200);
  });

  it("says when the storage fails", async () => {
    const { recordings, app } = bridge();
    const id = await record(recordings);
    storage.fault = () => {
      throw new StorageError("The disk is full: free some space.", true);
    };
    const answer = await app.request(`/recordings/${id}`, { method: "DELETE" });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ detail: "The disk is full: free some space." });
  });
});

describe("a download", () => {
  it("is one file with one init segment, whole duration and index, and any range of it can be had", async () => {
    const { recordings, app } = bridge();
    const recorder = await recordings.open({ jobId: "job-formats", room: "Büro:1", participants: () => [] });
    // Its writer has been at it for a while.
    let mediaUs = 90_000_000;
    for (const [index, picture] of [false, true, false, true].entries()) {
      const init = madeInit(index, picture, index);
      recorder.onInit(init);
      for (const part of madeParts(init, T0 + mediaUs, 10, mediaUs)) recorder.onPart(part);
      mediaUs += 2_000_000;
    }
    await settled();
    await recorder.close("complete");
    const url = `/recordings/${recorder.id}/download`;
    const answer = await app.request(url);
    expect(answer.headers.get("content-disposition")).toBe(
      `attachment; filename="B_ro-1 2027-01-15 08-00.mp4"; filename*=UTF-8''B%C3%BCro-1%202027-01-15%2008-00.mp4`,
    );
    const bytes = new Uint8Array(await answer.arrayBuffer());
    expect(answer.headers.get("content-length")).toBe(String(bytes.length));
    const boxes = boxesOf(bytes);
    const kinds = boxes.map(({ type }) => type);
    expect(kinds.slice(0, 6)).toEqual(["ftyp", "moov", "sidx", "uuid", "moof", "mdat"]);
    expect(kinds.filter((type) => type === "moof")).toHaveLength(40);
    const times = boxes
      .filter(({ type }) => type === "moof")
      .map(({ start, end }) => decodeTimesOf(bytes.slice(start, end))[0]!.ticks / 48);
    expect(times).toEqual(times.map((_, n) => n * 200));
    expect(kinds.filter((type) => type === "moov")).toHaveLength(1);
    // The one in front is the first with a picture; its mehd says 8 s in its timescale of 1000.
    const moov = boxesOf(bytes, boxes[1]!.body, boxes[1]!.end);
    expect(moov.map(({ type }) => type)).toEqual(["mvhd", "trak", "trak", "mvex"]);
    const [mehd] = boxesOf(bytes, moov[3]!.body, moov[3]!.end);
    expect([mehd?.type, Number(viewOf(bytes).getBigUint64(mehd!.body + 4))]).toEqual(["mehd", 8_000]);
    // Of the sound, since the recording begins without a picture.
    const sidx = boxes[2]!.start;
    expect([viewOf(bytes).getUint32(sidx + 12), viewOf(bytes).getUint32(sidx + 16)]).toEqual([1, 48_000]);
    expect(viewOf(bytes).getUint16(sidx + 38)).toBe(4);
    let at = boxes[2]!.end;
    for (let n = 0; n < 4; n++) {
      expect(boxes.find(({ start }) => start === at)?.type).toBe("uuid");
      expect(viewOf(bytes).getUint32(sidx + 44 + 12 * n)).toBe(96_000);
      at += viewOf(bytes).getUint32(sidx + 40 + 12 * n);
    }
    expect(at).toBe(bytes.length);
    for (const [from, length] of [
      [0, 1],
      [boxes[1]!.end - 5, 700],
      [boxes[2]!.end - 1, 30_000],
      [bytes.length - 3, 3],
    ] as const) {
      const part = await app.request(url, { headers: { range: `bytes=${from}-${from + length - 1}` } });
      expect(new Uint8Array(await part.arrayBuffer())).toEqual(bytes.slice(from, from + length));
    }
    const { formats } = await (await app.request(`/recordings/${recorder.id}`)).json();
    expect(formats.map((format: { durationMs: number }) => format.durationMs)).toEqual([
      2_000, 2_000, 2_000, 2_000,
    ]);
    const third = await app.request(`/${formats[2].downloadPath}`);
    const own = boxesOf(new Uint8Array(await third.arrayBuffer()));
    expect(own.filter(({ type }) => type === "moof")).toHaveLength(10);
    for (const format of ["9", "-1", "x", "1e3", ""]) {
      expect((await app.request(`${url}?format=${format}`)).status).toBe(404);
    }
  });
});

describe("deleting", () => {
  it("is for whoever may, ends what runs and leaves nothing", async () => {
    const { recordings, app } = bridge();
    const recorder = await begin(recordings);
    allowed = false;
    expect((await app.request(`/recordings/${recorder.id}`, { method: "DELETE" })).status).toBe(403);
    expect((await app.request("/recordings")).status).toBe(403);
    allowed = true;
    expect((await app.request("/recordings?limit=0")).status).toBe(400);
    expect((await app.request(`/recordings/${recorder.id}`, { method: "DELETE" })).status).toBe(204);
    expect(recordings.running).toEqual([]);
    expect([...storage.objects.keys()]).toEqual([]);
    expect((await app.request(`/recordings/${recorder.id}/index.m3u8`)).status).toBe(404);
  });

  it("retention deletes what is too old, oldest first, and tries again what failed", async () => {
    const { recordings, history, retention } = bridge();
    const old = [await record(recordings), await record(recordings)];
    await clock.pass(5 * DAY_MS);
    const young = await record(recordings);
    await clock.pass(3 * DAY_MS);
    const keeper = retention({ maxDays: 7 });
    storage.fault = (doing, key) => {
      if (doing === "delete" && key.includes(old[1]!)) throw new StorageError("no", true);
    };
    await keeper.run();
    expect(keeper.deleted).toMatchObject({ age: 1, size: 0, failed: 1 });
    storage.fault = () => undefined;
    keeper.start();
    await clock.pass(1_000);
    expect(keeper.deleted).toMatchObject({ age: 2, failed: 1 });
    expect((await history.list({})).recordings.map(({ id }) => id)).toEqual([young]);
    await clock.pass(5 * DAY_MS);
    expect((await history.list({})).recordings).toEqual([]);
    keeper.stop();
  });

  it("retention deletes what is too much, oldest first, and never what runs", async () => {
    const { recordings, history, retention } = bridge();
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await record(recordings));
    const running = await begin(recordings);
    const bytes = (await history.info(ids[0]!))!.bytes;
    const keeper = retention({ maxBytes: 2.5 * bytes });
    await keeper.run();
    expect(keeper.deleted).toEqual({ age: 0, size: 3, bytes: 3 * bytes, failed: 0 });
    expect((await history.list({})).recordings.map(({ id }) => id)).toEqual([running.id, ids[4], ids[3]]);
    await retention({ maxBytes: 0 }).run();
    expect((await history.list({})).recordings.map(({ id }) => id)).toEqual([running.id]);
  });
});
