/** What lies where in a recording's file: init segments and segments, by byte and by time. Grows with the file; saved beside it as JSON. */
import { z } from "zod";
import { MAX_INITS, MAX_SEGMENTS } from "./limits.ts";
import type { PartMark } from "./part-mark.ts";

export interface RecordedInit {
  offset: number;
  length: number;
  picture: boolean;
}

export interface RecordedSegment {
  offset: number;
  length: number;
  /** Capture time of its first sample, microseconds since the Unix epoch. */
  startUs: number;
  durationUs: number;
  /** Where it begins on the file's timeline, microseconds. */
  fileUs: number;
  /** Index of the init segment that it needs. */
  init: number;
  /** What comes before it in time is missing, or another run of the recorder made it. */
  discontinuity: boolean;
}

/** Others round to so much. */
export const SLACK_US = 1_000;

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Rows, since there are thousands: their fields are in the order of the interfaces above. */
const savedSchema = z.object({
  version: z.literal(1),
  bytes: count,
  inits: z.array(z.tuple([count, count, z.boolean()])).max(MAX_INITS),
  segments: z.array(z.tuple([count, count, count, count, count, count, z.boolean()])).max(MAX_SEGMENTS),
});

export class RecordingIndex {
  readonly #inits: RecordedInit[] = [];
  readonly #segments: RecordedSegment[] = [];
  #bytes = 0;
  #durationUs = 0;

  get inits(): readonly RecordedInit[] {
    return this.#inits;
  }

  /** In order; the last one may still grow. */
  get segments(): readonly RecordedSegment[] {
    return this.#segments;
  }

  /** Length of the file as far as the index knows it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of all segments together, microseconds. */
  get durationUs(): number {
    return this.#durationUs;
  }

  /** Where the file's timeline ends, microseconds. */
  get fileUs(): number {
    const last = this.#segments.at(-1);
    return last === undefined ? 0 : last.fileUs + last.durationUs;
  }

  /** How far behind the beginning of the file, as it is played, what was captured then lies; before 0 or behind the end where that is. Microseconds. */
  positionUs(captureUs: number): number {
    const [first] = this.#segments;
    if (first === undefined) return 0;
    // Runs of the recorder are joined without the time between them: the segment says of which run it is.
    const of = this.#segments.findLast(({ startUs }) => startUs <= captureUs) ?? first;
    return of.fileUs + (captureUs - of.startUs) - first.fileUs;
  }

  get hasPicture(): boolean {
    return this.#inits.some(({ picture }) => picture);
  }

  get isFull(): boolean {
    return this.#segments.length >= MAX_SEGMENTS;
  }

  /** How many segments are over at `atUs`, microseconds since the Unix epoch. */
  countOverAt(atUs: number): number {
    let [low, high] = [0, this.#segments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { startUs, durationUs } = this.#segments[middle]!;
      if (startUs + durationUs <= atUs + SLACK_US) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** An init segment stands at the end of the file. */
  addInit(length: number, picture: boolean): void {
    this.#inits.push({ offset: this.#bytes, length, picture });
    this.#bytes += length;
  }

  /** A part with its mark stands at the end of the file, `length` bytes together. False: it fits nowhere, and the index stays as it was. */
  addPart(mark: PartMark, length: number): boolean {
    if (mark.init >= this.#inits.length) return false;
    const last = this.#segments.at(-1);
    const begins = last === undefined || mark.segmentStart || mark.discontinuity || mark.init !== last.init;
    if (begins) {
      const { startUs, fileUs, durationUs, init, discontinuity } = mark;
      const isNew = discontinuity || (last !== undefined && last.init !== init);
      this.#segments.push({
        offset: this.#bytes,
        length,
        startUs,
        durationUs,
        fileUs,
        init,
        discontinuity: isNew,
      });
    } else {
      last.length += length;
      last.durationUs += mark.durationUs;
    }
    this.#bytes += length;
    this.#durationUs += mark.durationUs;
    return true;
  }

  toJson(): string {
    return JSON.stringify({
      version: 1,
      bytes: this.#bytes,
      inits: this.#inits.map((i) => [i.offset, i.length, i.picture]),
      segments: this.#segments.map((s) => [
        s.offset,
        s.length,
        s.startUs,
        s.durationUs,
        s.fileUs,
        s.init,
        s.discontinuity,
      ]),
    } satisfies z.input<typeof savedSchema>);
  }

  /** Undefined where it is not one of ours, or says what cannot be. */
  static fromJson(text: string): RecordingIndex | undefined {
    const saved = savedSchema.safeParse(parsed(text)).data;
    if (saved === undefined) return undefined;
    const index = new RecordingIndex();
    for (const [offset, length, picture] of saved.inits) index.#inits.push({ offset, length, picture });
    let endsAt = 0;
    for (const [offset, length, startUs, durationUs, fileUs, init, discontinuity] of saved.segments) {
      if (offset < endsAt || init >= saved.inits.length) return undefined;
      endsAt = offset + length;
      index.#segments.push({ offset, length, startUs, durationUs, fileUs, init, discontinuity });
      index.#durationUs += durationUs;
    }
    if (endsAt > saved.bytes) return undefined;
    if (index.#inits.some(({ offset, length }) => offset + length > saved.bytes)) return undefined;
    index.#bytes = saved.bytes;
    return index;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
