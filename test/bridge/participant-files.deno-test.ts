/** A file for each participant of a room: a whole bridge on a real relay records people who come, mute, leave and come back; ffmpeg says what is in the files. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpegPictureCodecs } from "../../bridge/node/ffmpeg-picture-codecs.ts";
import { FileStorage } from "../../bridge/node/file-storage.ts";
import { recordingOutput } from "../../bridge/outputs/recording.ts";
import { SharedParts } from "../../bridge/outputs/shared-parts.ts";
import { Programmes } from "../../bridge/programme/programmes.ts";
import { RunningCounts } from "../../bridge/running-counts.ts";
import { Catalogue } from "../../bridge/recording/catalogue.ts";
import { History } from "../../bridge/recording/history.ts";
import { historyRoutes } from "../../bridge/recording/history-routes.ts";
import { Recordings } from "../../bridge/recording/recordings.ts";
import { openAacEncoder } from "../../bridge/sound/aac-encoder.ts";
import { openOpusDecoder } from "../../bridge/sound/opus-decoder.ts";
import type { RecordingInfo } from "../../core/wire/bridge-jobs.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import { clipPictures, toneShare } from "./played-clip.ts";
import { play } from "./played-participant.deno.ts";
import { openRoomStage, type RoomStage } from "./room-stage.deno.ts";
import { toneLevel } from "./tones.ts";

const PART_MS = 235;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function shelf(stage: RoomStage, folder: string, bridgeId: string) {
  const problems: string[] = [];
  const log = (level: string, message: string, fields?: object): void => {
    if (level !== "info") problems.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  const clock = systemClock;
  const storage = new FileStorage({ root: folder });
  const catalogue = new Catalogue({ storage, clock, log });
  const recordings = new Recordings({ storage, catalogue, clock, random: Math.random, log, bridgeId });
  const history = new History({ storage, catalogue, recordings });
  const routes = historyRoutes({ history, storage, log, authorise: async () => true });
  const programmes = new Programmes({
    bridgeId,
    access: stage.access,
    openDecoder: () => openOpusDecoder((error) => problems.push(String(error))),
    codecs: ffmpegPictureCodecs(),
    counts: new RunningCounts(),
    log: () => undefined,
  });
  const parts = new SharedParts({ openAac: openAacEncoder, log: (line) => problems.push(line) });
  const open = recordingOutput({ parts, recordings, clock, publicUrl: "http://bridge.test", log });
  const record = async () => {
    const spec = { picture: { mode: "speaker" as const }, gainsDb: {} };
    const held = await programmes.hold("studio", spec);
    const job = {
      kind: "output" as const,
      id: "job-recording-1",
      room: "studio",
      createdAt: new Date().toISOString(),
      spec: { ...spec, type: "recording" as const, participants: true },
    };
    const output = await open(job, held.programme, (message) => problems.push(message));
    return async (goesOn: boolean): Promise<void> => {
      await output.close(goesOn);
      held.release();
    };
  };
  return { record, history, routes, storage, problems };
}

Deno.test("each participant has files with their own sound and camera, beside the mix", async () => {
  const stage = await openRoomStage();
  const folder = mkdtempSync(join(tmpdir(), "participant-files-"));
  const one = shelf(stage, folder, "bridge-1");
  const leaveAnn = await play(stage, "ann", 440, clipPictures(4));
  const end = await one.record();
  await pause(2_500);
  const leaveBob = await play(stage, "bob", 1_000);
  await pause(3_000);
  await leaveBob();
  await pause(1_500);
  // Back soon: the same file goes on.
  const leaveAgain = await play(stage, "bob", 1_000, clipPictures(4, "640x360"));
  await pause(3_000);
  await end(true);
  // Another bridge goes on with it.
  const two = shelf(stage, folder, "bridge-2");
  const endSecond = await two.record();
  await pause(4_000);
  const whileItRuns = (await two.history.list({})).recordings[0]!;
  await endSecond(false);
  await Promise.all([leaveAnn(), leaveAgain()]);
  await stage.close();

  check(one.problems.length + two.problems.length === 0, [...one.problems, ...two.problems].join(" / "));
  check(whileItRuns.files.length === 4, `all are listed while it runs: ${JSON.stringify(whileItRuns.files)}`);
  const info = (await two.history.list({})).recordings[0]!;
  const downloads = mkdtempSync(join(tmpdir(), "participant-downloads-"));
  await checkFiles(info, downloads, async (path) => {
    const answer = await two.routes.request(`/${path}`);
    check(answer.status === 200, `${path}: ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  });
  check(await two.history.delete(info.id), "it can be deleted");
  const left: string[] = [];
  for await (const { key } of two.storage.list("")) left.push(key);
  check(left.length === 0, `nothing is left of it: ${left.join(" ")}`);
  for (const path of [folder, downloads]) rmSync(path, { recursive: true });
});

/** `folder`: for what is downloaded. */
async function checkFiles(
  info: RecordingInfo,
  folder: string,
  get: (path: string) => Promise<Uint8Array>,
): Promise<void> {
  const { files } = info;
  console.info(JSON.stringify({ mix: info.durationMs, files }));
  const whose = files.map(({ identity }) => identity).join(" ");
  check(whose === "ann bob ann bob" || whose === "ann bob bob ann", `whose they are: ${whose}`);
  check(
    files.every(({ hasPicture }) => hasPicture),
    "all have had a camera",
  );
  const ends = files.map(({ startMs, durationMs }) => startMs + durationMs);
  // The files of the first bridge end where its part of the mix does, those of the second where the mix does.
  check(Math.abs(ends[0]! - ends[1]!) <= PART_MS, `files of one run end together: ${ends}`);
  for (const end of ends.slice(2))
    check(Math.abs(end - info.durationMs) <= PART_MS, `${end} of ${info.durationMs}`);
  for (const { startMs } of files.slice(2))
    check(startMs >= ends[0]! - PART_MS, "the second run's are behind the first's");
  const mix = join(folder, "mix.mp4");
  writeFileSync(mix, await get(info.downloadPath));
  for (const file of files) {
    const path = join(folder, file.file);
    writeFileSync(path, await get(file.downloadPath));
    const problem = (await run("ffmpeg", ["-v", "error", "-i", path, "-f", "null", "-"])).stderr;
    check(problem === "", `${file.file} decodes: ${problem}`);
    // Of the sound: of a picture that comes later ffprobe says when it ends, not how long it is.
    const { stdout } = await run("ffprobe", [
      "-v",
      "error",
      "-select_streams",
      "a",
      "-show_entries",
      "stream=duration",
      "-of",
      "csv=p=0",
      path,
    ]);
    const seconds = Number(new TextDecoder().decode(stdout));
    check(
      Math.abs(seconds * 1_000 - file.durationMs) <= PART_MS,
      `${file.file}: ${seconds} s of ${file.durationMs} ms`,
    );
    const [own, other] = file.identity === "ann" ? [440, 1_000] : [1_000, 440];
    // The last second: everybody is there then, whatever was before.
    const samples = await soundOf(path, seconds - 1.5, 1);
    const [ownShare, otherShare] = [toneShare(samples, own), toneShare(samples, other)];
    check(ownShare > 0.9 && otherShare < 0.01, `${file.file} of ${file.identity}: ${ownShare} ${otherShare}`);
    const [width, pictures] = await picturesOf(path);
    check(
      width === (file.identity === "ann" ? 320 : 640) && pictures > 45,
      `${pictures} pictures of ${width}`,
    );
  }
  // Bob is away for a time: silence, in the one file, and he is back where he is in the mix.
  const bob = files.find(({ identity }) => identity === "bob")!;
  const all = await soundOf(join(folder, bob.file), 0, bob.durationMs / 1_000);
  const inMix = await soundOf(mix, bob.startMs / 1_000, bob.durationMs / 1_000);
  const [back, backInMix] = [returnOf(all, 1_000), returnOf(inMix, 1_000)];
  console.info(`bob is back after ${back} s of his file, ${backInMix} s behind its start in the mix`);
  // Two of those steps, which are no round numbers in binary.
  check(Math.abs(back - backInMix) < 0.025, `bob is back at ${back} and ${backInMix} s`);
  const silent = Array.from({ length: Math.floor(all.length / 9_600) }, (_, n) =>
    all.subarray(n * 9_600, (n + 1) * 9_600),
  ).filter((piece) => piece.every((sample) => Math.abs(sample) < 0.001));
  check(silent.length >= 4, `${silent.length * 0.2} s of silence while bob was away`);
}

