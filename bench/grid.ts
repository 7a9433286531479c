/**
 * `npm run bench -- grid`: what a grid of everybody's pictures costs a bridge, with 2, 4 and 9 moving pictures of 640x360 at 30 a second, in
 * shares of one core: composing (this process), decoding and encoding (ffmpeg). Needs Linux, which tells the time of processes.
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { GridPictures } from "../bridge/grid/grid-pictures.ts";
import { GRID_DELAY_US, GRID_FRAMES_PER_SECOND } from "../bridge/grid/limits.ts";
import { ffmpegPictureCodecs } from "../bridge/node/ffmpeg-picture-codecs.ts";
import { BLOCK_US } from "../bridge/programme/programme.ts";
import { contentOf } from "../core/media/annex-b.ts";
import type { ParticipantInfo } from "../core/wire/room-model.ts";
import { CLIP_RATE, clipPictures } from "../test/bridge/played-clip.ts";
import { wallClock } from "../test/sim/wall-clock.ts";
import { readOptions, reportRow } from "./report.ts";

const options = readOptions({
  cells: { default: 0, min: 0, max: 9, whole: true, about: "pictures side by side; 0 = 2, 4 and 9" },
  seconds: { default: 10, min: 2, max: 600, about: "how long each row is measured" },
});
const WARM_UP_SECONDS = 4;
const [WIDTH, HEIGHT] = [640, 360];
/** What a programme waits for networks. */
const NETWORK_US = 500_000;
/** Of the kernel's figures, a second. */
const TICKS_PER_SECOND = 100;

const pause = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

function person(trackId: number): ParticipantInfo {
  const renditions = [{ width: WIDTH, height: HEIGHT, maxBitrateBps: 600_000, temporalLayers: 1 }];
  const kind = { kind: "video", source: "camera", codec: "avc1.42C01E" } as const;
  const offer = { ...kind, frameRate: CLIP_RATE, renditions, muted: false, encrypted: false };
  return { identity: `p${trackId}`, name: `p${trackId}`, admin: false, tracks: [{ trackId, offer }] };
}

/** Seconds of processor time of our ffmpegs so far. */
function ffmpegSeconds(): { encoder: number; decoders: number } {
  const seconds = { encoder: 0, decoders: 0 };
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ");
      if (Number(fields[1]) !== process.pid) continue;
      const spent = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (command.includes("libx264")) seconds.encoder += spent;
      else if (command.includes("rawvideo")) seconds.decoders += spent;
    } catch {
      // It has ended meanwhile.
    }
  }
  return seconds;
}

async function run(cells: number, clip: readonly Uint8Array[]): Promise<void> {
  const people = Array.from({ length: cells }, (_, index) => person(index + 1));
  let given = 0;
  const grid = new GridPictures({
    codecs: ffmpegPictureCodecs(),
    delayUs: NETWORK_US + GRID_DELAY_US,
    log: (line) => process.stderr.write(`${line}\n`),
    requests: { subscribe: () => undefined, unsubscribe: () => undefined, requestKeyframe: () => undefined },
  });
  const startUs = wallClock.nowUs();
  let sent = 0;
  let blockUs = startUs - NETWORK_US - GRID_DELAY_US;
  const timer = setInterval(() => {
    const nowUs = wallClock.nowUs();
    grid.choose(people, []);
    for (; startUs + (sent * 1e6) / CLIP_RATE <= nowUs; sent++) {
      const bytes = clip[sent % clip.length]!;
      const { keyframe } = contentOf(bytes);
      const captureTimeUs = Math.round(startUs + (sent * 1e6) / CLIP_RATE);
      const layer = { temporalLayer: 0, rendition: 0, discardable: false, encrypted: false };
      const unit = { ...layer, frameId: sent, captureTimeUs, keyframe, reference: keyframe ? 0 : 1, bytes };
      for (const { tracks } of people)
        grid.push(tracks[0]!.trackId, { ...unit, audioLevel: 127, voice: false }, nowUs);
    }
    for (; blockUs + BLOCK_US <= nowUs - NETWORK_US - GRID_DELAY_US; blockUs += BLOCK_US)
      grid.emit(blockUs, nowUs, () => given++);
  }, 10);
  await pause(WARM_UP_SECONDS);
  const [before, own, givenBefore, sinceUs] = [ffmpegSeconds(), process.cpuUsage(), given, wallClock.nowUs()];
  await pause(options.seconds);
  const [after, spent, passed] = [
    ffmpegSeconds(),
    process.cpuUsage(own),
    (wallClock.nowUs() - sinceUs) / 1e6,
  ];
  clearInterval(timer);
  grid.close();
  const [composing, decoding] = [(spent.user + spent.system) / 1e6, after.decoders - before.decoders];
  const encoding = after.encoder - before.encoder;
  reportRow({
    bench: "grid",
    row: { cells, size: "1280x720", fps: GRID_FRAMES_PER_SECOND },
    figures: {
      coresComposing: composing / passed,
      coresDecoding: decoding / passed,
      coresEncoding: encoding / passed,
      cores: (composing + decoding + encoding) / passed,
      picturesPerSecond: (given - givenBefore) / passed,
    },
  });
}

const clip = clipPictures(4, `${WIDTH}x${HEIGHT}`);
for (const cells of options.cells === 0 ? [2, 4, 9] : [options.cells]) await run(cells, clip);
