/** The main rendition as plain HLS of MPEG-TS (RFC 8216bis, 3.1.1), for players that know no fMP4. Segments are made when somebody asks, once. */
import { segmentToTs } from "../mpegts/segment-to-ts.ts";
import type { Found, LiveRendition } from "./live-rendition.ts";
import { plainPlaylist } from "./media-playlist.ts";
import type { HeldSegment } from "./segment-window.ts";

export class TsRendition {
  readonly #main: LiveRendition;
  /** Let go of with the segments that they are made of. */
  readonly #made = new WeakMap<HeldSegment, Uint8Array>();

  constructor(main: LiveRendition) {
    this.#main = main;
  }

  /** UTF-8 of the playlist; waits for the first segment. */
  async playlist(signal?: AbortSignal): Promise<Found<Uint8Array>> {
    await this.#main.described(signal);
    const segments = this.#main.listed.filter(({ complete }) => complete);
    const first = segments[0];
    if (first === undefined) {
      return { status: 503, message: "The room has nothing to show yet: try again in a few seconds." };
    }
    const view = {
      sequence: first.sequence,
      discontinuitySequence: this.#main.discontinuities,
      ended: this.#main.ended,
      segments: segments.map((segment) => ({ ...segment, media: { uri: `s${segment.sequence}.ts` } })),
    };
    return { body: new TextEncoder().encode(plainPlaylist(view)) };
  }

  /** Bytes of `s<number>.ts`. */
  segment(name: string): Found<Uint8Array> {
    const sequence = /^s(\d{1,15})\.ts$/.exec(name)?.[1];
    const found = sequence === undefined ? undefined : this.#main.whole(Number(sequence));
    if (found === undefined) return { status: 404, message: "There is no such segment, or no longer." };
    let made = this.#made.get(found.segment);
    if (made === undefined) {
      made = segmentToTs(found.init, found.bytes);
      this.#made.set(found.segment, made);
    }
    return { body: made };
  }
}
