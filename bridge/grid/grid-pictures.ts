/**
 * Everybody's pictures as one: follows who is there, lays the cells out anew where that changes, composes a frame each 33 ms out of the newest
 * of each cell, and gives them out encoded. All cells show the same moment; a layout holds from the moment on at which it was decided.
 */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { KEYFRAME_REQUEST_INTERVAL_MS } from "../../core/wire/limits.ts";
import type { ParticipantInfo } from "../../core/wire/room-model.ts";
import { type OpenPicture, openPicturesOf } from "../programme/open-pictures.ts";
import { BLOCK_US, type PictureUnit } from "../programme/programme.ts";
import type { PictureRequests, RoomPictures } from "../programme/room-pictures.ts";
import { FrameEncoder } from "./frame-encoder.ts";
import { GridCell } from "./grid-cell.ts";
import { GridChooser } from "./grid-choice.ts";
import { type Cell, layoutGrid } from "./grid-layout.ts";
import {
  ENCODE_LEAD_US,
  GRID_FRAMES_PER_SECOND,
  GRID_HEIGHT,
  GRID_WIDTH,
  LEAST_LAYOUT_US,
} from "./limits.ts";
import type { PictureCodecError, PictureCodecs } from "./picture-codec.ts";
import type { PictureFrame } from "./picture-frame.ts";

/** A process that was held up for longer goes on from now. */
const MAX_BEHIND_US = 500_000;

/** Who is where, from a moment on. */
interface Layout {
  fromUs: number;
  trackIds: readonly number[];
  places: readonly Cell[];
}

const NOBODY: Layout = { fromUs: Number.NEGATIVE_INFINITY, trackIds: [], places: [] };

export interface GridPicturesOptions {
  codecs: PictureCodecs;
  requests: PictureRequests;
  /** From capture to being given out, of the programme, microseconds. */
  delayUs: number;
  log(line: string): void;
}

export class GridPictures implements RoomPictures {
  problem = "";
  readonly #options: GridPicturesOptions;
  readonly #chooser = new GridChooser();
  readonly #encoder: FrameEncoder;
  readonly #cells = new Map<number, GridCell>();
  readonly #askedUs = new Map<number, number>();
  readonly #dropped = { overflow: 0, undecoded: 0 };
  #wanted: readonly OpenPicture[] = [];
  #layout = NOBODY;
  #next: Layout | undefined;
  #changedUs = Number.NEGATIVE_INFINITY;
  /** Number of the frame that is composed next, since the Unix epoch. */
  #frame: number | undefined;
  #keyframeAskedUs = Number.NEGATIVE_INFINITY;

