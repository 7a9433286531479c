/**
 * Puts sound and pictures in the order of their decode times. Each waits until the other has come as far, but no longer than
 * MAX_INTERLEAVE_US of media time: a camera that is late must not hold up the sound.
 */
import { MAX_INTERLEAVE_US, MAX_INTERLEAVED_TAGS } from "./limits.ts";

interface Timed {
  kind: "sound" | "picture";
  /** Grows within a kind. */
  decodeUs: number;
}

export class Interleaver<T extends Timed> {
  readonly #emit: (item: T) => void;
  readonly #sound: T[] = [];
  readonly #pictures: T[] = [];
  #newestUs = Number.NEGATIVE_INFINITY;

  constructor(emit: (item: T) => void) {
    this.#emit = emit;
  }

  push(item: T): void {
    (item.kind === "sound" ? this.#sound : this.#pictures).push(item);
    this.#newestUs = Math.max(this.#newestUs, item.decodeUs);
    for (;;) {
      const next = this.#next();
      if (next === undefined) return;
      this.#emit(next);
    }
  }

  /** Everything that waits, in order: nothing comes any more. */
  flush(): void {
    for (;;) {
      const next = this.#earlier().shift();
      if (next === undefined) return;
      this.#emit(next);
    }
  }

  #next(): T | undefined {
    const queue = this.#earlier();
    const front = queue[0];
    if (front === undefined) return undefined;
    const isFull = this.#sound.length + this.#pictures.length > MAX_INTERLEAVED_TAGS;
    const both = this.#sound.length > 0 && this.#pictures.length > 0;
    if (both || isFull || this.#newestUs - front.decodeUs >= MAX_INTERLEAVE_US) return queue.shift();
    return undefined;
  }

  /** The queue whose front is first to be decoded; the sound at the same time, so that no picture waits for its sound. */
  #earlier(): T[] {
    const [sound, picture] = [this.#sound[0], this.#pictures[0]];
    if (sound === undefined) return this.#pictures;
    if (picture === undefined) return this.#sound;
    return sound.decodeUs <= picture.decodeUs ? this.#sound : this.#pictures;
  }
}
