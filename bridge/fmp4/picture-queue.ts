/** Pictures that wait for the part that they belong to, in decode order, each with its place on the programme's timeline. */
import type { PictureUnit } from "../programme/programme.ts";
import { MAX_WAITING_BYTES, MAX_WAITING_PICTURES, PICTURE_WAIT_US } from "./limits.ts";
import { formatOf, type PictureFormat, toSample } from "./picture-format.ts";

export interface WaitingPicture {
  timeUs: number;
  decodeTimeUs: number;
  /** Decode time, moved so that a keyframe's is the time at which it is shown: where sound and picture are cut. */
  positionUs: number;
  keyframe: boolean;
  /** Of keyframes. */
  format: PictureFormat | undefined;
  /** With NAL unit lengths. */
  bytes: Uint8Array;
}

export class PictureQueue {
  readonly #waiting: WaitingPicture[] = [];
  #bytes = 0;
  #awaitsKeyframe = true;
  /** Position minus decode time since the last keyframe. */
  #shiftUs = 0;
  #newestUs: number | undefined;
  #newestDecodeUs = Number.NEGATIVE_INFINITY;
  dropped = 0;

  get first(): WaitingPicture | undefined {
    return this.#waiting[0];
  }

  /** Position of the newest picture that was taken, whether or not it still waits. */
  get newestUs(): number | undefined {
    return this.#newestUs;
  }

  get awaitsKeyframe(): boolean {
    return this.#awaitsKeyframe;
  }

  find(matches: (picture: WaitingPicture) => boolean): WaitingPicture | undefined {
    return this.#waiting.find(matches);
  }

  /** `partUs`: start of the oldest part that is not made yet. A picture that is a little late for it is put at its start. */
  push(unit: PictureUnit, partUs: number | undefined): void {
    const format = unit.keyframe ? formatOf(unit.bytes) : undefined;
    if (unit.keyframe ? format === undefined : this.#awaitsKeyframe) return this.#drop();
    if (this.#waiting.length >= MAX_WAITING_PICTURES || this.#bytes + unit.bytes.length > MAX_WAITING_BYTES) {
      return this.#drop();
    }
    if (unit.keyframe) this.#shiftUs = unit.timeUs - unit.decodeTimeUs;
    const wantedUs = unit.decodeTimeUs + this.#shiftUs;
    const earliestUs = Math.max(partUs ?? wantedUs, (this.#newestUs ?? wantedUs - 1) + 1);
    const positionUs = Math.max(wantedUs, earliestUs);
    if (positionUs - wantedUs > PICTURE_WAIT_US) return this.#drop();
    this.#awaitsKeyframe = false;
    const bytes = toSample(unit.bytes);
    this.#bytes += bytes.length;
    this.#newestUs = positionUs;
    // Where sources take turns the first unit of one may lie before the last of another.
    const decodeTimeUs = Math.max(unit.decodeTimeUs, this.#newestDecodeUs + 1);
    this.#newestDecodeUs = decodeTimeUs;
    const timeUs = Math.max(unit.timeUs, decodeTimeUs);
    this.#waiting.push({ timeUs, decodeTimeUs, positionUs, keyframe: unit.keyframe, format, bytes });
  }

  /** Those before `endUs`, no longer waiting. */
  takeBefore(endUs: number): WaitingPicture[] {
    const after = this.#waiting.findIndex(({ positionUs }) => positionUs >= endUs);
    const taken = this.#waiting.splice(0, after === -1 ? this.#waiting.length : after);
    for (const { bytes } of taken) this.#bytes -= bytes.length;
    return taken;
  }

  /** Leaves out everything up to the next keyframe. */
  awaitKeyframe(): void {
    const next = this.#waiting.findIndex(({ keyframe }) => keyframe);
    const gone = this.#waiting.splice(0, next === -1 ? this.#waiting.length : next);
    for (const { bytes } of gone) this.#bytes -= bytes.length;
    this.dropped += gone.length;
    if (next === -1) this.#awaitsKeyframe = true;
  }

  /** What comes after a picture that is missing cannot be shown until a keyframe. */
  #drop(): void {
    this.dropped += 1;
    this.#awaitsKeyframe = true;
  }
}
