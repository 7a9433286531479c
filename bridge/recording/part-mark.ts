/**
 * What a recording says of a part in front of it, in a `uuid` box (ISO/IEC 14496-12, 4.2.2) that players skip: so the file alone is enough to
 * make its index anew after a crash.
 */
import { viewOf } from "./media-boxes.ts";

/** Of our box: header 8, id 16, version and flags 2, init 2, three times 8 + 8 + 4. */
export const MARK_BYTES = 48;
const MARK_ID = [
  0x0d, 0x8e, 0x46, 0x5a, 0xb7, 0x31, 0x4c, 0x1f, 0x9a, 0x60, 0x5e, 0x2c, 0x77, 0xf3, 0x18, 0xb4,
] as const;
const VERSION = 1;
const SEGMENT_START = 1;
const DISCONTINUITY = 2;

export interface PartMark {
  /** Capture time of the first sample, microseconds since the Unix epoch. */
  startUs: number;
  /** Where the part begins on the file's own timeline, microseconds. */
  fileUs: number;
  durationUs: number;
  /** Which of the file's init segments it needs, from 0. */
  init: number;
  segmentStart: boolean;
  /** Something is missing before it, or another run of the recorder begins. */
  discontinuity: boolean;
}

export function writeMark(into: Uint8Array, mark: PartMark): void {
  const view = viewOf(into);
  view.setUint32(0, MARK_BYTES);
  // "uuid"
  view.setUint32(4, 0x75756964);
  into.set(MARK_ID, 8);
  view.setUint8(24, VERSION);
  view.setUint8(25, (mark.segmentStart ? SEGMENT_START : 0) | (mark.discontinuity ? DISCONTINUITY : 0));
  view.setUint16(26, mark.init);
  view.setBigUint64(28, BigInt(mark.startUs));
  view.setBigUint64(36, BigInt(mark.fileUs));
  view.setUint32(44, mark.durationUs);
}

/** Undefined: it is no mark of ours. */
export function readMark(bytes: Uint8Array): PartMark | undefined {
  if (bytes.length < MARK_BYTES || !MARK_ID.every((byte, at) => bytes[8 + at] === byte)) return undefined;
  const view = viewOf(bytes);
  if (view.getUint8(24) !== VERSION) return undefined;
  const flags = view.getUint8(25);
  return {
    startUs: Number(view.getBigUint64(28)),
    fileUs: Number(view.getBigUint64(36)),
    durationUs: view.getUint32(44),
    init: view.getUint16(26),
    segmentStart: (flags & SEGMENT_START) !== 0,
    discontinuity: (flags & DISCONTINUITY) !== 0,
  };
}
