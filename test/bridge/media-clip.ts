/** Parts cut from a fragmented MP4 as ffmpeg writes it, with the times that a writer of parts would give them. */

import type { InitSegment, MediaPart } from "../../bridge/fmp4/media-part.ts";
import { boxesOf, decodeTimesOf, tracksOf } from "../../bridge/recording/media-boxes.ts";

export interface ClipPart extends MediaPart {
  /** Of the picture that it begins with. */
  keyframe: boolean;
}

export interface MediaClip {
  init: InitSegment;
  parts: ClipPart[];
}

const SYNC_UNKNOWN = 0x01010000;

/** Cuts `bytes` at each `moof`. `startUs`: capture time of the first. Segments begin at keyframes of the picture, or each 2 s without one. */
export function cutClip(bytes: Uint8Array, startUs: number, initIndex = 0): MediaClip {
  const boxes = boxesOf(bytes).filter(({ type }) => ["ftyp", "moov", "moof", "mdat"].includes(type));
  const moov = boxes.find(({ type }) => type === "moov")!;
  const initBytes = bytes.slice(0, moov.end);
  const tracks = tracksOf(initBytes);
  const hasPicture = [...tracks.values()].some(({ picture }) => picture);
  const moofs = boxes.flatMap(({ type, start }, at) =>
    type === "moof" ? [bytes.slice(start, boxes[at + 1]!.end)] : [],
  );
  const startOf = (part: Uint8Array): number =>
    Math.min(
      ...decodeTimesOf(part)
        .filter(({ track }) => !hasPicture || tracks.get(track)!.picture)
        .map(({ track, ticks }) => (ticks * 1e6) / tracks.get(track)!.timescale),
    );
  const starts = moofs.map(startOf);
  let segmentStartUs = Number.NEGATIVE_INFINITY;
  const parts = moofs.map((part, at): ClipPart => {
    const from = Math.round(starts[at]! - starts[0]!);
    const to = Math.round((starts[at + 1] ?? starts[at]! + 200_000) - starts[0]!);
    const keyframe = hasPicture && beginsWithKeyframe(part);
    const segmentStart = hasPicture ? keyframe : from - segmentStartUs >= 2_000_000;
    if (segmentStart) segmentStartUs = from;
    const durationUs = Math.max(1, to - from);
    const independent = segmentStart || !hasPicture;
    return {
      bytes: part,
      init: initIndex,
      startUs: startUs + from,
      durationUs,
      independent,
      segmentStart,
      keyframe,
    };
  });
  const resolution = hasPicture ? { width: 320, height: 180 } : undefined;
  return { init: { index: initIndex, bytes: initBytes, codecs: "", resolution }, parts };
}

/** The first sample of any track with its own first-sample flags is a sync sample (ISO/IEC 14496-12, 8.8.8). */
function beginsWithKeyframe(part: Uint8Array): boolean {
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
  const moof = boxesOf(part)[0]!;
  return boxesOf(part, moof.body, moof.end)
    .filter(({ type }) => type === "traf")
    .some((traf) => {
      const trun = boxesOf(part, traf.body, traf.end).find(({ type }) => type === "trun");
      if (trun === undefined) return false;
      const flags = view.getUint32(trun.body) & 0xffffff;
      if ((flags & 0x4) === 0) return false;
      const at = trun.body + 8 + ((flags & 0x1) === 0 ? 0 : 4);
      return (view.getUint32(at) & SYNC_UNKNOWN) === 0;
    });
}
