/** A whole bridge on a real relay: jobs in the directory become HLS, MP3, a recording and RTMP, and what comes out is what was said and shown. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bridge, type BridgeOptions } from "../../bridge/bridge.ts";
import { ffmpegPictureCodecs } from "../../bridge/node/ffmpeg-picture-codecs.ts";
import { ffmpegPoster } from "../../bridge/node/ffmpeg-poster.ts";
import { openFfmpegSoundDecoder } from "../../bridge/node/ffmpeg-sound-decoder.ts";
import { FileStorage } from "../../bridge/node/file-storage.ts";
import { connectTcp } from "../../bridge/node/tcp.ts";
import { TargetGuard } from "../../bridge/rtmp-out/target-address.ts";
import { openAacEncoder } from "../../bridge/sound/aac-encoder.ts";
import { openOpusDecoder } from "../../bridge/sound/opus-decoder.ts";
import { MemoryBridges } from "../../core/directory/memory-bridges.ts";
import type { OutputSpec } from "../../core/wire/bridge-jobs.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import { clipPictures, toneShare } from "./played-clip.ts";
import { play } from "./played-participant.deno.ts";
import { openRoomStage } from "./room-stage.deno.ts";

const ROOM = "studio";
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("two people in a room go out as HLS, MP3 and a recording", async () => {
  const stage = await openRoomStage();
  const folder = mkdtempSync(join(tmpdir(), "bridge-"));
  const directory = new MemoryBridges(systemClock);
  let port = 0;
  const publicUrl = "http://bridge.test";
  const problems: string[] = [];
  const options: BridgeOptions = {
    record: {
      id: "bridge-1",
      region: "test",
      version: "test",
      capacity: 10,
      publicUrl,
      rtmpUrl: "",
      rtmpsUrl: "",
      icecastUrl: "",
      operationsUrl: "",
    },
    directory,
    access: stage.access,
    openOpus: () => openOpusDecoder((error) => problems.push(String(error))),
    openAac: openAacEncoder,
    openDecoder: openFfmpegSoundDecoder,
    pictureCodecs: ffmpegPictureCodecs(),
    storage: new FileStorage({ root: folder }),
    makePoster: ffmpegPoster(),
    keys: stage.keys,
    dial: ({ address, port, timeoutMs }) => connectTcp({ host: address, port, timeoutMs }),
    guard: new TargetGuard(async () => []),
    log: (level, message, fields) => {
      if (level !== "info") problems.push(`${message} ${JSON.stringify(fields ?? {})}`);
    },
  };
  let bridge = new Bridge(options);
  bridge.start();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: (at) => (port = at.port) },
    (request) => bridge.routes.fetch(request),
  );
  const leave = [await play(stage, "ann", 440, clipPictures(4)), await play(stage, "bob", 1_000)];
  const spec = { gainsDb: {}, picture: { mode: "speaker" as const } };
  const jobs: OutputSpec[] = [
    { ...spec, type: "hls", opus: true },
    { type: "mp3", gainsDb: {}, bitrateKbps: 128 },
    { ...spec, type: "recording", participants: false },
  ];
  for (const job of jobs)
    await directory.putJob({
      kind: "output",
      id: `job-${job.type}-1`,
      room: ROOM,
      createdAt: new Date().toISOString(),
      spec: job,
    });
  await pause(9_000);
  const views = await directory.jobs();
  const base = `http://127.0.0.1:${port}`;
  const hls = await probe(`${base}/hls/${ROOM}/index.m3u8`);
  const opus = await probe(`${base}/hls/${ROOM}/opus.m3u8`);
  const mp3 = await samplesOf(`${base}/listen/${ROOM}.mp3`, 2);
  const speaking = new Set<string>();
  // Where this machine is busy somebody seems to pause.
  for (let look = 0; look < 50 && speaking.size < 2; look++) {
    const heard = await (await fetch(`${base}/listen/${ROOM}.json`)).json();
    for (const name of heard.speaking) speaking.add(name);
    await pause(100);
  }
  const { outputs, counts } = bridge.figures;
  for (const id of jobs.map(({ type }) => `job-${type}-1`)) await directory.deleteJob(id);
  await pause(1_500);
  const ended = await (await fetch(`${base}/hls/${ROOM}/main.m3u8`)).text();
  const behind = await probe(`${base}/hls/${ROOM}/index.m3u8`);
  await bridge.close();
  const countsAfter = bridge.figures.counts;
  bridge = new Bridge(options);
  bridge.start();
  await pause(500);
  const vod = await (await fetch(`${base}/hls/${ROOM}/index.m3u8`)).text();
  const afterwards = await probe(`${base}/hls/${ROOM}/index.m3u8`);
  await bridge.close();
  await Promise.all(leave.map((end) => end()));
  await server.shutdown();
  await stage.close();

  check(problems.length === 0, `nothing went wrong: ${problems.join(" / ")}`);
  for (const { job, status } of views)
    check(status?.state === "running", `${job.id} runs: ${JSON.stringify(status)}`);
  check(
    outputs
      .map(({ type, report }) => `${type} ${report.state}`)
      .sort()
      .join() === "hls running,mp3 running,recording running",
    "its figures name three outputs that run",
  );
  for (const name of ["bytes-out/hls", "bytes-out/mp3", "recorded/bytes"] as const) {
    check(counts.get(name)! > 1_000, `${name} is counted: ${counts.get(name)}`);
    check(countsAfter.get(name)! >= counts.get(name)!, `${name} goes on to count what is over`);
  }
  check(hls.includes("h264") && hls.includes("aac"), `HLS has a picture and sound: ${hls}`);
  checkTones(mp3);
  check(/#EXT-X-ENDLIST\n$/.test(ended), `the live playlist has an end: ${ended}`);
  check(speaking.has("ann") && speaking.has("bob"), `it is known who speaks: ${[...speaking]}`);
  check(opus.includes(`"opus"`), `HLS has a rendition with Opus: ${opus}`);
  check(behind.includes("h264"), `who is behind finishes: ${behind}`);
  const isWhole = vod.includes("#EXT-X-PLAYLIST-TYPE:VOD") && vod.includes(`URI="../../recordings/`);
  check(isWhole, `the recording takes its place after a restart: ${vod}`);
  const lengthS = Number(/"duration": "([\d.]+)"/.exec(afterwards)?.[1]);
  check(afterwards.includes("h264") && lengthS > 4, `it can be played: ${afterwards}`);
  const recorded = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((name) =>
    name.endsWith(".mp4"),
  );
  check(recorded !== undefined, "there is a recording");
  const file = join(folder, recorded!);
  const streams = await probe(file);
  check(
    streams.includes("h264") && streams.includes("aac"),
    `the recording has a picture and sound: ${streams}`,
  );
  checkTones(await samplesOf(file, 2));
  rmSync(folder, { recursive: true });
});

async function run(
  program: string,
  args: string[],
): Promise<{ stdout: Uint8Array<ArrayBuffer>; stderr: string }> {
  const signal = AbortSignal.timeout(30_000);
  const { stdout, stderr } = await new Deno.Command(program, { args, signal, stdin: "null" }).output();
  return { stdout, stderr: new TextDecoder().decode(stderr) };
}

async function probe(url: string): Promise<string> {
  const show = "stream=codec_name,width,height:format=duration";
  const { stdout, stderr } = await run("ffprobe", ["-v", "error", "-show_entries", show, "-of", "json", url]);
  return `${new TextDecoder().decode(stdout)}${stderr}`.replaceAll(/\s+/g, " ");
}

/** Left channel of some seconds behind the first. */
async function samplesOf(url: string, seconds: number): Promise<Float32Array> {
  const take = ["-ss", "1", "-t", String(seconds), "-vn", "-f", "f32le", "-ac", "1", "-ar", "48000", "-"];
  const { stdout } = await run("ffmpeg", ["-v", "error", "-i", url, ...take]);
  return new Float32Array(stdout.slice().buffer);
}

function checkTones(samples: Float32Array): void {
  check(samples.length > 48_000, `${samples.length} samples`);
  for (const hz of [440, 1_000]) {
    const share = toneShare(samples, hz);
    check(share > 0.35, `${hz} Hz has ${share.toFixed(3)} of the power`);
  }
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`);
}
