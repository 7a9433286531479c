/** Samples of any number as blocks of 20 ms for an encoder, each with the time of its first one. */
import { BLOCK_SAMPLES, BLOCK_US } from "../programme/programme.ts";

/** A block that would begin further than this from where the one before ends begins anew there: the sender paused. */
const JUMP_US = 40_000;

export class SoundBlocks {
  /** Interleaved. */
  readonly #block = new Float32Array(2 * BLOCK_SAMPLES);
  #filled = 0;
  #startUs = 0;

  /** `timeUs` of the first of these samples (48 kHz). The block is used again when `emit` returns. */
  push(
    left: Float32Array,
    right: Float32Array,
    timeUs: number,
    emit: (block: Float32Array, timeUs: number) => void,
  ): void {
    const endUs = this.#startUs + usOf(this.#filled);
    if (Math.abs(timeUs - endUs) > JUMP_US) this.#filled = 0;
    for (let at = 0; at < left.length; at++) {
      if (this.#filled === 0) this.#startUs = timeUs + usOf(at);
      this.#block[2 * this.#filled] = left[at]!;
      this.#block[2 * this.#filled + 1] = right[at]!;
      if (++this.#filled < BLOCK_SAMPLES) continue;
      this.#filled = 0;
      emit(this.#block, this.#startUs);
      this.#startUs += BLOCK_US;
    }
  }
}

const usOf = (samples: number): number => (samples / BLOCK_SAMPLES) * BLOCK_US;
