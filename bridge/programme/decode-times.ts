/**
 * Finds the decode times of pictures that come in decode order with their presentation times alone. The n-th decode time is the n-th
 * smallest presentation time, less the delay that makes no picture due before it is decoded (ISO/IEC 14496-12, 8.6.1).
 */

/** Decode times grow by this at the least, microseconds. */
const LEAST_STEP_US = 100;
/** Of the newest pictures so many may yet be joined by ones that are shown before them. */
const MAX_REORDERED = 4;

export class DecodeTimes {
  /** Presentation times that have come and were not given out as decode times, in rising order. */
  readonly #rising: number[] = [];
  /** Presentation times of the pictures that have not had their turn, in decode order. */
  readonly #order: number[] = [];
  #delayUs = 0;
  #lastUs = Number.NEGATIVE_INFINITY;

  /** A picture has come: some pictures ahead of `next`, so that those that are shown before it have come too. */
  push(timeUs: number): void {
    let at = this.#rising.length;
    while (at > 0 && this.#rising[at - 1]! > timeUs) at--;
    this.#rising.splice(at, 0, timeUs);
    this.#order.push(timeUs);
  }

  /** Decode time of the picture whose turn it is. */
  next(): number {
    // How deep pictures are reordered is seen from those ahead, before the first one is given out.
    const settled = Math.max(1, this.#order.length - MAX_REORDERED);
    for (let i = 0; i < settled; i++) {
      this.#delayUs = Math.max(this.#delayUs, this.#rising[i]! - this.#order[i]!);
    }
    this.#order.shift();
    const nthUs = this.#rising.shift() ?? this.#lastUs + LEAST_STEP_US;
    this.#lastUs = Math.max(nthUs - this.#delayUs, this.#lastUs + LEAST_STEP_US);
    return this.#lastUs;
  }
}
