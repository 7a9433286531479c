/** Decoded frames of one picture that wait until they are composed: bounded, the memory used again. */
import { MAX_CELL_FRAMES } from "./limits.ts";
import { PictureFrame } from "./picture-frame.ts";

interface Timed {
  frame: PictureFrame;
  timeUs: number;
}

export class FrameQueue {
  readonly width: number;
  readonly height: number;
  /** Frames that were left out because too many waited. */
  overflowed = 0;
  readonly #waiting: Timed[] = [];
  readonly #spare: PictureFrame[] = [];
  #filling: PictureFrame | undefined;
  /** The one that is shown, and stays until a later one's time has come. */
  #shown: Timed | undefined;

  /** Even width and height of the frames. */
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }

  /** Memory for the next frame; the same until `commit`. */
  begin(): PictureFrame {
    this.#filling ??= this.#spare.pop() ?? new PictureFrame(this.width, this.height);
    return this.#filling;
  }

  /** The frame that was begun is whole. `timeUs`: when it was captured. */
  commit(timeUs: number): void {
    if (this.#filling === undefined) return;
    if (this.#waiting.length === MAX_CELL_FRAMES) {
      this.overflowed++;
      this.#spare.push(this.#waiting.shift()!.frame);
    }
    this.#waiting.push({ frame: this.#filling, timeUs });
    this.#filling = undefined;
  }

  /** A frame has come whose time is not after `untilUs`. */
  hasFrameAt(untilUs: number): boolean {
    return this.#shown !== undefined || (this.#waiting[0]?.timeUs ?? Number.POSITIVE_INFINITY) <= untilUs;
  }

  /** What is shown at `untilUs`: the newest that was captured by then. It stays unchanged until the next call. */
  frameAt(untilUs: number): PictureFrame | undefined {
    while ((this.#waiting[0]?.timeUs ?? Number.POSITIVE_INFINITY) <= untilUs) {
      if (this.#shown !== undefined) this.#spare.push(this.#shown.frame);
      this.#shown = this.#waiting.shift();
    }
    return this.#shown?.frame;
  }
}
