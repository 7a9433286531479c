/**
 * Fills the time in which a programme has no picture: players that began with a picture cannot go on without one (hls.js and MSE keep the
 * tracks that they began with), and stand still where pictures are missing. Where somebody's picture should be there and does not come, the
 * last keyframe is held for a while, so that a network that halts makes no new format; where nobody's is there, and after that while, it is
 * a black one in the size of the last.
 */
import { BlackPicture } from "../picture/black-picture.ts";
import type { PictureUnit } from "../programme/programme.ts";
import {
  FILL_AFTER_US,
  FILL_INTERVAL_US,
  HOLD_INTERVAL_US,
  HOLD_US,
  MAX_SEGMENT_US,
  SEGMENT_US,
} from "./limits.ts";
import { formatOf } from "./picture-format.ts";

/** Size while there was no picture yet. */
const FIRST_SIZE = { width: 640, height: 360 };

export interface PictureFillingOptions {
  hasPicture(): boolean;
  requestKeyframe(): void;
  onPicture(unit: PictureUnit): void;
}

/** What is shown in place of pictures. */
interface Filler {
  /** Time between two pictures of it. */
  readonly intervalUs: number;
  /** It gives way to black after this time. */
  readonly untilUs: number;
  keyframe(): Uint8Array;
  /** A picture behind it, where that is less than a keyframe. */
  repeat?(): Uint8Array;
}

export class PictureFilling {
  readonly #options: PictureFillingOptions;
  #size = FIRST_SIZE;
  #filler: Filler | undefined;
  /** Of real pictures; the first sound until there was one. */
  #pictureUs: number | undefined;
  #keyframeUs: number | undefined;
  /** Annex B of the last real one; undefined where it cannot be read. */
  #keyframe: Uint8Array | undefined;
  /** Of pictures of the filler. */
  #filledUs = 0;
  #filledKeyframeUs = 0;
  #wantsKeyframe = false;
  /** Pictures that could not be shown, for they refer to one that was not. */
  dropped = 0;

  constructor(options: PictureFillingOptions) {
    this.#options = options;
  }

  onPicture(unit: PictureUnit): void {
    if (unit.keyframe) {
      const format = formatOf(unit.bytes);
      if (format !== undefined) this.#size = { width: format.width, height: format.height };
      this.#keyframe = format === undefined ? undefined : unit.bytes;
      this.#keyframeUs = unit.decodeTimeUs;
    }
    this.#pictureUs = unit.decodeTimeUs;
    if (this.#filler === undefined) return this.#options.onPicture(unit);
    if (!unit.keyframe) {
      this.dropped += 1;
      return;
    }
    this.#filler = undefined;
    this.#options.onPicture({ ...unit, switched: true });
  }

  /** The time of sound, which always comes. */
  onSound(timeUs: number): void {
    this.#pictureUs ??= timeUs;
    const filler = this.#filler;
    if (filler === undefined) return this.#lookForPicture(timeUs, this.#pictureUs);
    // Whoever takes a picture away is not to be seen any longer.
    const isHeld = filler.untilUs < Number.POSITIVE_INFINITY;
    if (isHeld && (timeUs >= filler.untilUs || !this.#options.hasPicture())) {
      return this.#fill(timeUs, this.#black());
    }
    const isWanted = this.#wantsKeyframe || timeUs - this.#filledKeyframeUs >= SEGMENT_US;
    const keyframe = isWanted || filler.repeat === undefined;
    if (timeUs - this.#filledUs < (this.#wantsKeyframe ? FILL_INTERVAL_US : filler.intervalUs)) return;
    this.#emit(timeUs, keyframe ? filler.keyframe() : filler.repeat!(), keyframe, false);
  }

  /** A keyframe is wanted of whatever is shown. */
  requestKeyframe(): void {
    if (this.#filler !== undefined) this.#wantsKeyframe = true;
    if (this.#options.hasPicture()) this.#options.requestKeyframe();
  }

  #lookForPicture(timeUs: number, pictureUs: number): void {
    const pictureIsThere = this.#options.hasPicture();
    const patienceUs = pictureIsThere ? FILL_AFTER_US : FILL_INTERVAL_US;
    const isMissing = timeUs - pictureUs >= patienceUs;
    // A segment that does not end would have to leave the picture out.
    const isEndless =
      this.#keyframeUs !== undefined && timeUs - this.#keyframeUs > MAX_SEGMENT_US - FILL_INTERVAL_US;
    if (!isMissing && !isEndless) return;
    this.#keyframeUs = undefined;
    this.#fill(timeUs, (pictureIsThere ? this.#held(timeUs) : undefined) ?? this.#black());
    if (pictureIsThere) this.#options.requestKeyframe();
  }

  #held(timeUs: number): Filler | undefined {
    const bytes = this.#keyframe;
    if (bytes === undefined) return undefined;
    return { intervalUs: HOLD_INTERVAL_US, untilUs: timeUs + HOLD_US, keyframe: () => bytes };
  }

  #black(): Filler {
    const picture = new BlackPicture(this.#size.width, this.#size.height);
    return {
      intervalUs: FILL_INTERVAL_US,
      untilUs: Number.POSITIVE_INFINITY,
      keyframe: () => picture.keyframe(),
      repeat: () => picture.repeat(),
    };
  }

  #fill(timeUs: number, filler: Filler): void {
    this.#filler = filler;
    this.#emit(timeUs, filler.keyframe(), true, true);
  }

  #emit(timeUs: number, bytes: Uint8Array, keyframe: boolean, switched: boolean): void {
    this.#filledUs = timeUs;
    if (keyframe) {
      this.#filledKeyframeUs = timeUs;
      this.#wantsKeyframe = false;
    }
    this.#options.onPicture({ timeUs, decodeTimeUs: timeUs, keyframe, switched, bytes });
  }
}
