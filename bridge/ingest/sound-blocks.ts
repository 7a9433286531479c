/** Samples of any number as blocks of 20 ms for an encoder, each with the time of its first one. */
import { BLOCK_SAMPLES, BLOCK_US } from "../programme/programme.ts";

/** A block that would begin further than this from where the one before ends begins anew there: the sender paused. */
const JUMP_US = 40_000;

export class SoundBlocks {
  readonly #block = new Float32Array(2 * BLOCK_SAMPLES);
  #filled = 0;
  #startUs = 0;

  /** `timeUs` of the first of these samples (interleaved stereo, 48 kHz). The block is used again when `emit` returns. */
  push(interleaved: Float32Array, timeUs: number, emit: (block: Float32Array, timeUs: number) => void): void {
    const endUs = this.#startUs + (this.#filled / BLOCK_SAMPLES / 2) * BLOCK_US;
    if (Math.abs(timeUs - endUs) > JUMP_US) this.#filled = 0;
    let at = 0;
    while (at < interleaved.length) {
      if (this.#filled === 0) this.#startUs = timeUs + (at / 2 / BLOCK_SAMPLES) * BLOCK_US;
      const take = Math.min(this.#block.length - this.#filled, interleaved.length - at);
      this.#block.set(interleaved.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled < this.#block.length) return;
      this.#filled = 0;
      emit(this.#block, this.#startUs);
      // The next block goes on from here.
      this.#startUs += BLOCK_US;
    }
  }
}
