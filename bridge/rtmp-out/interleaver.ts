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
  /** How far each has come: nothing before it is to be expected. */
  readonly #reachedUs = { sound: Number.NEGATIVE_INFINITY, picture: Number.NEGATIVE_INFINITY };

  constructor(emit: (item: T) => void) {
    this.#emit = emit;
  }

  push(item: T): void {
    (item.kind === "sound" ? this.#sound : this.#pictures).push(item);
    this.advance(item.kind, item.decodeUs);
  }

  /** There is nothing of this kind before `decodeUs` that has not come. */
  advance(kind: "sound" | "picture", decodeUs: number): void {
    this.#reachedUs[kind] = Math.max(this.#reachedUs[kind], decodeUs);
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
    const { sound, picture } = this.#reachedUs;
    const isInOrder = front.decodeUs <= (front.kind === "sound" ? picture : sound);
    const isFull = this.#sound.length + this.#pictures.length > MAX_INTERLEAVED_TAGS;
    const hasWaited = Math.max(sound, picture) - front.decodeUs >= MAX_INTERLEAVE_US;
    if (isInOrder || isFull || hasWaited) return queue.shift();
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
