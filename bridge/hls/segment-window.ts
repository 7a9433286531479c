/** The newest segments and parts of one rendition in memory, by their numbers, within bounds. */
import type { InitSegment, MediaPart } from "../fmp4/media-part.ts";
import { KEPT_SEGMENTS, MAX_SEGMENT_PARTS, MAX_WINDOW_BYTES, MAX_WINDOW_SEGMENTS } from "./limits.ts";
import type { ListedPart, ListedSegment } from "./media-playlist.ts";

/**
 * A history in front may have discontinuities from before, so they do not count from 0. Not seconds since 1970, as segments do: hls.js 1.7
 * comes to a standstill over numbers of thousand millions.
 */
const FIRST_DISCONTINUITY = 1_000;

/** A segment with its bytes. */
export interface HeldSegment extends ListedSegment {
  sequence: number;
  initIndex: number;
  parts: (ListedPart & { bytes: Uint8Array })[];
  /** All parts behind each other, once it is complete. */
  bytes: Uint8Array | undefined;
  byteCount: number;
}

export class SegmentWindow {
  readonly #prefix: string;
  /** Number of the first segment that was ever here. */
  readonly first: number;
  readonly #segments: HeldSegment[] = [];
  readonly #inits = new Map<number, InitSegment>();
  #init: InitSegment | undefined;
  #bytes = 0;
  #listedFrom = 0;
  #unlistedDiscontinuities = 0;
  /** Bits a second of the fullest segment so far. */
  peakBps = 0;

  /** `prefix` begins the names of all resources, `first` is the number of the first segment. */
  constructor(prefix: string, first: number) {
    this.#prefix = prefix;
    this.first = first;
  }

  /** Those in the playlist, oldest first. */
  get listed(): readonly HeldSegment[] {
    return this.#segments.slice(this.#listedFrom);
  }

  get newest(): HeldSegment | undefined {
    return this.#segments.at(-1);
  }

  get newestInit(): InitSegment | undefined {
    return this.#init;
  }

  /** Discontinuities of segments that are no longer listed. */
  get discontinuities(): number {
    return FIRST_DISCONTINUITY + this.#unlistedDiscontinuities;
  }

  addInit(init: InitSegment): void {
    this.#init = init;
    this.#inits.set(init.index, init);
  }

  /** Takes the next part. One that does not begin a segment needs one that is open. */
  addPart(part: MediaPart): void {
    let segment = this.newest;
    if (part.segmentStart || segment === undefined || segment.complete) {
      this.complete();
      segment = this.#open(part);
    }
    const last = segment.parts.at(-1);
    if (last !== undefined && segment.parts.length >= MAX_SEGMENT_PARTS) {
      last.bytes = join([last.bytes, part.bytes]);
    } else {
      const uri = `${this.#prefix}p${segment.sequence}.${segment.parts.length}.m4s`;
      const { durationUs, independent, bytes } = part;
      segment.parts.push({ uri, durationUs, independent, bytes });
    }
    segment.durationUs += part.durationUs;
    segment.byteCount += part.bytes.length;
    this.#bytes += part.bytes.length;
    if (part.segmentEnd === true) this.complete();
    this.#trim();
  }

  /** The open segment, if there is one, has all its parts. */
  complete(): void {
    const segment = this.newest;
    if (segment === undefined || segment.complete) return;
    const bytes = join(segment.parts.map((part) => part.bytes));
    let at = 0;
    for (const part of segment.parts) {
      // One buffer for both.
      part.bytes = bytes.subarray(at, at + part.bytes.length);
      at += part.bytes.length;
    }
    segment.bytes = bytes;
    segment.complete = true;
    this.peakBps = Math.max(this.peakBps, Math.ceil((segment.byteCount * 8e6) / segment.durationUs));
  }

  segment(sequence: number): HeldSegment | undefined {
    const oldest = this.#segments[0];
    return oldest === undefined ? undefined : this.#segments[sequence - oldest.sequence];
  }

  init(index: number): InitSegment | undefined {
    return this.#inits.get(index);
  }

  /** Number of segment and part that come next. */
  get next(): { sequence: number; part: number } {
    const newest = this.newest;
    if (newest === undefined) return { sequence: this.first, part: 0 };
    return newest.complete
      ? { sequence: newest.sequence + 1, part: 0 }
      : { sequence: newest.sequence, part: newest.parts.length };
  }

  /** Mean bits a second of what is complete. */
  get averageBps(): number {
    let bits = 0;
    let us = 0;
    for (const segment of this.#segments) {
      if (!segment.complete) continue;
      bits += segment.byteCount * 8;
      us += segment.durationUs;
    }
    return us === 0 ? 0 : Math.ceil((bits * 1e6) / us);
  }

  #open(part: MediaPart): HeldSegment {
    const before = this.newest;
    const sequence = before === undefined ? this.first : before.sequence + 1;
    const segment: HeldSegment = {
      sequence,
      initIndex: part.init,
      media: { uri: `${this.#prefix}s${sequence}.m4s` },
      init: { uri: `${this.#prefix}init${this.first}.${part.init}.mp4` },
      startUs: part.startUs,
      durationUs: 0,
      discontinuity: before !== undefined && before.initIndex !== part.init,
      parts: [],
      complete: false,
      bytes: undefined,
      byteCount: 0,
    };
    this.#segments.push(segment);
    return segment;
  }

  #trim(): void {
    while (
      this.#segments.length - this.#listedFrom > MAX_WINDOW_SEGMENTS ||
      (this.#bytes > MAX_WINDOW_BYTES && this.#segments.length - this.#listedFrom > 2)
    ) {
      // A tag goes with its segment and counts from then on (RFC 8216bis, 6.2.2).
      if (this.#segments[this.#listedFrom]!.discontinuity) this.#unlistedDiscontinuities += 1;
      this.#listedFrom += 1;
    }
    while (this.#listedFrom > KEPT_SEGMENTS || (this.#bytes > MAX_WINDOW_BYTES && this.#listedFrom > 0)) {
      this.#bytes -= this.#segments.shift()!.byteCount;
      this.#listedFrom -= 1;
    }
    const oldest = this.#segments[0]!.initIndex;
    for (const index of this.#inits.keys()) if (index < oldest) this.#inits.delete(index);
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
