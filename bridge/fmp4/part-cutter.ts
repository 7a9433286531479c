/**
 * Cuts a programme, encoded, into parts and segments. A segment begins at a keyframe where there is a picture; parts lie on a grid of
 * 200 ms behind its start, and the last one of a segment ends where the next begins. Knows no clock: what comes in is what time it is.
 */
import type { PictureUnit } from "../programme/programme.ts";
import type { SoundFrame } from "../sound/sound-encoder.ts";
import {
  FIRST_PICTURE_WAIT_US,
  KEYFRAME_INTERVAL_US,
  MAX_PART_US,
  MAX_SEGMENT_US,
  MIN_SEGMENT_US,
  PART_US,
  PICTURE_GONE_US,
  PICTURE_WAIT_US,
  SEGMENT_US,
  SOUND_WAIT_US,
} from "./limits.ts";
import { isSameFormat, type PictureFormat } from "./picture-format.ts";
import { PictureQueue, type WaitingPicture } from "./picture-queue.ts";
import { SoundQueue } from "./sound-queue.ts";

/** What one part holds. */
export interface CutPart {
  startUs: number;
  endUs: number;
  segmentStart: boolean;
  segmentEnd: boolean;
  independent: boolean;
  sound: readonly SoundFrame[];
  pictures: readonly WaitingPicture[];
  /** When the picture behind the last one is decoded, if it is known. */
  nextDecodeUs: number | undefined;
}

export interface PartCutterOptions {
  frameUs: number;
  /** Somebody's picture is being shown now. */
  hasPicture(): boolean;
  /** How long a keyframe takes from being asked for to being here, microseconds. */
  keyframeLeadUs(): number;
  requestKeyframe(): void;
  /** The parts after it have this picture, or none. Called before the first part, too. */
  onFormat(format: PictureFormat | undefined): void;
  onPart(part: CutPart): void;
}

export class PartCutter {
  readonly #options: PartCutterOptions;
  readonly #pictures = new PictureQueue();
  readonly #sound: SoundQueue;
  /** Of the part that is being gathered, and of its segment; undefined before the first. */
  #partUs: number | undefined;
  #segmentUs = 0;
  #format: PictureFormat | undefined;
  #beginsSegment = true;
  #keyframeAskedUs = Number.NEGATIVE_INFINITY;

  constructor(options: PartCutterOptions) {
    this.#options = options;
    this.#sound = new SoundQueue(options.frameUs);
  }

  /** Pictures and frames that were left out: too late, unreadable, or too many. */
  get dropped(): { pictures: number; sound: number } {
    return { pictures: this.#pictures.dropped, sound: this.#sound.dropped };
  }

  pushSound(frame: SoundFrame): void {
    this.#sound.push(frame, this.#partUs);
    this.#advance(false);
  }

  pushPicture(unit: PictureUnit): void {
    this.#pictures.push(unit, this.#partUs);
    this.#advance(false);
  }

  /** Nothing comes any more: what is here becomes parts. */
  end(): void {
    this.#advance(true);
  }

  #advance(ending: boolean): void {
    if (this.#partUs === undefined && !this.#begin(ending)) return;
    while (this.#cut(ending)) {
      // Until what has come is used up.
    }
    this.#askForKeyframe();
  }

  /** Where the first segment begins: at a keyframe if one comes soon. */
  #begin(ending: boolean): boolean {
    const keyframe = this.#pictures.first;
    const { firstUs, endUs } = this.#sound;
    if (keyframe !== undefined) {
      this.#format = keyframe.format;
      this.#partUs = keyframe.positionUs;
      this.#sound.dropBefore(this.#partUs);
    } else {
      if (firstUs === undefined || endUs === undefined) return false;
      const waits = this.#options.hasPicture() && !ending && endUs - firstUs < FIRST_PICTURE_WAIT_US;
      if (waits) {
        this.#askForKeyframe();
        return false;
      }
      this.#partUs = firstUs;
    }
    this.#segmentUs = this.#partUs;
    this.#options.onFormat(this.#format);
    return true;
  }

  /** Makes the next part if all that belongs into it is here; false = it is not. */
  #cut(ending: boolean): boolean {
    const startUs = this.#partUs!;
    const horizonUs = ending ? this.#lastUs() : this.#horizonUs(startUs);
    if (ending && horizonUs <= startUs) return false;
    if (this.#isPictureGone(startUs)) {
      this.#beginSegment(startUs, undefined);
      return true;
    }
    if (this.#skipGap(startUs)) return true;
    const first = this.#pictures.first;
    if (first !== undefined && first.positionUs <= startUs && this.#beginsSegmentAt(first)) {
      this.#beginSegment(startUs, first.format);
      return true;
    }
    const keyframe = this.#pictures.find(
      (picture) =>
        picture.positionUs > startUs &&
        picture.positionUs <= startUs + MAX_PART_US &&
        this.#beginsSegmentAt(picture),
    );
    const limitUs = this.#format === undefined ? SEGMENT_US : MAX_SEGMENT_US;
    const gridUs = Math.min(startUs + PART_US, this.#segmentUs + limitUs);
    let endUs = keyframe?.positionUs ?? gridUs;
    if (endUs > horizonUs) {
      if (!ending) return false;
      endUs = horizonUs;
    }
    const atKeyframe = keyframe !== undefined && endUs === keyframe.positionUs;
    const atLimit = endUs - this.#segmentUs >= limitUs;
    this.#emit(startUs, endUs, atKeyframe || atLimit);
    this.#partUs = endUs;
    if (atKeyframe) this.#beginSegment(endUs, keyframe.format);
    else if (atLimit) this.#endAtLimit(endUs);
    return true;
  }

