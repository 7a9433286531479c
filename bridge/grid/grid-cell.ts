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
  #comingFromUs = 0;
  #picture: PictureFrame | undefined;
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

  /** Pictures are wanted in this size, to be shown from `fromUs` on. */
  resize(width: number, height: number, fromUs: number): void {
    if ((this.#coming ?? this.#shown)?.isSize(width, height) === true) return;
    if (this.#coming !== undefined) this.#end(this.#coming);
    const { trackId, identity, widths } = this.#options.track;
    const rendition = smallestOf(widths, width);
    this.#coming = new PictureFeed({ ...this.#options, trackId, identity, rendition, width, height });
    this.#comingFromUs = fromUs;
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

  /** What is shown at the moment that was sought last; undefined: nothing. */
  get picture(): PictureFrame | undefined {
    return this.#picture;
  }

  /** Goes on to what is shown at `composeUs`. */
  seek(composeUs: number): void {
    if (composeUs >= this.#comingFromUs && this.#coming?.hasFrameAt(composeUs) === true) {
      if (this.#shown !== undefined) this.#end(this.#shown);
      this.#shown = this.#coming;
      this.#coming = undefined;
    }
    this.#picture = this.#shown?.frameAt(composeUs);
    // What comes too early makes room for what follows.
    this.#coming?.frameAt(composeUs);
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
