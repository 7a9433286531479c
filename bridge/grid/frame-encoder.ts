/**
 * Composed frames on their way to being pictures: an encoder that is there while frames come, started again when it fails, bounded in what
 * it holds. The n-th frame that an encoder took is the n-th picture that it gives, so times go beside it.
 */
import type { PictureUnit } from "../programme/programme.ts";
import {
  ENCODER_STUCK_US,
  GRID_FRAMES_PER_SECOND,
  GRID_KEYFRAME_SECONDS,
  MAX_FRAMES_ENCODING,
  MAX_WAITING_UNITS,
} from "./limits.ts";
import { PictureCodecError, type PictureCodecs, type PictureEncoder } from "./picture-codec.ts";
import { PictureFrame } from "./picture-frame.ts";
import { RestartPace } from "./restart-pace.ts";

/** Why a composed frame is not shown. `no-encoder`: none runs. `busy`: it had too many. `overflow`: nobody took what it gave. `failed`: it was lost with it. */
export type FrameDrop = "no-encoder" | "busy" | "overflow" | "failed";

const HALF_FRAME_US = 500_000 / GRID_FRAMES_PER_SECOND;
/** Between two frames no more than this counts as an encoder's silence. */
const MOST_PASSED_US = 100_000;

export interface FrameEncoderOptions {
  width: number;
  height: number;
  codecs: Pick<PictureCodecs, "openEncoder">;
  onProblem(error: PictureCodecError): void;
}

export class FrameEncoder {
  readonly dropped: Record<FrameDrop, number> = { "no-encoder": 0, busy: 0, overflow: 0, failed: 0 };
  readonly #options: FrameEncoderOptions;
  readonly #pace = new RestartPace();
  readonly #spare: PictureFrame[] = [];
  /** Times of frames that the encoder has not answered. */
  readonly #encoding: number[] = [];
  readonly #units: PictureUnit[] = [];
  #encoder: PictureEncoder | undefined;
  #isKeyframeWanted = false;
  /** When the newest keyframe is shown. Encoders count frames, of which some may be left out. */
  #keyframeUs = Number.POSITIVE_INFINITY;
  /** The next picture is the first of an encoder. */
  #isFirst = true;
  #nowUs = 0;
  /** How long the encoder has been silent though it had frames, while we ran. */
  #silentUs = 0;

  constructor(options: FrameEncoderOptions) {
    this.#options = options;
  }

  /** The next frame is a keyframe. */
  requestKeyframe(): void {
    this.#isKeyframeWanted = true;
  }

  /** Frames come soon: the encoder may start. */
  prepare(nowUs: number): void {
    this.#nowUs = nowUs;
    if (this.#encoder === undefined) this.#start();
  }

  /** Has `draw` draw the frame of `timeUs`, and encodes it; leaves it out, counted, where that cannot be. */
  push(timeUs: number, nowUs: number, draw: (frame: PictureFrame) => void): void {
    this.#replaceStuck(nowUs - this.#nowUs);
    this.#nowUs = nowUs;
    const encoder = this.#encoder ?? this.#start();
    if (encoder === undefined) return this.#drop("no-encoder");
    if (this.#encoding.length >= MAX_FRAMES_ENCODING) return this.#drop("busy");
    const frame = this.#spare.pop() ?? new PictureFrame(this.#options.width, this.#options.height);
    draw(frame);
    this.#encoding.push(timeUs);
    const isDue = timeUs - this.#keyframeUs >= GRID_KEYFRAME_SECONDS * 1e6 - HALF_FRAME_US;
    if (isDue) this.#keyframeUs = timeUs;
    encoder.push(frame, this.#isKeyframeWanted || isDue, () => this.#takeBack(frame));
    this.#isKeyframeWanted = false;
  }

  /** The next picture that is shown by `untilUs`. */
  take(untilUs: number): PictureUnit | undefined {
    return (this.#units[0]?.timeUs ?? Number.POSITIVE_INFINITY) <= untilUs ? this.#units.shift() : undefined;
  }

  /** Nothing is to be encoded any more, for now; what is encoded can be taken. */
  stop(): void {
    this.#encoder?.close();
    this.#encoder = undefined;
    this.#encoding.length = 0;
  }

  #start(): PictureEncoder | undefined {
    if (!this.#pace.mayStart(this.#nowUs)) return undefined;
    const { width, height, codecs } = this.#options;
    this.#pace.started(this.#nowUs);
    this.#isFirst = true;
    this.#silentUs = 0;
    this.#encoder = codecs.openEncoder({
      width,
      height,
      onUnit: (bytes, keyframe) => this.#give(bytes, keyframe),
      onFailure: (error) => this.#lose(error),
    });
    return this.#encoder;
  }

  #give(bytes: Uint8Array, keyframe: boolean): void {
    this.#silentUs = 0;
    const timeUs = this.#encoding.shift();
    if (timeUs === undefined) return;
    if (this.#units.length === MAX_WAITING_UNITS) {
      this.dropped.overflow += this.#units.length;
      this.#units.length = 0;
      this.#isFirst = true;
    }
    // What was lost is needed until there is a keyframe.
    if (this.#isFirst && !keyframe) {
      this.#isKeyframeWanted = true;
      return this.#drop("overflow");
    }
    if (keyframe) this.#keyframeUs = timeUs;
    this.#units.push({ timeUs, decodeTimeUs: timeUs, keyframe, switched: this.#isFirst, bytes });
    this.#isFirst = false;
  }

  #takeBack(frame: PictureFrame): void {
    if (this.#spare.length < MAX_FRAMES_ENCODING) this.#spare.push(frame);
  }

  /** When this process was held up itself, what the encoder gave lies unread: that is no silence. */
  #replaceStuck(passedUs: number): void {
    if (this.#encoding.length === 0) return;
    this.#silentUs += Math.min(passedUs, MOST_PASSED_US);
    if (this.#silentUs < ENCODER_STUCK_US) return;
    this.#encoder?.close();
    this.#lose(new PictureCodecError("failed", "The encoder of the grid has stopped; it is started again."));
  }

  #lose(error: PictureCodecError): void {
    this.#encoder = undefined;
    this.dropped.failed += this.#encoding.length;
    this.#encoding.length = 0;
    this.#pace.failed(this.#nowUs);
    this.#options.onProblem(error);
  }

  #drop(reason: FrameDrop): void {
    this.dropped[reason]++;
  }
}
