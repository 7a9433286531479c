/** One rendition of a picture track on its way into a cell: ordered, handed to a decoder ahead of its time, decoded again where that fails. */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { PictureSource } from "../programme/picture-source.ts";
import { FrameQueue } from "./frame-queue.ts";
import { DECODE_LEAD_US, KEEP_PICTURE_US } from "./limits.ts";
import { PictureCodecError, type PictureCodecs, type PictureDecoder } from "./picture-codec.ts";
import type { PictureFrame } from "./picture-frame.ts";
import { RestartPace } from "./restart-pace.ts";

export interface PictureFeedOptions {
  trackId: number;
  identity: string;
  rendition: number;
  /** Of the cell, even. */
  width: number;
  height: number;
  codecs: Pick<PictureCodecs, "openDecoder">;
  onProblem(error: PictureCodecError): void;
}

export class PictureFeed {
  readonly rendition: number;
  /** Access units that no decoder was there for. */
  undecoded = 0;
  readonly #options: PictureFeedOptions;
  readonly #source: PictureSource;
  readonly #frames: FrameQueue;
  readonly #pace = new RestartPace();
  /** Undefined before the first keyframe, and after a failure until the next. */
  #decoder: PictureDecoder | undefined;
  /** Since when pictures fail to be decoded. */
  #lostUs: number | undefined;
  #shown: PictureFrame | undefined;
  #nowUs = 0;

  constructor(options: PictureFeedOptions) {
    this.#options = options;
    this.rendition = options.rendition;
    this.#source = new PictureSource(options.trackId, options.identity);
    this.#frames = new FrameQueue(options.width, options.height);
  }

  /** Frames and units that were left out since too many waited. */
  get overflowed(): number {
    return this.#source.overflowed + this.#frames.overflowed;
  }

  /** Nothing can be shown before a keyframe comes. */
  get needsKeyframe(): boolean {
    if (this.#decoder === undefined) return this.#pace.mayStart(this.#nowUs);
    return this.#source.needsKeyframe;
  }

  isSize(width: number, height: number): boolean {
    return this.#frames.width === width && this.#frames.height === height;
  }

  push(unit: AccessUnit, nowUs: number): void {
    if (unit.rendition === this.rendition) this.#source.push(unit, nowUs);
  }

  /** Decodes what is composed by `composeUs`, and what comes soon after. */
  advance(composeUs: number, nowUs: number): void {
    this.#nowUs = nowUs;
    const untilUs = composeUs + DECODE_LEAD_US;
    for (let next = this.#source.take(untilUs, nowUs); next !== undefined; ) {
      this.#decode(next.unit);
      next = this.#source.take(untilUs, nowUs);
    }
  }

  hasFrameAt(composeUs: number): boolean {
    return this.#frames.hasFrameAt(composeUs);
  }

  /** What the cell shows at `composeUs`; undefined: it is dark. Unchanged until the next call. */
  frameAt(composeUs: number): PictureFrame | undefined {
    const frame = this.#frames.frameAt(composeUs);
    if (frame !== this.#shown) this.#lostUs = undefined;
    this.#shown = frame;
    const isLost = this.#lostUs !== undefined && this.#nowUs - this.#lostUs > KEEP_PICTURE_US;
    return isLost ? undefined : frame;
  }

  close(): void {
    this.#decoder?.close();
    this.#decoder = undefined;
  }

  #decode({ keyframe, captureTimeUs, bytes }: AccessUnit): void {
    if (this.#decoder === undefined) {
      if (!keyframe || !this.#pace.mayStart(this.#nowUs)) {
        this.undecoded++;
        return;
      }
      this.#pace.started(this.#nowUs);
      this.#decoder = this.#options.codecs.openDecoder({
        frames: this.#frames,
        onFailure: (error) => this.#lose(error),
      });
    }
    if (this.#decoder.push(bytes, captureTimeUs)) return;
    this.#decoder.close();
    this.#lose(new PictureCodecError("failed", "A decoder took no more bytes; it is started again."));
  }

  #lose(error: PictureCodecError): void {
    this.#decoder = undefined;
    this.#lostUs ??= this.#nowUs;
    this.#pace.failed(this.#nowUs);
    this.#options.onProblem(error);
  }
}
