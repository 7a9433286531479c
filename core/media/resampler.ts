/** Streaming sample rate conversion of one channel by a polyphase windowed sinc, for microphones that are not at 48 kHz. */

/** Input samples that each output sample is made of; more is sharper and slower. */
const TAPS = 32;
/** Share of the band that passes; the rest is the filter's slope. */
const PASSBAND = 0.94;

export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #filters: Float32Array;
  /** Input not used up yet; its first TAPS - 1 samples are history. */
  #held: Float32Array = new Float32Array(TAPS - 1);
  #phase = 0;

  /** Rates in Hz, whole numbers from 4000 to 384000. Throws RangeError for others. */
  constructor(inputRateHz: number, outputRateHz: number) {
    for (const rate of [inputRateHz, outputRateHz]) {
      if (!Number.isInteger(rate) || rate < 4_000 || rate > 384_000) {
        throw new RangeError(`sample rate ${rate} Hz is not a whole number from 4000 to 384000`);
      }
    }
    const divisor = greatestCommonDivisor(inputRateHz, outputRateHz);
    this.#up = outputRateHz / divisor;
    this.#down = inputRateHz / divisor;
    this.#filters = makeFilters(this.#up, Math.min(1, outputRateHz / inputRateHz) * PASSBAND);
  }

  /** Delay through the filter in input samples. */
  get delaySamples(): number {
    return TAPS / 2;
  }

  /** Converts the next samples; the result is a fresh array. */
  push(input: Float32Array): Float32Array {
    const held = new Float32Array(this.#held.length + input.length);
    held.set(this.#held);
    held.set(input, this.#held.length);
    const limit = (held.length - TAPS + 1) * this.#up;
    const count = limit > this.#phase ? Math.ceil((limit - this.#phase) / this.#down) : 0;
    const output = new Float32Array(count);
    let phase = this.#phase;
    for (let i = 0; i < count; i++) {
      const start = Math.floor(phase / this.#up);
      const filter = (phase % this.#up) * TAPS;
      let sum = 0;
      for (let tap = 0; tap < TAPS; tap++) sum += held[start + tap]! * this.#filters[filter + tap]!;
      output[i] = sum;
      phase += this.#down;
    }
    const used = Math.min(Math.floor(phase / this.#up), held.length);
    this.#held = held.slice(used);
    this.#phase = phase - used * this.#up;
    return output;
  }
}

/** One filter of TAPS per output phase; `cutoff` as a share of the input's Nyquist frequency. */
function makeFilters(phases: number, cutoff: number): Float32Array {
  const filters = new Float32Array(phases * TAPS);
  for (let phase = 0; phase < phases; phase++) {
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap++) {
      const x = tap - TAPS / 2 + 1 - phase / phases;
      const sinc = x === 0 ? cutoff : Math.sin(Math.PI * cutoff * x) / (Math.PI * x);
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (TAPS / 2));
      const value = Math.abs(x) >= TAPS / 2 ? 0 : sinc * window;
      filters[phase * TAPS + tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < TAPS; tap++) filters[phase * TAPS + tap]! /= sum;
  }
  return filters;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
