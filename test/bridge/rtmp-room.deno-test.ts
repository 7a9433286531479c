/** ffmpeg publishes by RTMP: what a room's programme has of it, with and without B-frames, and what is said of a wrong key. */
import { spawn } from "node:child_process";
import { RtmpParticipant } from "../../bridge/ingest/rtmp-participant.ts";
import { ffmpegPictureCodecs } from "../../bridge/node/ffmpeg-picture-codecs.ts";
import { openFfmpegSoundDecoder } from "../../bridge/node/ffmpeg-sound-decoder.ts";
import { listenTcp } from "../../bridge/node/tcp.ts";
import type { PictureUnit, SoundBlock } from "../../bridge/programme/programme.ts";
import { Programmes } from "../../bridge/programme/programmes.ts";
import { RunningCounts } from "../../bridge/running-counts.ts";
import { IngestServer } from "../../bridge/rtmp/ingest-server.ts";
import { openOpusDecoder } from "../../bridge/sound/opus-decoder.ts";
import { toneShare } from "./played-clip.ts";
import { openRoomStage } from "./room-stage.deno.ts";

const KEY = "right-key-0123456789";
const TONE_HZ = 700;
const RATE = 25;

interface Seen {
  sounds: SoundBlock[];
  pictures: PictureUnit[];
  log: string[];
  ffmpegCode: number;
}

/** Publishes for some seconds with these encoder options, under this key, and gives what the room's programme had of it. */
async function publish(encoder: string[], key = KEY, seconds = 6): Promise<Seen> {
  const stage = await openRoomStage();
  const log: string[] = [];
  const server = new IngestServer({
    clock: stage.access.clock,
    random: stage.access.random,
    log: (line) => log.push(line),
    authorise: async ({ streamKey }) =>
      streamKey === KEY
        ? {
            granted: true,
            publication: "camera-1",
            open: (control) =>
              new RtmpParticipant({
                room: "studio",
                member: { identity: "obs", name: "OBS" },
                access: stage.access,
                openDecoder: openFfmpegSoundDecoder,
                control,
                onState: () => undefined,
                log: (line) => log.push(line),
              }),
          }
        : { granted: false, wrongKey: true, message: "There is no such stream key." },
  });
  const listener = await listenTcp({
    host: "127.0.0.1",
    port: 0,
    maxConnections: 10,
    onSocket: (socket) => void server.accept(socket),
  });
  const programmes = new Programmes({
    bridgeId: "bridge-1",
    access: stage.access,
    openDecoder: () => openOpusDecoder((error) => console.error(error)),
    counts: new RunningCounts(),
    codecs: ffmpegPictureCodecs(),
    log: () => undefined,
  });
  const held = await programmes.hold("studio", { picture: { mode: "speaker" }, gainsDb: {} });
  const sounds: SoundBlock[] = [];
  const pictures: PictureUnit[] = [];
  held.programme.add({ onSound: (block) => sounds.push(block), onPicture: (unit) => pictures.push(unit) });
  const source = [
    ["-re", "-f", "lavfi", "-i", `testsrc2=size=320x180:rate=${RATE}:duration=${seconds}`],
    ["-re", "-f", "lavfi", "-i", `sine=frequency=${TONE_HZ}:sample_rate=44100:duration=${seconds}`],
  ].flat();
  const child = spawn("ffmpeg", [
    ...["-v", "error", ...source, "-c:v", "libx264", "-preset", "ultrafast", "-g", String(RATE), ...encoder],
    ...["-c:a", "aac", "-f", "flv", `rtmp://127.0.0.1:${listener.port}/live/${key}`],
  ]);
  const ffmpegCode = await new Promise<number>((resolve) => child.on("exit", (code) => resolve(code ?? -1)));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  held.release();
  listener.close();
  server.close("the test is over");
  await stage.close();
  return { sounds, pictures, log, ffmpegCode };
}

function checkMedia({ sounds, pictures, ffmpegCode }: Seen): void {
  check(ffmpegCode === 0, `ffmpeg ended with ${ffmpegCode}`);
  check(pictures.length > 4 * RATE, `${pictures.length} pictures of 6 s`);
  check(pictures[0]!.keyframe, "the first picture is a keyframe");
  const shown = pictures.map(({ timeUs }) => timeUs).sort((a, b) => a - b);
  // At its end ffmpeg sends what it still holds at once.
  const spacings = shown.slice(1, -5).map((timeUs, i) => (timeUs - shown[i]!) / 1_000);
  const odd = spacings.filter((ms) => Math.abs(ms - 1_000 / RATE) >= 8);
  // Where this machine is busy ffmpeg begins late, and is followed when it has caught up.
  check(odd.length <= 2, `pictures are ${odd} ms apart`);
  for (let i = 1; i < pictures.length; i++) {
    check(pictures[i]!.decodeTimeUs > pictures[i - 1]!.decodeTimeUs, "decode times grow");
  }
  check(
    pictures.every((unit) => unit.decodeTimeUs <= unit.timeUs),
    "nothing is shown before it is decoded",
  );
  const loud = sounds.filter(({ left }) => Math.max(...left) > 0.05);
  check(loud.length > 4 * 50, `${loud.length} blocks of sound`);
  const middle = loud.slice(50, 150).flatMap(({ left }) => [...left]);
  const share = toneShare(Float32Array.from(middle), TONE_HZ);
  check(share > 0.9, `${TONE_HZ} Hz has ${share.toFixed(3)} of the power`);
}

Deno.test("H.264 without B-frames and AAC", async () => {
  checkMedia(await publish(["-profile:v", "baseline"]));
});

Deno.test("H.264 with three B-frames is put in order", async () => {
  const seen = await publish(["-profile:v", "main", "-bf", "3", "-x264-params", "b-adapt=0"]);
  checkMedia(seen);
  const isReordered = seen.pictures.some((unit, i) => i > 0 && unit.timeUs < seen.pictures[i - 1]!.timeUs);
  check(isReordered, "there were B-frames");
});

Deno.test("a wrong key is refused, logged, and nobody enters the room", async () => {
  const { log, pictures, ffmpegCode } = await publish([], "wrong-key-0123456789", 2);
  check(ffmpegCode !== 0, "ffmpeg was refused");
  check(pictures.length === 0, "nothing is shown");
  check(
    log.some((line) => line.includes("no such stream key")),
    `the log says so: ${log.join(" / ")}`,
  );
});

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`);
}
