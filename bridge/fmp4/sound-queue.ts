/** Frames of sound that wait for the part that they belong to. */
import type { SoundFrame } from "../sound/sound-encoder.ts";
import { MAX_WAITING_FRAMES } from "./limits.ts";

export class SoundQueue {
  readonly #frameUs: number;
  readonly #waiting: SoundFrame[] = [];
  #endUs: number | undefined;
  /** Left out: too late for their part, or too many. */
  dropped = 0;

  constructor(frameUs: number) {
    this.#frameUs = frameUs;
  }

  get firstUs(): number | undefined {
    return this.#waiting[0]?.timeUs;
  }

  /** Where the newest frame ends. */
  get endUs(): number | undefined {
    return this.#endUs;
  }

  /** `partUs`: start of the oldest part that is not made yet. */
  push(frame: SoundFrame, partUs: number | undefined): void {
    const isLate = partUs !== undefined && frame.timeUs + this.#frameUs <= partUs;
    const isBehind = this.#endUs !== undefined && frame.timeUs + this.#frameUs / 2 < this.#endUs;
    if (isLate || isBehind) {
      this.dropped += 1;
      return;
    }
    if (this.#waiting.length >= MAX_WAITING_FRAMES) {
      this.#waiting.shift();
      this.dropped += 1;
    }
    this.#waiting.push(frame);
    this.#endUs = frame.timeUs + this.#frameUs;
  }

  /** Those that begin before `endUs`, no longer waiting. */
  takeBefore(endUs: number): SoundFrame[] {
    const after = this.#waiting.findIndex(({ timeUs }) => timeUs >= endUs);
    return this.#waiting.splice(0, after === -1 ? this.#waiting.length : after);
  }

  /** Lets go of what ends before the first part begins. */
  dropBefore(startUs: number): void {
    this.takeBefore(startUs - this.#frameUs / 2);
  }
}
