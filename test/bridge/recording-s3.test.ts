/** Storage and recordings on a real S3 server (s3rver), over sockets that are cut, slow, or lead nowhere for a while. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaPartSink } from "../../bridge/fmp4/media-part.ts";
import { FileStorage } from "../../bridge/node/file-storage.ts";
import { Catalogue } from "../../bridge/recording/catalogue.ts";
import { History } from "../../bridge/recording/history.ts";
import { historyRoutes } from "../../bridge/recording/history-routes.ts";
import { Recordings } from "../../bridge/recording/recordings.ts";
import { S3Storage } from "../../bridge/storage/s3-storage.ts";
import { readAll, storageContract } from "../../bridge/storage/storage.contract.ts";
import { StorageError, type StoredObject } from "../../bridge/storage/storage.ts";
import type { RecordingInfo } from "../../core/wire/bridge-jobs.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { wallClock } from "../sim/wall-clock.ts";
import {
  type FaultyProxy,
  S3RVER,
  type S3Server,
  startFaultyProxy,
  startS3Server,
} from "./cut-connections.ts";
import { cutClip, type MediaClip } from "./media-clip.ts";

let folder = "";
let server: S3Server;
let proxy: FaultyProxy;
const opened: S3Storage[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "recording-s3-"));
  server = await startS3Server();
  proxy = await startFaultyProxy(server.port, seededRandom(42));
});
afterAll(async () => {
  for (const storage of opened) storage.close();
  await proxy.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const problems: string[] = [];
const PART_BYTES = 100_000;

async function open(spool: string, port: number): Promise<S3Storage> {
  const storage = await S3Storage.open({
    endpoint: `http://127.0.0.1:${port}`,
    bucket: "bucket",
    region: "us-east-1",
    credentials: () => S3RVER,
    pathStyle: true,
    send: fetch,
    // Back-offs of a tenth, so that the test is over sooner.
    clock: { nowUs: wallClock.nowUs, after: (ms, task) => wallClock.after(ms / 10, task) },
    random: Math.random,
    spool: new FileStorage({ root: join(folder, spool), syncMs: 1_000 }),
    partBytes: PART_BYTES,
    onProblem: (error) => problems.push(error?.message ?? "well again"),
  });
  opened.push(storage);
  return storage;
}

function shelf(storage: S3Storage) {
  const log = (): void => undefined;
  const parts = { storage, clock: wallClock, log };
  const catalogue = new Catalogue(parts);
  const recordings = new Recordings({ ...parts, catalogue, random: Math.random, bridgeId: "one" });
  const history = new History({ storage, catalogue, recordings });
  const app = historyRoutes({ history, storage, log, authorise: async () => true });
  return { recordings, app };
}

function makeClip(): MediaClip {
  const path = join(folder, "clip.mp4");
  const args =
    "-v error -y -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine=440:sample_rate=48000 -t 16";
  const coding =
    "-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 50 -sc_threshold 0 -c:a aac";
  const cutting = "-frag_duration 200000 -movflags empty_moov+default_base_moof+cmaf";
  execFileSync("ffmpeg", [...`${args} ${coding} ${cutting}`.split(" "), path]);
  return cutClip(execFileSync("cat", [path], { maxBuffer: 1e8 }), 1_800_000_000_000_000);
}

async function feed(recorder: MediaPartSink, clip: MediaClip, from: number, to: number): Promise<void> {
  recorder.onInit(clip.init);
  for (const part of clip.parts.slice(from, to)) {
    recorder.onPart(part);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** S3 refuses to be asked for what is new while nobody gets through: a bridge tries its jobs again, and so do we. */
async function again<T>(task: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof StorageError && error.temporary) || tries > 50) throw error;
    }
  }
}

/** s3rver lists what lies in a folder before what stands beside it; S3 itself, and the contract, go by the bytes of keys. */
function inOrder(storage: S3Storage): S3Storage {
  const list = storage.list.bind(storage);
  return Object.assign(storage, {
    async *list(prefix: string) {
      const objects: StoredObject[] = [];
      for await (const object of list(prefix)) objects.push(object);
      yield* objects.sort((a, b) => (a.key < b.key ? -1 : 1));
    },
  });
}

describe("the storage contract on s3rver", () => {
  for (const [at, { name, run }] of storageContract.entries()) {
    it(name, async () => {
      let storage = inOrder(await open(`contract-${at}`, server.port));
      for await (const { key } of storage.list("")) await storage.delete(key);
      const afterCrash = async (): Promise<S3Storage> => {
        storage.close();
        storage = inOrder(await open(`contract-${at}`, server.port));
        return storage;
      };
      await run({ storage, afterCrash });
      storage.close();
    });
  }
});

