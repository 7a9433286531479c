/**
 * MP3 of a programme's sound, by LAME in WebAssembly (wasm-media-encoders): blocks of 20 ms in, whole frames of 1152 samples out. Synchronous:
 * a block takes some 0.3 ms, and what LAME looks ahead is 3 to 5 frames.
 */
import { createMp3Encoder, type WasmMediaEncoder } from "wasm-media-encoders";
import { FrameCutter } from "../mp3/frame-header.ts";
import { SAMPLE_RATE_HZ, type SoundBlock } from "../programme/programme.ts";
import { SampleClock } from "./sample-clock.ts";
import type { SoundFrame } from "./sound-encoder.ts";

export type Mp3BitrateKbps = 64 | 96 | 128 | 192;

/** Samples of one frame at 48 kHz. */
export const MP3_FRAME_SAMPLES = 1152;
/** A decoder puts out the first sample that was encoded behind so many others: LAME's delay of 576, and 529 of any decoder. */
const DELAY_SAMPLES = 1105;

export interface Mp3EncoderOptions {
  bitrateKbps: Mp3BitrateKbps;
  /** `timeUs` of what a decoder puts out for it; the bytes are the receiver's. */
  onFrame(frame: SoundFrame): void;
}

export class Mp3Encoder {
  readonly #encoder: WasmMediaEncoder<"audio/mpeg">;
  readonly #options: Mp3EncoderOptions;
  readonly #cutter = new FrameCutter();
  readonly #clock = new SampleClock();
  #samplesIn = 0;
  #framesOut = 0;

  constructor(encoder: WasmMediaEncoder<"audio/mpeg">, options: Mp3EncoderOptions) {
    this.#encoder = encoder;
    this.#options = options;
  }

  /** @throws Error when the encoder has failed; open another one then */
  push({ timeUs, left, right }: SoundBlock): void {
    if (this.#samplesIn === 0) {
      this.#clock.mark(0, timeUs - Math.round((DELAY_SAMPLES * 1e6) / SAMPLE_RATE_HZ));
    }
    this.#clock.mark(this.#samplesIn + DELAY_SAMPLES, timeUs);
    this.#samplesIn += left.length;
    this.#take(this.#encoder.encode([left, right]));
  }

  /** Puts out what LAME still holds, the last frame filled with silence. Nothing may be pushed behind it. @throws Error as `push` */
  finish(): void {
    if (this.#samplesIn > 0) this.#take(this.#encoder.finalize());
  }

  /** The bytes lie in the encoder's own buffer, which it uses again: the cutter copies them. */
  #take(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    for (const frame of this.#cutter.push(bytes)) {
      const timeUs = this.#clock.timeOf(this.#framesOut * MP3_FRAME_SAMPLES);
      if (timeUs === undefined) throw new Error("The MP3 encoder put out more than it was given.");
      this.#framesOut += 1;
      this.#options.onFrame({ timeUs, bytes: frame });
    }
  }
}

/** Loads LAME: some 100 ms. */
export async function openMp3Encoder(options: Mp3EncoderOptions): Promise<Mp3Encoder> {
  const encoder = await createMp3Encoder();
  encoder.configure({
    sampleRate: SAMPLE_RATE_HZ,
    outputSampleRate: SAMPLE_RATE_HZ,
    channels: 2,
    bitrate: options.bitrateKbps,
  });
  return new Mp3Encoder(encoder, options);
}
