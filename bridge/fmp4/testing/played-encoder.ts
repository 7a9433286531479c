/** A sound encoder for tests: frames come at once and hold nothing but their number. */
import { BLOCK_SAMPLES, SAMPLE_RATE_HZ } from "../../programme/programme.ts";
import type { SoundEncoder, SoundEncoderOptions } from "../../sound/sound-encoder.ts";

const FRAME_SAMPLES = 1024;

export async function openPlayedEncoder({ onFrame }: SoundEncoderOptions): Promise<SoundEncoder> {
  let nextUs: number | undefined;
  let samples = 0;
  let count = 0;
  return {
    // AAC-LC, 48 kHz, stereo.
    config: Uint8Array.of(0x11, 0x90),
    frameSamples: FRAME_SAMPLES,
    droppedBlocks: 0,
    push(block) {
      nextUs ??= block.timeUs;
      samples += BLOCK_SAMPLES;
      for (; samples >= FRAME_SAMPLES; samples -= FRAME_SAMPLES) {
        const timeUs = nextUs + Math.round((count * FRAME_SAMPLES * 1e6) / SAMPLE_RATE_HZ);
        count += 1;
        onFrame({ timeUs, bytes: Uint8Array.of(count >> 8, count & 0xff) });
      }
    },
    finish: () => Promise.resolve(),
    close: () => undefined,
  };
}
