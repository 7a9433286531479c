/**
 * A bridge that does nothing but record, for tests that kill it: plays a file that ffmpeg has cut, in real time, into the recording of a job.
 * `recording-writer.deno.ts <folder> <clip.mp4> <job>`; says what it does as JSON lines, ends with the clip.
 */
import { readFileSync } from "node:fs";
import { ffmpegPoster } from "../../bridge/node/ffmpeg-poster.ts";
import { FileStorage } from "../../bridge/node/file-storage.ts";
import { Catalogue } from "../../bridge/recording/catalogue.ts";
import type { ParticipantFile } from "../../bridge/recording/participant-files.ts";
import { Recordings } from "../../bridge/recording/recordings.ts";
import { wallClock } from "../../gateway/wall-clock.ts";
import { cutClip } from "./media-clip.ts";

const [root = "", clipPath = "", jobId = ""] = Deno.args;

function say(line: Record<string, unknown>): void {
  console.info(JSON.stringify({ ...line, atMs: Date.now() }));
}

const clock = wallClock();
const storage = new FileStorage({ root });
const log = (level: string, message: string, fields?: Record<string, unknown>): void =>
  say({ level, message, ...fields });
const catalogue = new Catalogue({ storage, clock, log });
const recordings = new Recordings({
  storage,
  catalogue,
  clock,
  random: Math.random,
  log,
  bridgeId: "writer",
  makePoster: ffmpegPoster(),
});
const participants = () => [{ identity: "ann", name: "Ann" }];
const recorder = await recordings.open({ jobId, room: "standup", participants });
say({ opened: recorder.id, fileUs: recorder.index.fileUs });

const beginsUs = clock.nowUs();
const clip = cutClip(readFileSync(clipPath), beginsUs);
recorder.onInit(clip.init);
let ann: ParticipantFile | undefined;
for (const part of clip.parts) {
  const endUs = part.startUs + part.durationUs;
  await new Promise((resolve) => setTimeout(resolve, (endUs - clock.nowUs()) / 1000));
  recorder.onPart(part);
  if (recorder.hasBegun && part.segmentStart && ann === undefined) {
    const begun = await recorder.beginFile({ identity: "ann", name: "Ann" });
    if (typeof begun !== "string") ann = begun;
    ann?.sink.onInit(clip.init);
  }
  ann?.sink.onPart(part);
  say({ fedUs: endUs - beginsUs });
}
await recorder.close("complete");
say({ closed: recorder.info, status: recorder.status });
