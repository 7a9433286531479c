/** libopus for sound that a bridge brings into a room: stereo, 20 ms, for music as for speech. */
import { Application, createEncoder } from "libopus-wasm";
import { BLOCK_SAMPLES, SAMPLE_RATE_HZ } from "../programme/programme.ts";

const BITRATE_BPS = 128_000;
const COMPLEXITY = 8;

export interface OpusEncoder {
  /** BLOCK_SAMPLES stereo samples, interleaved, as one Opus frame; a buffer of its own. */
  encode(interleaved: Float32Array): Uint8Array;
  free(): void;
}

export async function openOpusEncoder(): Promise<OpusEncoder> {
  const encoder = await createEncoder({
    channels: 2,
    sampleRate: SAMPLE_RATE_HZ,
    application: Application.Audio,
    bitrate: BITRATE_BPS,
    complexity: COMPLEXITY,
    frameSize: BLOCK_SAMPLES,
  });
  return {
    encode: (interleaved) => encoder.encodeFloat(interleaved).slice(),
    free: () => encoder.free(),
  };
}
