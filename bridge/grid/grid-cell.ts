/** One cell of the grid: whose picture it is, and what of it is shown. When its size changes the old picture stays until the new one is there. */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { OpenPicture } from "../programme/open-pictures.ts";
import type { PictureCodecError, PictureCodecs } from "./picture-codec.ts";
import { PictureFeed } from "./picture-feed.ts";
import type { PictureFrame } from "./picture-frame.ts";

export interface GridCellOptions {
  track: OpenPicture;
  codecs: Pick<PictureCodecs, "openDecoder">;
  /** Asks for a rendition; of another one nothing comes any more. */
  subscribe(rendition: number): void;
  onProblem(error: PictureCodecError): void;
}

/** Units that were left out, of feeds that are over too. */
export interface CellDrops {
  overflow: number;
  undecoded: number;
}

export class GridCell {
  readonly trackId: number;
  readonly dropped: CellDrops = { overflow: 0, undecoded: 0 };
  readonly #options: GridCellOptions;
  #shown: PictureFeed | undefined;
  /** Of the new size; shown from its first frame on. */
  #coming: PictureFeed | undefined;
  #rendition = -1;

  constructor(options: GridCellOptions) {
    this.#options = options;
    this.trackId = options.track.trackId;
  }

  /** Nothing new can be shown before a keyframe comes. */
  get needsKeyframe(): boolean {
    return (this.#coming ?? this.#shown)?.needsKeyframe === true;
  }

  /** That is asked for; 0 is the largest. */
  get rendition(): number {
    return Math.max(0, this.#rendition);
  }

  /** Pictures are wanted in this size from now on. */
  resize(width: number, height: number): void {
    if ((this.#coming ?? this.#shown)?.isSize(width, height) === true) return;
    if (this.#coming !== undefined) this.#end(this.#coming);
    const { trackId, identity, widths } = this.#options.track;
    const rendition = smallestOf(widths, width);
    this.#coming = new PictureFeed({ ...this.#options, trackId, identity, rendition, width, height });
    if (rendition !== this.#rendition) this.#options.subscribe(rendition);
    this.#rendition = rendition;
  }

  push(unit: AccessUnit, nowUs: number): void {
    this.#shown?.push(unit, nowUs);
    this.#coming?.push(unit, nowUs);
  }

  advance(composeUs: number, nowUs: number): void {
    this.#shown?.advance(composeUs, nowUs);
    this.#coming?.advance(composeUs, nowUs);
  }

  /** What is shown at `composeUs`; undefined: nothing. Unchanged until the next call. */
  frameAt(composeUs: number): PictureFrame | undefined {
    if (this.#coming?.hasFrameAt(composeUs) === true) {
      if (this.#shown !== undefined) this.#end(this.#shown);
      this.#shown = this.#coming;
      this.#coming = undefined;
    }
    return this.#shown?.frameAt(composeUs);
  }

  close(): void {
    if (this.#shown !== undefined) this.#end(this.#shown);
    if (this.#coming !== undefined) this.#end(this.#coming);
    this.#shown = undefined;
    this.#coming = undefined;
  }

  #end(feed: PictureFeed): void {
    feed.close();
    this.dropped.overflow += feed.overflowed;
    this.dropped.undecoded += feed.undecoded;
  }
}

/** The smallest rendition that is as wide as the cell; `widths`: largest first. */
function smallestOf(widths: readonly number[], width: number): number {
  return Math.max(
    0,
    widths.findLastIndex((one) => one >= width),
  );
}
