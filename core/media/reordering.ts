/** How long a decoder keeps pictures that are shown in another order than they come in: B-frames (ITU-T H.264, C.4.5). */

/** Pictures after which a stream that has not gone back in time is taken for one in order. */
const FORGOTTEN_AFTER = 300;
/** More is no reordering but a fault of the stream. */
const MAX_REORDERING_US = 500_000;

export class Reordering {
  #newestUs = Number.NEGATIVE_INFINITY;
  #lastUs = Number.NEGATIVE_INFINITY;
  #stepUs = 0;
  #backUs = 0;
  #inOrder = 0;

  /** Pictures in the order in which they are decoded, by when they are shown. */
  push(timeUs: number): void {
    const backUs = this.#newestUs - timeUs;
    if (backUs > 0 && backUs <= MAX_REORDERING_US) {
      // Between two neighbours in time: the least distance is a frame.
      this.#stepUs =
        this.#stepUs === 0 ? backUs : Math.min(this.#stepUs, Math.abs(timeUs - this.#lastUs) || backUs);
      this.#backUs = Math.max(this.#backUs, backUs);
      this.#inOrder = 0;
    } else if (++this.#inOrder > FORGOTTEN_AFTER) {
      this.#backUs = 0;
      this.#stepUs = 0;
    }
    this.#newestUs = backUs > MAX_REORDERING_US ? timeUs : Math.max(this.#newestUs, timeUs);
    this.#lastUs = timeUs;
  }

  /** From a picture's arrival to its leaving the decoder, beyond the decoding itself; 0 where nothing is reordered. */
  get delayUs(): number {
    return this.#backUs === 0 ? 0 : this.#backUs + this.#stepUs;
  }
}
