/** Cut parts as MP4: init segments when the format changes, `moof` + `mdat` for each part, decode times that never overlap or drift. */

import {
  initSegment,
  PICTURE_TIMESCALE,
  PICTURE_TRACK,
  SOUND_TIMESCALE,
  SOUND_TRACK,
  type SoundFormat,
} from "./init-segment.ts";
import { PICTURE_GONE_US } from "./limits.ts";
import type { InitSegment, MediaPart } from "./media-part.ts";
import { movieFragment, type Sample, type TrackRun } from "./movie-fragment.ts";
import type { CutPart } from "./part-cutter.ts";
import type { PictureFormat } from "./picture-format.ts";

/** A frame that is so little off from where the one before ended goes on from it: its time was rounded. */
const SAME_TICKS = 48;

export class PartWriter {
  readonly #sound: SoundFormat;
  readonly #frameTicks: number;
  #inits = 0;
  #sequence = 0;
  /** What media time 0 is; of the first part. */
  #originUs: number | undefined;
  /** Where the sound written so far ends, ticks. */
  #soundTicks: number | undefined;

  constructor(sound: SoundFormat, frameTicks: number) {
    this.#sound = sound;
    this.#frameTicks = frameTicks;
  }

  /** The init segment of the parts that follow. */
  init(picture: PictureFormat | undefined): InitSegment {
    const codecs = picture === undefined ? this.#sound.codec : `${picture.codec},${this.#sound.codec}`;
    return {
      index: this.#inits++,
      bytes: initSegment(this.#sound, picture),
      codecs,
      resolution: picture === undefined ? undefined : { width: picture.width, height: picture.height },
    };
  }

  part(cut: CutPart): MediaPart {
    // Not behind what is decoded first: with B-frames that is before it is shown.
    this.#originUs ??= Math.min(cut.startUs, cut.pictures[0]?.decodeTimeUs ?? cut.startUs);
    this.#sequence += 1;
    const runs = [this.#pictureRun(cut, this.#originUs), this.#soundRun(cut, this.#originUs)];
    return {
      bytes: movieFragment(this.#sequence, runs),
      init: this.#inits - 1,
      startUs: cut.startUs,
      durationUs: cut.endUs - cut.startUs,
      independent: cut.independent,
      segmentStart: cut.segmentStart,
      segmentEnd: cut.segmentEnd,
    };
  }

  #pictureRun({ pictures, endUs, nextDecodeUs }: CutPart, originUs: number): TrackRun {
    const samples = pictures.map((picture, index): Sample => {
      // A picture that is not followed in time stays: players go on with the sound as long as it covers the time.
      const nextUs = pictures[index + 1]?.decodeTimeUs ?? nextDecodeUs ?? endUs + PICTURE_GONE_US;
      return {
        duration: nextUs - picture.decodeTimeUs,
        offset: picture.timeUs - picture.decodeTimeUs,
        sync: picture.keyframe,
        bytes: picture.bytes,
      };
    });
    const firstUs = pictures[0]?.decodeTimeUs ?? originUs;
    return {
      track: PICTURE_TRACK,
      decodeTime: Math.round(((firstUs - originUs) * PICTURE_TIMESCALE) / 1e6),
      samples,
    };
  }

  #soundRun({ sound }: CutPart, originUs: number): TrackRun {
    const starts = sound.map(({ timeUs }) => this.#startOf(timeUs, originUs));
    const samples = sound.map(({ bytes }, index): Sample => {
      const duration = (starts[index + 1] ?? starts[index]! + this.#frameTicks) - starts[index]!;
      return { duration, offset: 0, sync: true, bytes };
    });
    return { track: SOUND_TRACK, decodeTime: starts[0] ?? 0, samples };
  }

  #startOf(timeUs: number, originUs: number): number {
    // Sound that began just before the first part is moved to its start.
    const wanted = Math.max(0, Math.round(((timeUs - originUs) * SOUND_TIMESCALE) / 1e6));
    const expected = this.#soundTicks;
    const goesOn = expected !== undefined && (Math.abs(wanted - expected) <= SAME_TICKS || wanted < expected);
    const start = goesOn ? expected : wanted;
    this.#soundTicks = start + this.#frameTicks;
    return start;
  }
}
