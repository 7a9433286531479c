/** What a programme's writer of parts gives, recorded by two recorders one after the other, and played by hls.js in Chromium: whole, sought in, and beside live HLS. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openProgrammeParts } from "../../bridge/fmp4/programme-to-parts.ts";
import { FileStorage } from "../../bridge/node/file-storage.ts";
import { Catalogue } from "../../bridge/recording/catalogue.ts";
import { History } from "../../bridge/recording/history.ts";
import { historyRoutes } from "../../bridge/recording/history-routes.ts";
import { Recordings } from "../../bridge/recording/recordings.ts";
import { openAacEncoder } from "../../bridge/sound/aac-encoder.ts";
import type { Clock } from "../../core/clock.ts";
import { wallClock } from "../sim/wall-clock.ts";
import { CODED_FILTER, CODED_SOURCE, hlsScript, openPlayer, playerPage } from "./hls-player.ts";
import { LiveSource } from "./live-source.ts";
import { testPictures } from "./test-pictures.ts";

const FPS = 30;
const CLIP_SECONDS = 20;
const RUN_MS = 5_000;
let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "vod-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A bridge whose time can be stopped, as a kill does. */
function bridge() {
  let isAlive = true;
  const clock: Clock = {
    nowUs: () => wallClock.nowUs(),
    after: (delayMs, task) => wallClock.after(delayMs, () => isAlive && task()),
  };
  const storage = new FileStorage({ root });
  const log = (): void => undefined;
  const catalogue = new Catalogue({ storage, clock, log });
  const recordings = new Recordings({ storage, catalogue, clock, random: Math.random, log, bridgeId: "b1" });
  const history = new History({ storage, catalogue, recordings });
  const kill = (): void => {
    isAlive = false;
  };
  return { storage, recordings, history, kill, log };
}
type Bridge = ReturnType<typeof bridge>;

async function record({ recordings }: Bridge, pictures: ReturnType<typeof testPictures>) {
  const source = new LiveSource(pictures, CLIP_SECONDS * 1e6);
  const parts = await openProgrammeParts({
    programme: source.programme,
    openEncoder: openAacEncoder,
    codec: "mp4a.40.2",
    bitrateBps: 96_000,
    withoutPicture: "black",
    onProblem: (error) => {
      throw error;
    },
  });
  source.start();
  const recorder = await recordings.open({ jobId: "job-00001", room: "standup", participants: () => [] });
  const leave = parts.add(recorder);
  await pause(RUN_MS);
  leave();
  source.stop();
  await parts.close();
  return recorder;
}

async function serveHistory({ history, storage, log }: Bridge) {
  const app = new Hono();
  app.route("/", historyRoutes({ history, storage, log, authorise: async () => true }));
  app.get("/hls.js", () => new Response(hlsScript(), { headers: { "content-type": "text/javascript" } }));
  app.get("/", (c) => c.html(playerPage()));
  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

it("hls.js plays and seeks in a recording that two processes have made", { timeout: 90_000 }, async () => {
  const pictures = testPictures({
    seconds: CLIP_SECONDS,
    fps: FPS,
    source: CODED_SOURCE,
    filter: CODED_FILTER,
  });
  const first = bridge();
  const killed = await record(first, pictures);
  first.kill();
  const second = bridge();
  const recorder = await record(second, pictures);
  expect(recorder.id).toBe(killed.id);
  const info = await recorder.close("complete");
  expect(info.durationMs).toBeGreaterThan(2 * (RUN_MS - 1_500));
  expect(recorder.status.lost).toEqual({});
  const { server, origin } = await serveHistory(second);
  const download = join(root, "download.mp4");
  const body = await (await fetch(`${origin}/recordings/${info.id}/download`)).arrayBuffer();
  await writeFile(download, new Uint8Array(body));
  const probe = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", download];
  expect(
    Math.abs(Number(execFileSync("ffprobe", probe, { encoding: "utf8" })) - info.durationMs / 1000),
  ).toBeLessThan(0.3);
  const said = execFileSync("sh", ["-c", `ffmpeg -v error -i '${download}' -f null - 2>&1`], {
    encoding: "utf8",
  });
  expect(said).toBe("");

  const player = await openPlayer(`${origin}/?src=/recordings/${info.id}/index.m3u8`);
  try {
    const ended = () =>
      player.page.evaluate(() => (document.querySelector("video") as HTMLVideoElement).ended);
    for (let i = 0; i < 200 && !(await ended()); i++) await pause(200);
    expect(await ended()).toBe(true);
    const { samples, stalls, errors } = await player.state();
    expect(errors).toEqual([]);
    expect(stalls).toBe(0);
    const mediaS = samples.at(-1)!.mediaTime - samples[0]!.mediaTime;
    expect(mediaS).toBeGreaterThan(info.durationMs / 1000 - 1.5);
    // Each run shows its pictures in order; the second one begins anew.
    const falls = samples.filter(({ number }, at) => at > 0 && number < samples[at - 1]!.number);
    expect(falls).toHaveLength(1);
    const sought = await player.page.evaluate(async () => {
      const video = document.querySelector("video") as HTMLVideoElement;
      video.pause();
      video.currentTime = 1;
      await new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
      return video.currentTime;
    });
    expect(sought).toBeCloseTo(1, 1);
    console.info(`played ${mediaS.toFixed(1)} s of ${info.durationMs / 1000} s, ${stalls} stalls`);
  } finally {
    await player.close();
    server.close();
  }
});