  /** Where neither sound nor picture came for longer than a segment may last, a timeline of its own begins behind the gap. */
  #skipGap(startUs: number): boolean {
    const soundUs = this.#sound.firstUs ?? Number.POSITIVE_INFINITY;
    const picture = this.#pictures.first;
    const firstUs = Math.min(soundUs, picture?.positionUs ?? Number.POSITIVE_INFINITY);
    if (firstUs === Number.POSITIVE_INFINITY || firstUs - startUs <= MAX_SEGMENT_US) return false;
    this.#partUs = firstUs;
    this.#segmentUs = firstUs;
    this.#beginsSegment = true;
    this.#format = picture?.positionUs === firstUs ? picture.format : undefined;
    if (this.#format === undefined) this.#pictures.awaitKeyframe();
    this.#options.onFormat(this.#format);
    return true;
  }

  #beginsSegmentAt(picture: WaitingPicture): boolean {
    if (picture.format === undefined) return false;
    if (this.#format === undefined || !isSameFormat(this.#format, picture.format)) return true;
    return picture.positionUs - this.#segmentUs >= MIN_SEGMENT_US;
  }

  #beginSegment(startUs: number, format: PictureFormat | undefined): void {
    this.#segmentUs = startUs;
    this.#beginsSegment = true;
    const same =
      format === undefined || this.#format === undefined
        ? format === this.#format
        : isSameFormat(format, this.#format);
    this.#format = format;
    if (!same) this.#options.onFormat(format);
  }

  /** Sound alone goes on with a segment; a picture without keyframes is left out until one comes. */
  #endAtLimit(endUs: number): void {
    if (this.#format !== undefined) this.#pictures.awaitKeyframe();
    this.#beginSegment(endUs, undefined);
  }

  #emit(startUs: number, endUs: number, segmentEnd: boolean): void {
    const sound = this.#sound.takeBefore(endUs);
    const pictures = this.#format === undefined ? [] : this.#pictures.takeBefore(endUs);
    if (sound.length === 0 && pictures.length === 0) return;
    const segmentStart = this.#beginsSegment;
    this.#beginsSegment = false;
    this.#options.onPart({
      startUs,
      endUs,
      segmentStart,
      segmentEnd,
      independent: this.#format === undefined || pictures[0]?.keyframe === true,
      sound,
      pictures,
      nextDecodeUs: this.#pictures.first?.decodeTimeUs,
    });
  }

  /** Up to where everything is here, or will not be waited for. */
  #horizonUs(startUs: number): number {
    const soundUs = this.#sound.endUs ?? startUs;
    const pictureUs = this.#pictures.newestUs ?? startUs;
    const expectsPicture =
      this.#format !== undefined || this.#pictures.first !== undefined || this.#options.hasPicture();
    if (!expectsPicture) return soundUs;
    return Math.min(
      Math.max(soundUs, pictureUs - SOUND_WAIT_US),
      Math.max(pictureUs, soundUs - PICTURE_WAIT_US),
    );
  }

  #lastUs(): number {
    const pictureUs = this.#pictures.first === undefined ? undefined : this.#pictures.newestUs;
    return Math.max(
      this.#sound.firstUs === undefined ? 0 : (this.#sound.endUs ?? 0),
      pictureUs === undefined ? 0 : pictureUs + 1,
    );
  }

  #isPictureGone(startUs: number): boolean {
    if (this.#format === undefined || this.#pictures.first !== undefined) return false;
    const newestUs = this.#pictures.newestUs ?? startUs;
    const soundUs = this.#sound.endUs ?? startUs;
    const patienceUs = this.#options.hasPicture() ? PICTURE_GONE_US : PICTURE_WAIT_US;
    return newestUs < startUs && soundUs - newestUs > patienceUs;
  }

  #askForKeyframe(): void {
    const nowUs = Math.max(this.#sound.endUs ?? 0, this.#pictures.newestUs ?? 0);
    if (nowUs - this.#keyframeAskedUs < KEYFRAME_INTERVAL_US) return;
    const isWanted =
      this.#format === undefined || this.#partUs === undefined || this.#pictures.awaitsKeyframe
        ? this.#options.hasPicture() && this.#pictures.first === undefined
        : nowUs - this.#segmentUs >=
            Math.max(SEGMENT_US - this.#options.keyframeLeadUs(), KEYFRAME_INTERVAL_US) &&
          this.#pictures.find((picture) => this.#beginsSegmentAt(picture)) === undefined;
    if (!isWanted) return;
    this.#keyframeAskedUs = nowUs;
    this.#options.requestKeyframe();
  }
}
