/** Opus (RFC 6716) of a programme's sound: each block of 20 ms becomes one frame. The codec is libopus in WebAssembly, in this thread. */
import { Application, createEncoder, type OpusEncoderHandle } from "libopus-wasm";
import { BLOCK_SAMPLES, SAMPLE_RATE_HZ, type SoundBlock } from "../programme/programme.ts";
import type { SoundEncoder, SoundEncoderOptions } from "./sound-encoder.ts";

const CHANNELS = 2;
/** Samples that a decoder puts out before the first one that went in: libopus looks 6.5 ms ahead at 48 kHz. */
const PRE_SKIP = 312;
const PRE_SKIP_US = (PRE_SKIP * 1e6) / SAMPLE_RATE_HZ;

/** Loads and starts the encoder. Rejects with an Error that says why it does not run here. */
export async function openOpusEncoder(options: SoundEncoderOptions): Promise<SoundEncoder> {
  try {
    const encoder = await createEncoder({
      channels: CHANNELS,
      sampleRate: SAMPLE_RATE_HZ,
      application: Application.Audio,
      bitrate: options.bitrateBps,
      frameSize: BLOCK_SAMPLES,
    });
    return new OpusEncoder(encoder, options);
  } catch (cause) {
    throw new Error("The Opus encoder does not start: is libopus-wasm 0.4.0 installed whole?", { cause });
  }
}

class OpusEncoder implements SoundEncoder {
  readonly config = opusHead();
  readonly frameSamples = BLOCK_SAMPLES;
  /** It never falls behind: a block is encoded while it is pushed. */
  readonly droppedBlocks = 0;
  readonly #options: SoundEncoderOptions;
  readonly #samples = new Float32Array(BLOCK_SAMPLES * CHANNELS);
  #encoder: OpusEncoderHandle | undefined;

  constructor(encoder: OpusEncoderHandle, options: SoundEncoderOptions) {
    this.#encoder = encoder;
    this.#options = options;
  }

  push({ timeUs, left, right }: SoundBlock): void {
    if (this.#encoder === undefined) return;
    for (let i = 0; i < BLOCK_SAMPLES; i++) {
      this.#samples[2 * i] = left[i]!;
      this.#samples[2 * i + 1] = right[i]!;
    }
    let bytes: Uint8Array;
    try {
      // The encoder uses its buffer again.
      bytes = this.#encoder.encodeFloat(this.#samples).slice();
    } catch (cause) {
      this.close();
      this.#options.onFailure(new Error("The Opus encoder has failed: open another one.", { cause }));
      return;
    }
    this.#options.onFrame({ timeUs: timeUs - PRE_SKIP_US, bytes });
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#encoder?.free();
    this.#encoder = undefined;
  }
}

/** OpusHead (RFC 7845, 5.1), channel mapping family 0. */
function opusHead(): Uint8Array {
  const head = new Uint8Array(19);
  const view = new DataView(head.buffer);
  head.set(Array.from("OpusHead", (letter) => letter.charCodeAt(0)));
  view.setUint8(8, 1);
  view.setUint8(9, CHANNELS);
  view.setUint16(10, PRE_SKIP, true);
  view.setUint32(12, SAMPLE_RATE_HZ, true);
  return head;
}
