/** A video encoder as far as a network sees it: sizes of pictures for a rate, and keyframes as often as client/worker/video-sender.ts makes them. */

export const PICTURES_PER_SECOND = 30;
const KEYFRAME_SECONDS = 4;
const LIMITED_KEYFRAME_SECONDS = 12;
/** A keyframe is so many times as large as another picture. */
const KEYFRAME_SIZE = 5;

export class SimulatedEncoder {
  /** What it makes where nothing limits it, bits a second. */
  readonly fullBps: number;
  /** What it was told to make. */
  toldBps = Number.POSITIVE_INFINITY;
  keyframeWanted = true;
  keyframes = 0;
  /** Pictures since the last keyframe. */
  sinceKeyframe = 0;

  constructor(fullBps: number) {
    this.fullBps = fullBps;
  }

  /** Bits a second that it makes now. */
  get bps(): number {
    return Math.min(this.fullBps, this.toldBps);
  }

  /** Bytes of the next picture; `weight` for one that is larger or smaller than others. */
  next(weightOf: (sinceKeyframe: number) => number = () => 1): { size: number; keyframe: boolean } {
    const seconds = this.bps < this.fullBps ? LIMITED_KEYFRAME_SECONDS : KEYFRAME_SECONDS;
    const every = seconds * PICTURES_PER_SECOND;
    const keyframe = this.keyframeWanted || this.sinceKeyframe + 1 >= every;
    this.sinceKeyframe = keyframe ? 0 : this.sinceKeyframe + 1;
    this.keyframeWanted = false;
    if (keyframe) this.keyframes++;
    const mean = (this.bps / 8 / PICTURES_PER_SECOND) * (every / (every - 1 + KEYFRAME_SIZE));
    const weight = keyframe ? KEYFRAME_SIZE : weightOf(this.sinceKeyframe);
    return { size: Math.round(mean * weight), keyframe };
  }
}