  constructor(options: GridPicturesOptions) {
    this.#options = options;
    this.#encoder = new FrameEncoder({
      width: GRID_WIDTH,
      height: GRID_HEIGHT,
      codecs: options.codecs,
      onProblem: (error) => this.#onProblem(error, true),
    });
  }

  get isShowing(): boolean {
    return this.#layout.trackIds.length > 0 && this.problem === "";
  }

  get isExpecting(): boolean {
    return this.isShowing;
  }

  get summary(): string {
    const { "no-encoder": none, busy, overflow, failed } = this.#encoder.dropped;
    const { overflow: late, undecoded } = this.#dropped;
    return `; grid: pictures not decoded ${undecoded}, too many ${late}; frames without an encoder ${none}, too many ${busy}, not taken ${overflow}, lost with an encoder ${failed}`;
  }

  choose(participants: Iterable<ParticipantInfo>, speakers: readonly string[]): void {
    this.#wanted = this.#chooser.choose(openPicturesOf(participants), speakers);
  }

  push(trackId: number, unit: AccessUnit, nowUs: number): void {
    this.#cells.get(trackId)?.push(unit, nowUs);
  }

  requestKeyframe(nowUs?: number): void {
    if (nowUs !== undefined) {
      if (nowUs - this.#keyframeAskedUs < KEYFRAME_REQUEST_INTERVAL_MS * 1_000) return;
      this.#keyframeAskedUs = nowUs;
    }
    this.#encoder.requestKeyframe();
  }

  emit(timeUs: number, nowUs: number, give: (unit: PictureUnit) => void): void {
    const untilUs = timeUs + BLOCK_US;
    this.#plan(untilUs + this.#options.delayUs, nowUs);
    const composeUs = untilUs + ENCODE_LEAD_US;
    for (const cell of this.#cells.values()) cell.advance(composeUs, nowUs);
    this.#askForKeyframes(nowUs);
    const last = Math.floor((composeUs * GRID_FRAMES_PER_SECOND) / 1e6);
    const behind = (MAX_BEHIND_US * GRID_FRAMES_PER_SECOND) / 1e6;
    if (this.#frame === undefined || last - this.#frame > behind) this.#frame = last;
    for (; this.#frame <= last; this.#frame++) this.#compose(this.#frame, nowUs);
    for (let unit = this.#encoder.take(untilUs); unit !== undefined; unit = this.#encoder.take(untilUs)) {
      this.problem = "";
      give(unit);
    }
  }

  reset(): void {
    for (const trackId of [...this.#cells.keys()]) this.#discard(trackId);
    this.#layout = NOBODY;
    this.#next = undefined;
  }

  close(): void {
    this.reset();
    this.#encoder.stop();
  }

  /** Decides on the next layout where another one is wanted than there is; its cells begin to decode. */
  #plan(roomNowUs: number, nowUs: number): void {
    const trackIds = this.#wanted.map(({ trackId }) => trackId);
    const newest = this.#next ?? this.#layout;
    if (trackIds.join() === newest.trackIds.join() || this.#next !== undefined) return;
    if (roomNowUs - this.#changedUs < LEAST_LAYOUT_US) return;
    this.#changedUs = roomNowUs;
    const places = layoutGrid(trackIds.length, GRID_WIDTH, GRID_HEIGHT);
    this.#next = { fromUs: roomNowUs, trackIds, places };
    this.#wanted.forEach((track, index) => {
      const cell = this.#cells.get(track.trackId) ?? this.#open(track);
      cell.resize(places[index]!.width, places[index]!.height, roomNowUs);
    });
    if (trackIds.length > 0) this.#encoder.prepare(nowUs);
  }

  #open(track: OpenPicture): GridCell {
    const { codecs, requests } = this.#options;
    const cell = new GridCell({
      track,
      codecs,
      subscribe: (rendition) => {
        requests.subscribe(track.trackId, rendition);
      },
      onProblem: (error) => this.#onProblem(error, false),
    });
    this.#cells.set(track.trackId, cell);
    return cell;
  }

  #discard(trackId: number): void {
    const cell = this.#cells.get(trackId);
    if (cell === undefined) return;
    cell.close();
    this.#dropped.overflow += cell.dropped.overflow;
    this.#dropped.undecoded += cell.dropped.undecoded;
    this.#cells.delete(trackId);
    this.#askedUs.delete(trackId);
  }

  #compose(frame: number, nowUs: number): void {
    const timeUs = Math.round((frame * 1e6) / GRID_FRAMES_PER_SECOND);
    if (this.#next !== undefined && this.#next.fromUs <= timeUs) this.#useNext(this.#next);
    for (const cell of this.#cells.values()) cell.seek(timeUs);
    if (this.#layout.trackIds.length > 0) this.#encoder.push(timeUs, nowUs, (into) => this.#draw(into));
  }

  #useNext(next: Layout): void {
    for (const trackId of this.#layout.trackIds) {
      if (next.trackIds.includes(trackId)) continue;
      this.#discard(trackId);
      this.#options.requests.unsubscribe(trackId);
    }
    this.#layout = next;
    this.#next = undefined;
    if (next.trackIds.length === 0) this.#encoder.stop();
  }

  #draw(into: PictureFrame): void {
    into.darken();
    const { trackIds, places } = this.#layout;
    for (let index = 0; index < trackIds.length; index++) {
      const picture = this.#cells.get(trackIds[index]!)?.picture;
      if (picture !== undefined) into.draw(picture, places[index]!);
    }
  }

  #askForKeyframes(nowUs: number): void {
    for (const [trackId, cell] of this.#cells) {
      const askedUs = this.#askedUs.get(trackId) ?? Number.NEGATIVE_INFINITY;
      if (!cell.needsKeyframe || nowUs - askedUs < KEYFRAME_REQUEST_INTERVAL_MS * 1_000) continue;
      this.#askedUs.set(trackId, nowUs);
      this.#options.requests.requestKeyframe(trackId, cell.rendition);
    }
  }

  /** A cell alone may be dark; that nothing works is told to people. */
  #onProblem(error: PictureCodecError, concernsAll: boolean): void {
    this.#options.log(error.message);
    if (concernsAll || error.reason === "missing") this.problem = error.message;
  }
}