describe("a recording on s3rver behind a faulty network", () => {
  it("loses nothing to cut connections, an outage, a crash in it, and slowness", async () => {
    const clip = makeClip();
    const second = clip.parts.findIndex((part, at) => at >= clip.parts.length / 2 && part.segmentStart);
    proxy.lifeBytes = 300_000;
    const first = await open("spool", proxy.port);
    const request = { jobId: "job-on-s3", room: "standup", participants: () => [] };
    const recorder = await again(() => shelf(first).recordings.open(request));
    await feed(recorder, clip, 0, 20);
    proxy.isDown = true;
    await feed(recorder, clip, 20, second);
    await expect.poll(() => recorder.status.queuedBytes, { timeout: 10_000 }).toBe(0);
    const { bytes } = recorder.index;
    expect(recorder.status).toMatchObject({ state: "recording", lost: {} });
    // The process is gone; the next one finds S3 still away, and gets through some time later.
    first.close();
    const next = await open("spool", proxy.port);
    setTimeout(() => {
      proxy.isDown = false;
      proxy.holdMs = 5;
    }, 300);
    const { recordings, app } = shelf(next);
    const going = await again(() => recordings.open(request));
    expect(going.id).toBe(recorder.id);
    expect(going.index.bytes).toBe(bytes);
    await feed(going, clip, second, second + 1);
    // One participant has a file of its own from here on.
    await expect.poll(() => going.hasBegun).toBe(true);
    const own = await going.beginFile({ identity: "ann", name: "Ann" });
    if (typeof own === "string") throw new Error(own);
    await Promise.all([going, own.sink].map((sink) => feed(sink, clip, second + 1, clip.parts.length)));
    const info = await going.close("complete");
    expect(info.state).toBe("complete");
    await expect.poll(() => next.pending.objects, { timeout: 40_000 }).toBe(0);
    expect(proxy.cuts).toBeGreaterThan(3);

    const key = `recordings/${info.id}/media.mp4`;
    // Past the proxy, as somebody with nothing but the bucket sees it.
    const stored = await readAll(await open("reader", server.port), key);
    expect(stored?.length).toBe(going.index.bytes);
    const [alone] = info.files;
    expect(alone).toMatchObject({ identity: "ann", startMs: 10_000, durationMs: 6_000 });
    const storedAlone = await readAll(await open("reader-2", server.port), alone!.downloadPath);
    expect(storedAlone?.length).toBe(alone!.bytes);
    const answer = await again(async () => app.request(`/recordings/${info.id}/download`));
    const path = join(folder, "download.mp4");
    await writeFile(path, new Uint8Array(await answer.arrayBuffer()));
    expect((await readFile(path)).length).toBe(Number(answer.headers.get("content-length")));
    const count = ["-v", "error", "-count_frames", "-select_streams", "v", "-show_entries"];
    const frames = Number(
      execFileSync("ffprobe", [...count, "stream=nb_read_frames", "-of", "csv=p=0", path], {
        encoding: "utf8",
      }),
    );
    expect(frames).toBe(16 * 25);
    console.info(
      `${proxy.cuts} connections cut, ${problems.length} changes of state; ${stored?.length} bytes, ${frames} pictures of ${16 * 25}`,
    );
  });

  it("begins while nobody gets through, says so, is gone on with after a crash, and is there afterwards", async () => {
    const clip = makeClip();
    proxy.isDown = true;
    proxy.lifeBytes = Number.POSITIVE_INFINITY;
    const request = { jobId: "job-in-outage", room: "standup", participants: () => [] };
    const first = await open("outage-spool", proxy.port);
    const recorder = await shelf(first).recordings.open(request);
    await feed(recorder, clip, 0, 20);
    const own = await recorder.beginFile({ identity: "ann", name: "Ann" });
    if (typeof own === "string") throw new Error(own);
    await feed(own.sink, clip, 10, 20);
    await expect.poll(() => recorder.index.durationUs).toBe(4_000_000);
    expect(recorder.status).toMatchObject({ state: "recording", lost: {} });
    expect(recorder.status.message).toMatch(/cannot be reached.*safe on this machine, and is sent when/);
    first.close();
    // The next process finds it in the spool, and S3 still away.
    const next = await open("outage-spool", proxy.port);
    const { recordings } = shelf(next);
    const going = await recordings.open(request);
    expect(going.id).toBe(recorder.id);
    await feed(going, clip, 20, 40);
    proxy.isDown = false;
    const info = await going.close("complete");
    expect(info).toMatchObject({ state: "complete", durationMs: 8_000 });
    await expect.poll(() => next.pending.objects, { timeout: 40_000 }).toBe(0);
    const reader = shelf(await open("outage-reader", server.port));
    const listed = await reader.app.request("/recordings");
    const { recordings: seen } = (await listed.json()) as { recordings: RecordingInfo[] };
    expect(seen.find(({ id }) => id === info.id)).toMatchObject({
      state: "complete",
      durationMs: 8_000,
      files: [{ identity: "ann", startMs: 2_000, durationMs: 2_000 }],
    });
    const answer = await reader.app.request(`/recordings/${info.id}/download`);
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get("content-length"))).toBeGreaterThan(going.index.bytes * 0.9);
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(going.index.bytes * 0.9);
  });
});
