/**
 * Round trip time of a link: the median of the last samples. One from a machine that was busy at that moment does not
 * move it, and a new path counts as soon as most samples are of it. On a link that hears back once a second a smoothed
 * mean (RFC 6298) would carry a bad first sample for ten seconds, and every NACK round with it.
 */
const SAMPLES = 9;

export class RoundTrip {
  readonly #samplesUs = new Float64Array(SAMPLES);
  readonly #sortedUs = new Float64Array(SAMPLES);
  #count = 0;
  #medianUs: number | undefined;
  #minUs: number | undefined;

  push(sampleUs: number): void {
    this.#samplesUs[this.#count++ % SAMPLES] = sampleUs;
    this.#minUs = Math.min(this.#minUs ?? sampleUs, sampleUs);
    const size = Math.min(this.#count, SAMPLES);
    this.#sortedUs.fill(Number.POSITIVE_INFINITY);
    for (let i = 0; i < size; i++) this.#sortedUs[i] = this.#samplesUs[i]!;
    this.#sortedUs.sort();
    // The lower one of two: delays of the machine only ever add.
    this.#medianUs = this.#sortedUs[(size - 1) >> 1];
  }

  /** Milliseconds; undefined before the first sample. */
  get ms(): number | undefined {
    return this.#medianUs === undefined ? undefined : this.#medianUs / 1000;
  }

  /** The lowest ever, milliseconds. */
  get minMs(): number | undefined {
    return this.#minUs === undefined ? undefined : this.#minUs / 1000;
  }
}
