/** Sound of a program outside, as blocks of 20 ms with capture times: encoded frames with their times go into a decoder, blocks come out. */
import { SAMPLE_RATE_HZ } from "../programme/programme.ts";
import type { ForeignFormat, OpenSoundDecoder, SoundDecoder } from "../sound/sound-decoder.ts";
import { FrameTimes } from "./frame-times.ts";
import { SoundBlocks } from "./sound-blocks.ts";

export interface ForeignSoundEvents {
  /** Interleaved stereo, BLOCK_SAMPLES of each; used again when the call returns. */
  onBlock(block: Float32Array, captureUs: number): void;
  onFailure(message: string): void;
}

export class ForeignSoundInput {
  /** Frames that were dropped because the decoder was behind. */
  droppedFrames = 0;
  readonly #decoder: SoundDecoder;
  readonly #times = new FrameTimes(SAMPLE_RATE_HZ);
  readonly #blocks = new SoundBlocks();

  constructor(format: ForeignFormat, open: OpenSoundDecoder, { onBlock, onFailure }: ForeignSoundEvents) {
    this.#decoder = open({
      format,
      onSound: (left, right, firstSample) => {
        const timeUs = this.#times.timeOf(firstSample);
        if (timeUs !== undefined) this.#blocks.push(left, right, timeUs, onBlock);
      },
      onFailure: ({ message }) => onFailure(message),
    });
  }

  /** A frame captured at `captureUs`, of so many samples at 48 kHz. */
  push(bytes: Uint8Array, captureUs: number, samples: number): void {
    if (this.#decoder.push(bytes)) this.#times.push(captureUs, samples);
    else this.droppedFrames++;
  }

  close(): void {
    this.#decoder.close();
  }
}
