/** Somebody in a room whose sound is a tone and whose picture is a clip, played in real time. */
import { createEncoder } from "libopus-wasm";
import { RoomPublisher } from "../../bridge/ingest/room-publisher.ts";
import { CLIP_RATE, toneBlock } from "./played-clip.ts";
import type { RoomStage } from "./room-stage.deno.ts";

/** Somebody whose sound is a tone; with pictures, they repeat. */
export async function play(
  stage: RoomStage,
  identity: string,
  hz: number,
  pictures?: Uint8Array[],
): Promise<() => Promise<void>> {
  let isKeyframeWanted = false;
  const publisher = new RoomPublisher("studio", { identity, name: identity }, stage.access, {
    onKeyframeWanted: () => (isKeyframeWanted = true),
    onEnd: () => undefined,
    log: () => undefined,
  });
  await publisher.enter();
  await publisher.openSound();
  if (pictures !== undefined)
    await publisher.openPicture({
      codec: "avc1.42C01E",
      width: 320,
      height: 180,
      frameRate: CLIP_RATE,
      maxBitrateBps: 1_000_000,
    });
  const encoder = await createEncoder({ channels: 1, sampleRate: 48_000, frameSize: 960, bitrate: 48_000 });
  const startUs = publisher.roomNowUs;
  let sounds = 0;
  let shown = 0;
  let at = 0;
  const timer = setInterval(() => {
    const elapsedUs = publisher.roomNowUs - startUs;
    for (; sounds * 20_000 <= elapsedUs; sounds++) {
      const samples = toneBlock(sounds, hz);
      publisher.pushSound(startUs + sounds * 20_000, encoder.encodeFloat(samples).slice(), samples);
    }
    for (; pictures !== undefined && (shown * 1e6) / CLIP_RATE <= elapsedUs; shown++) {
      if (isKeyframeWanted) at = 0;
      isKeyframeWanted = false;
      publisher.pushPicture(
        Math.round(startUs + (shown * 1e6) / CLIP_RATE),
        pictures[at++ % pictures.length]!,
      );
    }
  }, 5);
  return async () => {
    clearInterval(timer);
    await publisher.leave();
    encoder.free();
  };
}
