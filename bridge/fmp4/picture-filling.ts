/**
 * Fills the time in which a programme has no picture with a black one, in the size of the last: players that began with a picture cannot go
 * on without one (hls.js and MSE keep the tracks that they began with), and stand still where pictures are missing.
 */
import { BlackPicture } from "../picture/black-picture.ts";
import type { PictureUnit } from "../programme/programme.ts";
import { FILL_AFTER_US, FILL_INTERVAL_US, MAX_SEGMENT_US, SEGMENT_US } from "./limits.ts";
import { formatOf } from "./picture-format.ts";

/** Size while there was no picture yet. */
const FIRST_SIZE = { width: 640, height: 360 };

export interface PictureFillingOptions {
  hasPicture(): boolean;
  requestKeyframe(): void;
  onPicture(unit: PictureUnit): void;
}

export class PictureFilling {
  readonly #options: PictureFillingOptions;
  #size = FIRST_SIZE;
  #black: BlackPicture | undefined;
  /** Of real pictures; the first sound until there was one. */
  #pictureUs: number | undefined;
  #keyframeUs: number | undefined;
  /** Of black ones. */
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
      this.#keyframeUs = unit.decodeTimeUs;
    }
    this.#pictureUs = unit.decodeTimeUs;
    if (this.#black === undefined) return this.#options.onPicture(unit);
    if (!unit.keyframe) {
      this.dropped += 1;
      return;
    }
    this.#black = undefined;
    this.#options.onPicture({ ...unit, switched: true });
  }

  /** The time of sound, which always comes. */
  onSound(timeUs: number): void {
    this.#pictureUs ??= timeUs;
    if (this.#black === undefined) {
      const pictureIsThere = this.#options.hasPicture();
      const patienceUs = pictureIsThere ? FILL_AFTER_US : FILL_INTERVAL_US;
      const isMissing = timeUs - this.#pictureUs >= patienceUs;
      // A segment that does not end would have to leave the picture out.
      const isEndless =
        this.#keyframeUs !== undefined && timeUs - this.#keyframeUs > MAX_SEGMENT_US - FILL_INTERVAL_US;
      if (!isMissing && !isEndless) return;
      this.#black = new BlackPicture(this.#size.width, this.#size.height);
      this.#keyframeUs = undefined;
      this.#emit(timeUs, this.#black.keyframe(), true, true);
      if (pictureIsThere) this.#options.requestKeyframe();
      return;
    }
    if (timeUs - this.#filledUs < FILL_INTERVAL_US) return;
    const keyframe = this.#wantsKeyframe || timeUs - this.#filledKeyframeUs >= SEGMENT_US;
    this.#emit(timeUs, keyframe ? this.#black.keyframe() : this.#black.repeat(), keyframe, false);
  }

  /** A keyframe is wanted of whatever is shown. */
  requestKeyframe(): void {
    if (this.#black !== undefined) this.#wantsKeyframe = true;
    if (this.#options.hasPicture()) this.#options.requestKeyframe();
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