/** When a tone that was there is back after at least 400 ms without it, seconds, in steps of 10 ms. */
function returnOf(samples: Float32Array, hz: number): number {
  const step = 480;
  let silent = 0;
  let wasThere = false;
  for (let at = 0; at + 2 * step <= samples.length; at += step) {
    const isThere = toneLevel(samples.subarray(at, at + 2 * step), hz, 48_000) > 0.1;
    if (isThere && wasThere && silent >= 40) return at / 48_000;
    wasThere ||= isThere;
    silent = isThere ? 0 : silent + 1;
  }
  return Number.NaN;
}

async function picturesOf(path: string): Promise<[width: number, pictures: number]> {
  const show = ["-count_frames", "-select_streams", "v", "-show_entries", "stream=width,nb_read_frames"];
  const { stdout } = await run("ffprobe", ["-v", "error", ...show, "-of", "csv=p=0", path]);
  const [width = 0, pictures = 0] = new TextDecoder().decode(stdout).trim().split(",").map(Number);
  return [width, pictures];
}

async function soundOf(path: string, fromS: number, seconds: number): Promise<Float32Array> {
  const take = ["-ss", String(Math.max(0, fromS)), "-t", String(seconds), "-vn"];
  const raw = ["-f", "f32le", "-ac", "1", "-ar", "48000", "-"];
  return new Float32Array(
    (await run("ffmpeg", ["-v", "error", "-i", path, ...take, ...raw])).stdout.slice().buffer,
  );
}

async function run(
  program: string,
  args: string[],
): Promise<{ stdout: Uint8Array<ArrayBuffer>; stderr: string }> {
  const signal = AbortSignal.timeout(30_000);
  const { stdout, stderr } = await new Deno.Command(program, { args, signal, stdin: "null" }).output();
  return { stdout, stderr: new TextDecoder().decode(stderr) };
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`);
}
