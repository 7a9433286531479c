/** The picture that a recording is shown with: its first keyframe, made a JPEG by whoever can decode. */
import type { Clock } from "../../core/clock.ts";
import { MAX_POSTER_BYTES, MAX_POSTER_MS } from "./limits.ts";

/** A JPEG of the first picture in `media`, an init segment with one part; undefined where there is none to be had. Stops when `signal` says so. */
export type MakePoster = (media: Uint8Array, signal: AbortSignal) => Promise<Uint8Array | undefined>;

/** Undefined where it cannot be made, takes too long, or is no JPEG of a fair size. */
export async function poster(
  makePoster: MakePoster,
  init: Uint8Array,
  part: Uint8Array,
  clock: Clock,
): Promise<Uint8Array | undefined> {
  const media = new Uint8Array(init.length + part.length);
  media.set(init);
  media.set(part, init.length);
  const stop = new AbortController();
  const timer = clock.after(MAX_POSTER_MS, () => stop.abort());
  try {
    const jpeg = await makePoster(media, stop.signal);
    const isJpeg = jpeg !== undefined && jpeg[0] === 0xff && jpeg[1] === 0xd8;
    return isJpeg && jpeg.length <= MAX_POSTER_BYTES ? jpeg : undefined;
  } finally {
    timer.cancel();
  }
}
