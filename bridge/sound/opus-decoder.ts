/** libopus for the mix: interleaved stereo at 48 kHz, mono in both ears. Loads in the background; what is decoded before is silence. */
import { createDecoder, type OpusDecoderHandle } from "libopus-wasm";
import type { FreeableDecoder } from "../programme/sound-mix.ts";

const SAMPLE_RATE_HZ = 48_000;
/** Longest Opus frame, 120 ms. */
const MAX_FRAME_SAMPLES = 5_760;
/** What stands for a frame before the decoder is there. */
const USUAL_FRAME_SAMPLES = 960;

/** `onFailure`: the decoder cannot be had; the sound stays silent. */
export function openOpusDecoder(onFailure: (error: unknown) => void): FreeableDecoder {
  let handle: OpusDecoderHandle | undefined;
  let isFreed = false;
  createDecoder({ channels: 2, sampleRate: SAMPLE_RATE_HZ, maxFrameSize: MAX_FRAME_SAMPLES }).then(
    (opened) => {
      if (isFreed) opened.free();
      else handle = opened;
    },
    (error: unknown) => onFailure(error),
  );
  const silence = (samples: number): Float32Array => new Float32Array(2 * samples);
  return {
    decode: (bytes) => handle?.decodeFloat(bytes) ?? silence(USUAL_FRAME_SAMPLES),
    conceal: (samples) => handle?.decodePacketLossFloat(samples) ?? silence(samples),
    decodeFec: (bytes, samples) =>
      handle?.decodeFloat(bytes, { decodeFec: true, frameSize: samples }) ?? silence(samples),
    free(): void {
      isFreed = true;
      handle?.free();
      handle = undefined;
    },
  };
}
