/** A room with two participants, played into a real relay, as the programme that a bridge makes of it. */

import { ffmpegPictureCodecs } from "../../bridge/node/ffmpeg-picture-codecs.ts";
import type { PictureUnit, SoundBlock } from "../../bridge/programme/programme.ts";
import { Programmes } from "../../bridge/programme/programmes.ts";
import { RunningCounts } from "../../bridge/running-counts.ts";
import { openOpusDecoder } from "../../bridge/sound/opus-decoder.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import { CLIP_RATE, clipPictures, toneShare } from "./played-clip.ts";
import { play } from "./played-participant.deno.ts";
import { openRoomStage } from "./room-stage.deno.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("a programme has both sounds without a hole and the picture from a keyframe on", async () => {
  const stage = await openRoomStage();
  const pictures = clipPictures(4);
  const leave = [await play(stage, "ann", 440, pictures), await play(stage, "bob", 1_000)];
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
  const shown: PictureUnit[] = [];
  const delaysMs: number[] = [];
  held.programme.add({
    onSound(block) {
      sounds.push(block);
      delaysMs.push((systemClock.nowUs() - block.timeUs) / 1_000);
    },
    onPicture: (unit) => shown.push(unit),
  });
  await pause(5_000);
  held.release();
  await Promise.all(leave.map((end) => end()));
  await stage.close();

  check(sounds.length > 180, `${sounds.length} blocks of sound in 5 s`);
  sounds.forEach((block, i) => {
    if (i > 0) check(block.timeUs - sounds[i - 1]!.timeUs === 20_000, "sound has no hole");
  });
  const later = sounds.slice(75, 175).flatMap(({ left }) => [...left]);
  for (const hz of [440, 1_000]) {
    const share = toneShare(Float32Array.from(later), hz);
    check(share > 0.4, `${hz} Hz has ${share.toFixed(3)} of the power`);
  }
  check(held.programme.participants.length === 2, "both are named");
  check(shown.length > 100, `${shown.length} pictures in 5 s`);
  check(shown[0]!.keyframe && shown[0]!.switched, "the first picture is a keyframe");
  shown.forEach((unit, i) => {
    check(unit.decodeTimeUs === unit.timeUs, "nothing is reordered");
    if (i > 0)
      check(Math.abs(unit.timeUs - shown[i - 1]!.timeUs - 1e6 / CLIP_RATE) < 2, "no picture is missing");
  });
  delaysMs.sort((a, b) => a - b);
  check(
    delaysMs[delaysMs.length >> 1]! < 700,
    `the programme is ${delaysMs[delaysMs.length >> 1]} ms behind`,
  );
});

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`);
}
