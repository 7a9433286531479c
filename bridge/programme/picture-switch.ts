/**
 * The picture of a programme: follows the choice of whose it is, goes on with the one shown until the next one has a keyframe, and gives
 * them out as one sequence.
 */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { KEYFRAME_REQUEST_INTERVAL_MS } from "../../core/wire/limits.ts";
import type { ParticipantInfo } from "../../core/wire/room-model.ts";
import type { OpenPicture } from "./open-pictures.ts";
import { PictureChooser, type ShownPicture } from "./picture-choice.ts";
import { PictureSource } from "./picture-source.ts";
import { BLOCK_US, type PictureUnit } from "./programme.ts";
import type { PictureRequests, RoomPictures } from "./room-pictures.ts";

/** A little more than a programme is behind. */
const LINGER_US = 700_000;

export class PictureSwitch implements RoomPictures {
  readonly problem = "";
  readonly summary = "";
  readonly #chooser: PictureChooser;
  readonly #requests: PictureRequests;
  #shown: PictureSource | undefined;
  /** Chosen, and not shown before its first keyframe. */
  #coming: PictureSource | undefined;
  /** Since when nobody is to be shown any more. */
  #overSinceUs: number | undefined;
  #isFirst = true;
  #lastShownUs = Number.NEGATIVE_INFINITY;
  #lastDecodedUs = Number.NEGATIVE_INFINITY;
  #askedUs = Number.NEGATIVE_INFINITY;

  constructor(choice: ShownPicture, requests: PictureRequests) {
    this.#chooser = new PictureChooser(choice);
    this.#requests = requests;
  }

  get isShowing(): boolean {
    return this.#shown !== undefined;
  }

  get isExpecting(): boolean {
    return this.isShowing || this.#coming !== undefined;
  }

  reset(): void {
    this.#shown = undefined;
    this.#coming = undefined;
  }

  choose(participants: Iterable<ParticipantInfo>, speakers: readonly string[], nowUs: number): void {
    const people = [...participants];
    const wish = this.#chooser.choose(people, speakers, nowUs);
    this.#endShown(wish === undefined, nowUs);
    if (this.#coming !== undefined && wish?.trackId !== this.#coming.trackId)
      this.#coming = this.#drop(this.#coming);
    if (wish === undefined || wish.trackId === this.#shown?.trackId || this.#coming !== undefined) return;
    this.#coming = this.#open(wish);
  }

  /** When nobody is to be shown, the programme still has to come to the end of the picture that was. */
  #endShown(isOver: boolean, nowUs: number): void {
    if (!isOver || this.#shown === undefined) {
      this.#overSinceUs = undefined;
      return;
    }
    this.#overSinceUs ??= nowUs;
    if (nowUs - this.#overSinceUs > LINGER_US) this.#shown = this.#drop(this.#shown);
  }

  #open({ trackId, identity }: OpenPicture): PictureSource {
    this.#requests.subscribe(trackId, 0);
    this.#requests.requestKeyframe(trackId, 0);
    return new PictureSource(trackId, identity);
  }

  #drop({ trackId }: PictureSource): undefined {
    this.#requests.unsubscribe(trackId);
    return undefined;
  }

  push(trackId: number, unit: AccessUnit, nowUs: number): void {
    if (unit.rendition !== 0) return;
    if (trackId === this.#shown?.trackId) this.#shown.push(unit, nowUs);
    else if (trackId === this.#coming?.trackId) this.#coming.push(unit, nowUs);
  }

  /** Asks whose picture is shown, or about to be, for a keyframe soon; not more often than publishers make one. */
  requestKeyframe(nowUs?: number): void {
    const source = this.#coming ?? this.#shown;
    if (source === undefined) return;
    if (nowUs !== undefined) {
      if (nowUs - this.#askedUs < KEYFRAME_REQUEST_INTERVAL_MS * 1_000) return;
      this.#askedUs = nowUs;
    }
    this.#requests.requestKeyframe(source.trackId, 0);
  }

  /** Gives out what is due in the block that begins at `timeUs`. */
  emit(timeUs: number, nowUs: number, give: (unit: PictureUnit) => void): void {
    const untilUs = timeUs + BLOCK_US;
    const isSwitching = this.#coming?.seekKeyframe(this.#lastShownUs, untilUs, nowUs) === true;
    if (isSwitching) this.#switch();
    const source = this.#shown;
    for (let next = source?.take(untilUs, nowUs); next !== undefined; next = source?.take(untilUs, nowUs)) {
      const { unit, decodeTimeUs } = next;
      const switched = unit.keyframe && this.#isFirst;
      if (!unit.keyframe && this.#isFirst) continue;
      this.#isFirst = false;
      const decodeUs = Math.min(unit.captureTimeUs, Math.max(decodeTimeUs, this.#lastDecodedUs + 1));
      this.#lastDecodedUs = Math.max(decodeUs, this.#lastDecodedUs + 1);
      this.#lastShownUs = Math.max(this.#lastShownUs, unit.captureTimeUs);
      const { keyframe, bytes } = unit;
      // One that came too late for its place in the order is shown when it is decoded.
      const shownUs = Math.max(unit.captureTimeUs, this.#lastDecodedUs);
      give({ timeUs: shownUs, decodeTimeUs: this.#lastDecodedUs, keyframe, switched, bytes });
    }
    // Nothing can be shown, or nothing new, before a keyframe comes.
    if (this.#coming !== undefined || source?.needsKeyframe === true) this.requestKeyframe(nowUs);
  }

  close(): void {
    if (this.#coming !== undefined) this.#coming = this.#drop(this.#coming);
    if (this.#shown !== undefined) this.#shown = this.#drop(this.#shown);
  }

  #switch(): void {
    if (this.#shown !== undefined) this.#drop(this.#shown);
    this.#shown = this.#coming;
    this.#coming = undefined;
    this.#isFirst = true;
  }
}
