/**
 * Parts as they stand in a recording's file: each with its mark, and init segments between them where the format changes. A new file keeps its
 * writer's decode times, so that live playlists may list it; a recorder that goes on with a file moves those of its writer, which began anew, to
 * where the file ends.
 */
import type { InitSegment, MediaPart } from "../fmp4/media-part.ts";
import { MAX_INIT_BYTES, MAX_INITS, MAX_PART_BYTES } from "./limits.ts";
import { boxesOf, decodeTimesOf, type MediaTrack, setDecodeTime, tracksOf, viewOf } from "./media-boxes.ts";
import { MARK_BYTES, type PartMark, writeMark } from "./part-mark.ts";

/** What of a file is there already when a recorder goes on with it. */
export interface FramingStart {
  /** Its init segments so far, and the last of them. */
  inits: number;
  lastInit: Uint8Array | undefined;
  /** Where its timeline ends, microseconds. */
  fileUs: number;
}

/** Bytes for the file, in order. */
export interface FramedPart {
  /** An init segment that comes first, where another one is needed. */
  init: { bytes: Uint8Array; picture: boolean } | undefined;
  bytes: Uint8Array;
  mark: PartMark;
}

export type FramingLoss = "malformed" | "no-init" | "too-many-formats" | "before-segment";

export class PartFraming {
  #inits: number;
  #written: Uint8Array | undefined;
  #wanted: { init: InitSegment; tracks: Map<number, MediaTrack> } | undefined;
  /** The next part begins a segment and, except in an empty file, is marked as discontinuous. */
  #isBroken = true;
  /** Where the file's timeline ends; undefined in a new file. */
  readonly #fileUs: number | undefined;
  /** What is added to a capture time for the file's time, and to a decode time in microseconds; set by the first part. */
  #shift: { captureUs: number; decodeUs: number } | undefined;

  constructor(start: FramingStart) {
    this.#inits = start.inits;
    this.#written = start.lastInit;
    this.#fileUs = start.lastInit === undefined ? undefined : start.fileUs;
  }

  /** Returns why it cannot be used. */
  init(init: InitSegment): FramingLoss | undefined {
    if (init.bytes.length > MAX_INIT_BYTES) return "malformed";
    try {
      this.#wanted = { init, tracks: tracksOf(init.bytes) };
      return undefined;
    } catch {
      // Whatever needs it is counted as lost.
      this.#wanted = undefined;
      return "malformed";
    }
  }

  /** A part was lost: the recording goes on at the next segment. */
  break(): void {
    this.#isBroken = true;
  }

  part(given: MediaPart): FramedPart | FramingLoss {
    // Sound's frames last no whole number of microseconds.
    const startUs = Math.round(given.startUs);
    const part = { ...given, startUs, durationUs: Math.round(given.startUs + given.durationUs) - startUs };
    const loss = this.#lossOf(part);
    if (loss !== undefined) return loss;
    const { init, tracks } = this.#wanted!;
    const changes = this.#written === undefined || !isSame(this.#written, init.bytes);
    if (changes && this.#inits >= MAX_INITS) return "too-many-formats";
    const isFirst = this.#written === undefined;
    try {
      const bytes = this.#shifted(part, tracks);
      const mark: PartMark = {
        startUs: part.startUs,
        fileUs: part.startUs + this.#shift!.captureUs,
        durationUs: part.durationUs,
        init: changes ? this.#inits : this.#inits - 1,
        segmentStart: part.segmentStart,
        discontinuity: this.#isBroken && !isFirst,
      };
      writeMark(bytes, mark);
      if (changes) this.#inits += 1;
      this.#written = init.bytes;
      this.#isBroken = false;
      const picture = [...tracks.values()].some((track) => track.picture);
      return { init: changes ? { bytes: init.bytes, picture } : undefined, bytes, mark };
    } catch {
      // The boxes are not what they should be; which part of them does not matter to whoever counts.
      return "malformed";
    }
  }

  #lossOf(part: MediaPart): FramingLoss | undefined {
    if (this.#wanted === undefined || this.#wanted.init.index !== part.init) return "no-init";
    const { startUs, durationUs, bytes } = part;
    const isTime = Number.isSafeInteger(startUs) && Number.isSafeInteger(durationUs) && startUs >= 0;
    if (!isTime || durationUs <= 0 || durationUs > 0xffffffff) return "malformed";
    if (bytes.length > MAX_PART_BYTES) return "malformed";
    return this.#isBroken && !part.segmentStart ? "before-segment" : undefined;
  }

  /** A copy of the part with room for its mark in front, its decode times moved to the file's timeline. */
  #shifted(part: MediaPart, tracks: Map<number, MediaTrack>): Uint8Array {
    const bytes = new Uint8Array(MARK_BYTES + part.bytes.length);
    bytes.set(part.bytes, MARK_BYTES);
    const media = bytes.subarray(MARK_BYTES);
    const times = decodeTimesOf(media);
    const scaleOf = (track: number): number => tracks.get(track)?.timescale ?? Number.NaN;
    if (boxesOf(media).at(-1)?.type !== "mdat") throw new RangeError("no mdat");
    if (times.length === 0 || times.some(({ track }) => !tracks.has(track))) throw new RangeError("no track");
    if (this.#shift === undefined) {
      const firstUs = Math.round(
        Math.min(...times.map(({ track, ticks }) => (ticks * 1e6) / scaleOf(track))),
      );
      const fileUs = this.#fileUs ?? firstUs;
      this.#shift = { captureUs: fileUs - part.startUs, decodeUs: fileUs - firstUs };
    }
    const view = viewOf(media);
    for (const time of times) {
      const shift = Math.round((this.#shift.decodeUs * scaleOf(time.track)) / 1e6);
      setDecodeTime(view, time, Math.max(0, time.ticks + shift));
    }
    return bytes;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && a.every((byte, at) => byte === b[at]));
}
