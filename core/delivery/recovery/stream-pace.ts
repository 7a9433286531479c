/** How long after one datagram of a track the next is usually sent, from capture times and arrivals. */
const SMOOTHING = 1 / 8;
/** Units further apart than this say nothing about the pace. */
const MAX_STEP_UNITS = 8;
const MAX_INTERVAL_US = 250_000;

export class StreamPace {
  #intervalUs = 0;
  #deviationUs = 0;
  #withinUnitUs = 0;
  #frameId = -1;
  #captureUs = 0;
  #fragment = 0;
  #fragments = 1;
  #arrivedUs = 0;

  /** Notes an arrival; only what follows the newest counts. */
  push(frameId: number, captureUs: number, fragment: number, fragments: number, nowUs: number): void {
    const units = (frameId - this.#frameId) | 0;
    if (this.#frameId >= 0 && units < 0) return;
    if (units === 0) {
      if (fragment === this.#fragment + 1) {
        this.#withinUnitUs += (nowUs - this.#arrivedUs - this.#withinUnitUs) * SMOOTHING;
      }
      if (fragment < this.#fragment) return;
    } else if (this.#frameId >= 0 && units <= MAX_STEP_UNITS && captureUs > this.#captureUs) {
      const intervalUs = Math.min(MAX_INTERVAL_US, (captureUs - this.#captureUs) / units);
      const differenceUs = Math.abs(intervalUs - this.#intervalUs);
      const weight = this.#intervalUs === 0 ? 1 : SMOOTHING;
      this.#intervalUs += (intervalUs - this.#intervalUs) * weight;
      this.#deviationUs += ((weight === 1 ? 0 : differenceUs) - this.#deviationUs) * SMOOTHING;
    }
    this.#frameId = frameId;
    this.#captureUs = captureUs;
    this.#fragment = fragment;
    this.#fragments = fragments;
    this.#arrivedUs = nowUs;
  }

  /** Capture time of the newest unit, 0 before the first. */
  get captureUs(): number {
    return this.#captureUs;
  }

  /** Time between units, 0 while unknown. */
  get intervalUs(): number {
    return this.#intervalUs;
  }

  /** Within this after the newest arrival another should have followed, network permitting. */
  get patienceUs(): number {
    if (this.#fragment + 1 < this.#fragments) return 3 * this.#withinUnitUs;
    return this.#intervalUs === 0 ? MAX_INTERVAL_US : 1.1 * this.#intervalUs + 2 * this.#deviationUs;
  }
}
