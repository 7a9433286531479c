/** Plays pictures in real time, over and over, with a tone: a programme as a room makes it, for tests that need the wall clock. */
import type { PictureUnit } from "../../bridge/programme/programme.ts";
import { wallClock } from "../sim/wall-clock.ts";
import { PlayedProgramme } from "./played-programme.ts";

/** How far the programme lies behind what is captured, as after a jitter buffer. */
const DELAY_US = 150_000;

export class LiveSource {
  readonly programme = new PlayedProgramme();
  readonly #pictures: readonly PictureUnit[];
  readonly #lengthUs: number;
  #startUs = 0;
  #nextPicture = 0;
  #nextBlockUs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** False: nobody's picture is there. */
  showsPicture = true;
  /** True: somebody's picture is there and does not come. */
  stalls = false;

  /** `lengthUs`: of the pictures, after which they begin anew. */
  constructor(pictures: readonly PictureUnit[], lengthUs: number) {
    this.#pictures = pictures;
    this.#lengthUs = lengthUs;
    this.programme.delayMs = DELAY_US / 1000;
  }

  /** Capture time of the first picture. */
  get startUs(): number {
    return this.#startUs;
  }

  start(): void {
    this.#startUs = Math.round(wallClock.nowUs());
    this.#nextBlockUs = this.#startUs;
    this.#timer = setInterval(() => this.#tick(), 10);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.programme.end();
  }

  #tick(): void {
    const dueUs = wallClock.nowUs() - DELAY_US;
    this.programme.hasPicture = this.showsPicture;
    for (; this.#nextBlockUs <= dueUs; this.#nextBlockUs += 20_000) {
      this.#playPictures(this.#nextBlockUs);
      this.programme.sound(this.#nextBlockUs);
    }
  }

  #playPictures(dueUs: number): void {
    for (;;) {
      const round = Math.floor(this.#nextPicture / this.#pictures.length);
      const unit = this.#pictures[this.#nextPicture % this.#pictures.length]!;
      const offsetUs = this.#startUs + round * this.#lengthUs;
      if (unit.decodeTimeUs + offsetUs > dueUs) return;
      this.#nextPicture += 1;
      if (!this.showsPicture || this.stalls) continue;
      const [timeUs, decodeTimeUs] = [unit.timeUs + offsetUs, unit.decodeTimeUs + offsetUs];
      this.programme.picture({ ...unit, timeUs, decodeTimeUs });
    }
  }
}
