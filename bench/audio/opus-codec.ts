/** libopus as the benchmarks use it: the settings of the browser's microphone, and the decoder that the browser worker has. */
import { createDecoder, createEncoder } from "libopus-wasm";
import type { SoundDecoder } from "../../core/media/audio-playout.ts";
import { SPEECH_RATE_HZ } from "./speech.ts";

export const FRAME_SAMPLES = 960;
const BITRATE_BPS = 40_000;

/** Encodes all of it in frames of 20 ms. */
export async function encodeSpeech(samples: Float32Array): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    channels: 1,
    sampleRate: SPEECH_RATE_HZ,
    application: 2048,
    bitrate: BITRATE_BPS,
    complexity: 8,
    frameSize: FRAME_SAMPLES,
  });
  const frames: Uint8Array[] = [];
  for (let at = 0; at + FRAME_SAMPLES <= samples.length; at += FRAME_SAMPLES) {
    frames.push(encoder.encodeFloat(samples.slice(at, at + FRAME_SAMPLES)).slice());
  }
  encoder.free();
  return frames;
}

export async function openDecoder(): Promise<SoundDecoder & { free(): void }> {
  const decoder = await createDecoder({ channels: 1, sampleRate: SPEECH_RATE_HZ, maxFrameSize: 5_760 });
  return {
    decode: (bytes) => decoder.decodeFloat(bytes),
    conceal: (samples) => decoder.decodePacketLossFloat(samples),
    decodeFec: (bytes, samples) => decoder.decodeFloat(bytes, { decodeFec: true, frameSize: samples }),
    free: () => decoder.free(),
  };
}

/** What a listener without a network would hear. */
export async function decodeClean(frames: readonly Uint8Array[]): Promise<Float32Array> {
  const decoder = await openDecoder();
  const out = new Float32Array(frames.length * FRAME_SAMPLES);
  frames.forEach((frame, i) => {
    out.set(decoder.decode(frame), i * FRAME_SAMPLES);
  });
  decoder.free();
  return out;
}
