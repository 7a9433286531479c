/** Median of the last values of a figure, for statistics that people read. */
export class SlidingMedian {
  readonly #values: Float64Array;
  #count = 0;

  constructor(size: number) {
    this.#values = new Float64Array(size);
  }

  push(value: number): void {
    this.#values[this.#count++ % this.#values.length] = value;
  }

  clear(): void {
    this.#count = 0;
  }

  /** Undefined before the first value. */
  median(): number | undefined {
    const size = Math.min(this.#count, this.#values.length);
    if (size === 0) return undefined;
    return this.#values.slice(0, size).sort()[size >> 1];
  }
}
