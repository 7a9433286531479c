/** Keeps a mix below full scale without clipping: one block of look-ahead, gain in straight lines between blocks. */
import { BLOCK_SAMPLES } from "./programme.ts";

/** Full scale less 0.5 dB: encoders overshoot a little. */
const CEILING = 0.944;
/** The gain comes back by this factor a block: 20 dB in about a second. */
const RELEASE = 1.047;

export class Limiter {
  #left: Float32Array = new Float32Array(BLOCK_SAMPLES);
  #right: Float32Array = new Float32Array(BLOCK_SAMPLES);
  #gain = 1;
  /** Gain that the block held back may have at most. */
  #allowed = 1;

  /** Takes the next block's samples in exchange for those of the block before, limited. */
  push(left: Float32Array, right: Float32Array): void {
    const nextAllowed = allowedGain(left, right);
    const end = Math.min(this.#allowed, nextAllowed, Math.min(1, this.#gain * RELEASE));
    const step = (end - this.#gain) / BLOCK_SAMPLES;
    let gain = this.#gain;
    for (let i = 0; i < BLOCK_SAMPLES; i++) {
      gain += step;
      const heldLeft = this.#left[i]! * gain;
      const heldRight = this.#right[i]! * gain;
      this.#left[i] = left[i]!;
      this.#right[i] = right[i]!;
      left[i] = heldLeft;
      right[i] = heldRight;
    }
    this.#gain = end;
    this.#allowed = nextAllowed;
  }
}

function allowedGain(left: Float32Array, right: Float32Array): number {
  let loudest = 0;
  for (let i = 0; i < BLOCK_SAMPLES; i++) {
    loudest = Math.max(loudest, Math.abs(left[i]!), Math.abs(right[i]!));
  }
  return loudest <= CEILING ? 1 : CEILING / loudest;
}
