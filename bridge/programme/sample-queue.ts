/** Decoded stereo sound of one source, read at its own rate or a little faster or slower (cubic interpolation). */

/** Interleaved samples that one read position needs around it. */
const BEFORE = 1;
const AFTER = 2;
/** Stereo samples that fit; a source never decodes further ahead than two of the longest frames and a block. */
const CAPACITY = 16_384;

export class SampleQueue {
  /** Interleaved. */
  readonly #samples = new Float32Array(2 * CAPACITY);
  /** Of what is held; those before `#position` are history for the interpolation. */
  #count = 0;
  /** Where the next sample is read, in stereo samples. */
  #position = 0;

  /** Stereo samples that have not been read. */
  get length(): number {
    return this.#count - this.#position;
  }

  /** `length` that it takes to read `count` samples at `rate`. */
  needed(count: number, rate: number): number {
    return count * rate + AFTER;
  }

  /** Appends interleaved samples; what does not fit is an error of the caller. */
  push(interleaved: Float32Array): void {
    this.#makeRoom(interleaved.length / 2);
    this.#samples.set(interleaved, 2 * this.#count);
    this.#count += interleaved.length / 2;
  }

  skip(count: number): void {
    this.#position = Math.min(this.#position + count, this.#count);
  }

  clear(): void {
    this.#count = 0;
    this.#position = 0;
  }

  /** Adds samples, read at `rate`, to left and right from `at` on; says to how many. */
  mixInto(left: Float32Array, right: Float32Array, at: number, rate: number, gain: number): number {
    const whole = rate === 1 && Number.isInteger(this.#position);
    let mixed = 0;
    for (let i = at; i < left.length; i++, mixed++) {
      const index = Math.floor(this.#position);
      if (index + (whole ? 0 : AFTER) >= this.#count) break;
      const fraction = this.#position - index;
      left[i]! += gain * (whole ? this.#samples[2 * index]! : this.#at(index, fraction, 0));
      right[i]! += gain * (whole ? this.#samples[2 * index + 1]! : this.#at(index, fraction, 1));
      this.#position += rate;
    }
    return mixed;
  }

  /** Between the samples at `index` and `index + 1`: Catmull-Rom. */
  #at(index: number, fraction: number, channel: 0 | 1): number {
    const samples = this.#samples;
    const b = samples[2 * index + channel]!;
    const a = index >= BEFORE ? samples[2 * (index - BEFORE) + channel]! : b;
    const c = samples[2 * (index + 1) + channel]!;
    const d = samples[2 * (index + AFTER) + channel]!;
    const slope = 0.5 * (c - a);
    const bend = a - 2.5 * b + 2 * c - 0.5 * d;
    const twist = 0.5 * (d - a) + 1.5 * (b - c);
    return b + fraction * (slope + fraction * (bend + fraction * twist));
  }

  #makeRoom(count: number): void {
    if (this.#count + count <= CAPACITY) return;
    const drop = Math.max(0, Math.floor(this.#position) - BEFORE);
    this.#samples.copyWithin(0, 2 * drop, 2 * this.#count);
    this.#count -= drop;
    this.#position -= drop;
    if (this.#count + count > CAPACITY) throw new RangeError("more sound was decoded than is read");
  }
}
