/** A recording in two picture formats, as hls.js in Chromium plays it: while it still grows, afterwards, and as the file that is taken along. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServerType, serve } from "@hono/node-server";
import { Hono } from "hono";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FileStorage } from "../../bridge/node/file-storage.ts";
import { Catalogue } from "../../bridge/recording/catalogue.ts";
import { History } from "../../bridge/recording/history.ts";
import { historyRoutes } from "../../bridge/recording/history-routes.ts";
import type { Recorder } from "../../bridge/recording/recorder.ts";
import { Recordings } from "../../bridge/recording/recordings.ts";
import { wallClock } from "../sim/wall-clock.ts";
import { hlsScript, openPlayer, playerPage } from "./hls-player.ts";
import { cutClip } from "./media-clip.ts";

const CLIP_S = 8;
let folder = "";
let server: ServerType;
let base = "";
let recorder: Recorder;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "recording-player-"));
  const storage = new FileStorage({ root: join(folder, "store") });
  const log = (): void => undefined;
  const parts = { storage, clock: wallClock, log };
  const catalogue = new Catalogue(parts);
  const recordings = new Recordings({ ...parts, catalogue, random: Math.random, bridgeId: "one" });
  const history = new History({ storage, catalogue, recordings });
  const app = new Hono();
  app.route("/", historyRoutes({ history, storage, log, authorise: async () => true }));
  app.get("/player", (c) => c.html(playerPage()));
  app.get("/hls.js", (c) => c.body(hlsScript(), 200, { "content-type": "text/javascript" }));
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, () => resolve());
  });
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  recorder = await recordings.open({ jobId: "job-to-play", room: "standup", participants: () => [] });
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

async function record(size: string, format: number): Promise<void> {
  const path = join(folder, `${size}.mp4`);
  const source = `-v error -y -f lavfi -i testsrc2=size=${size}:rate=25 -f lavfi -i sine=440:sample_rate=48000`;
  const coding =
    "-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 50 -sc_threshold 0 -x264-params repeat-headers=1 -c:a aac";
  const cutting = `-t ${CLIP_S} -frag_duration 200000 -movflags empty_moov+default_base_moof+cmaf`;
  execFileSync("ffmpeg", [...`${source} ${coding} ${cutting}`.split(" "), path]);
  const beginsUs = 1_800_000_000_000_000 + format * CLIP_S * 1_000_000;
  const clip = cutClip(new Uint8Array(await readFile(path)), beginsUs, format);
  recorder.onInit(clip.init);
  for (const part of clip.parts) recorder.onPart(part);
  await expect.poll(() => recorder.status.queuedBytes).toBe(0);
}

/** What the <video> of a page says. */
const videoOf = () => {
  const video = document.querySelector("video")!;
  const { currentTime, duration, ended, videoWidth, seekable } = video;
  const from = seekable.length === 0 ? Number.NaN : seekable.start(0);
  return { currentTime, duration, ended, videoWidth, from, error: video.error?.message };
};
const play = (rate: number) => {
  const video = document.querySelector("video")!;
  video.playbackRate = rate;
  return video.play();
};
const seek = (seconds: number) => {
  document.querySelector("video")!.currentTime = seconds;
};

it("is sought back in while it grows, and played to the end through another format afterwards", async () => {
  await record("320x180", 0);
  const url = `${base}/player?src=${encodeURIComponent(`/recordings/${recorder.id}/index.m3u8`)}`;
  const live = await openPlayer(url);
  const liveVideo = () => live.page.evaluate(videoOf);
  await expect.poll(async () => (await liveVideo()).currentTime, { timeout: 15_000 }).toBeGreaterThan(0.5);
  await live.page.evaluate(seek, 0.2);
  await expect.poll(async () => (await liveVideo()).currentTime, { timeout: 15_000 }).toBeGreaterThan(0.8);
  expect(await liveVideo()).toMatchObject({ from: 0, ended: false, videoWidth: 320 });
  expect((await live.state()).errors).toEqual([]);
  await live.close();

  await record("640x360", 1);
  const info = await recorder.close("complete");
  expect(Math.abs(info.durationMs - CLIP_S * 2_000)).toBeLessThan(300);
  const later = await openPlayer(url);
  const laterVideo = () => later.page.evaluate(videoOf);
  await expect.poll(async () => (await laterVideo()).currentTime, { timeout: 15_000 }).toBeGreaterThan(0.2);
  await later.page.evaluate(play, 4);
  await expect.poll(async () => (await laterVideo()).ended, { timeout: 25_000 }).toBe(true);
  const { errors, sizes } = await later.state();
  const end = await laterVideo();
  expect(errors).toEqual([]);
  expect(sizes).toEqual(["320x180", "640x360"]);
  expect(Math.abs(end.duration - info.durationMs / 1000)).toBeLessThan(0.3);
  await later.page.evaluate(seek, 1);
  await later.page.evaluate(play, 1);
  await expect.poll(async () => (await laterVideo()).videoWidth, { timeout: 15_000 }).toBe(320);
  console.info(
    `hls.js played ${end.currentTime.toFixed(2)} of ${end.duration.toFixed(2)} s: ${sizes.join(", ")}`,
  );

  await later.page.evaluate((path) => {
    (window as unknown as { hls: { destroy(): void } }).hls.destroy();
    const video = document.querySelector("video")!;
    video.src = path;
    video.playbackRate = 4;
    return video.play();
  }, `/recordings/${recorder.id}/download`);
  await expect.poll(async () => (await laterVideo()).ended, { timeout: 25_000 }).toBe(true);
  const file = await laterVideo();
  expect(file.error).toBeUndefined();
  expect(Math.abs(file.duration - info.durationMs / 1000)).toBeLessThan(0.3);
  console.info(`the downloaded file: ${file.currentTime.toFixed(2)} of ${file.duration.toFixed(2)} s`);
  await later.close();
});
