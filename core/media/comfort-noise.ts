/** Noise as loud as the background of a sound, for where there is nothing to play: complete silence sounds like a broken line. */

/** Background louder than this (mean square) is no background. */
const MAX_POWER = 1e-4;
/** The estimate goes up by this factor a block, down at once. */
const RISE = 1.005;
const FALL = 0.5;
/** One-pole low pass: rooms hum rather than hiss. */
const SMOOTHING = 0.25;
/** Mean square of the filtered noise for white noise in [-1, 1). */
const FILTERED_POWER = ((1 / 3) * SMOOTHING) / (2 - SMOOTHING);

export class ComfortNoise {
  #power = 1e-8;
  #state = 0x1234567;
  #last = 0;

  /** Mean square of the background. */
  get power(): number {
    return this.#power;
  }

  /** Learns from a block that was really heard. */
  push(samples: Float32Array): void {
    const power = powerOf(samples);
    if (power < this.#power) this.#power += (power - this.#power) * FALL;
    else this.#power = Math.min(this.#power * RISE, power, MAX_POWER);
    this.#power = Math.max(this.#power, 1e-10);
  }

  /** The next sample. */
  next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) | 0;
    this.#last += (this.#state / 0x80000000 - this.#last) * SMOOTHING;
    return this.#last * Math.sqrt(this.#power / FILTERED_POWER);
  }
}

/** Mean square of a block; 0 for an empty one. */
function powerOf(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! * samples[i]!;
  return samples.length === 0 ? 0 : sum / samples.length;
}
