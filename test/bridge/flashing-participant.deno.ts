/** Somebody in a room whose picture is a clip of one second that begins white, with a beep while it is white, played in real time. */
import { createEncoder } from "libopus-wasm";
import { RoomPublisher } from "../../bridge/ingest/room-publisher.ts";
import { contentOf } from "../../core/media/annex-b.ts";
import { CLIP_FPS, type ClipPicture } from "./flash-clip.ts";
import { BEEP_HZ } from "./flashing-programme.ts";
import { toneBlock } from "./played-clip.ts";
import type { RoomStage } from "./room-stage.deno.ts";

const BEEP_BLOCKS = 5;
const BLOCKS_A_SECOND = 50;

export interface FlashingOptions {
  identity: string;
  clip: readonly ClipPicture[];
  width: number;
  height: number;
  /** Nobody beeps where nothing is said. */
  beeps?: boolean;
}

/** Clips begin at whole seconds of the room clock. The returned function has the participant leave. */
export async function playFlashes(stage: RoomStage, options: FlashingOptions): Promise<() => Promise<void>> {
  const { identity, clip, width, height, beeps = false } = options;
  const publisher = new RoomPublisher("studio", { identity, name: identity }, stage.access, {
    // There is one each second.
    onKeyframeWanted: () => undefined,
    onEnd: () => undefined,
    log: () => undefined,
  });
  await publisher.enter();
  if (beeps) await publisher.openSound();
  const codec = contentOf(clip[0]!.bytes).codec!;
  await publisher.openPicture({ codec, width, height, frameRate: CLIP_FPS, maxBitrateBps: 1_000_000 });
  const encoder = await createEncoder({ channels: 1, sampleRate: 48_000, frameSize: 960, bitrate: 48_000 });
  const startUs = Math.ceil(publisher.roomNowUs / 1e6) * 1e6;
  let sounds = 0;
  let shown = 0;
  const timer = setInterval(() => {
    const elapsedUs = publisher.roomNowUs - startUs;
    for (; beeps && sounds * 20_000 <= elapsedUs; sounds++) {
      const level = sounds % BLOCKS_A_SECOND < BEEP_BLOCKS ? 0.5 : 0;
      const samples = toneBlock(sounds, BEEP_HZ, level);
      publisher.pushSound(startUs + sounds * 20_000, encoder.encodeFloat(samples).slice(), samples);
    }
    for (; (shown * 1e6) / CLIP_FPS <= elapsedUs; shown++)
      publisher.pushPicture(Math.round(startUs + (shown * 1e6) / CLIP_FPS), clip[shown % clip.length]!.bytes);
  }, 5);
  return async () => {
    clearInterval(timer);
    await publisher.leave();
    encoder.free();
  };
}
