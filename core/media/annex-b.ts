/**
 * H.264 byte streams with start codes (ITU-T H.264, annex B): finding NAL units and saying what an access unit
 * holds. Video access units travel in this form, with SPS and PPS in front of each keyframe.
 */

const NAL_SLICE = 1;
const NAL_IDR = 5;
const NAL_SPS = 7;
const NAL_PPS = 8;

/** Calls `visit(type, start, end)` for each NAL unit, start codes excluded; `visit` returns false to stop. */
export function forEachNalUnit(
  bytes: Uint8Array,
  visit: (type: number, start: number, end: number) => boolean | undefined,
): void {
  let start = -1;
  let at = 0;
  while (at + 3 <= bytes.length) {
    if (bytes[at + 2]! > 1) {
      at += 3;
    } else if (bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1) {
      if (start >= 0 && !emitNal(bytes, start, at, visit)) return;
      start = at + 3;
      at += 3;
    } else {
      at += 1;
    }
  }
  if (start >= 0) emitNal(bytes, start, bytes.length, visit);
}

function emitNal(
  bytes: Uint8Array,
  start: number,
  nextStartCode: number,
  visit: (type: number, start: number, end: number) => boolean | undefined,
): boolean {
  let end = nextStartCode;
  // Zeros before a start code belong to the code (four-byte form) or are trailing padding.
  while (end > start && bytes[end - 1] === 0) end--;
  if (end === start) return true;
  return visit(bytes[start]! & 0x1f, start, end) !== false;
}

/** What an access unit holds that a receiver must know before decoding. */
export interface AccessUnitContent {
  /** Has an IDR slice. */
  keyframe: boolean;
  /** No other picture refers to it: nal_ref_idc is 0, which holds for all slices of a picture or for none (section 7.4.1). */
  discardable: boolean;
  /** Has SPS and PPS. */
  parameterSets: boolean;
  /** WebCodecs codec string from the SPS, undefined without one. */
  codec: string | undefined;
}

export function contentOf(bytes: Uint8Array): AccessUnitContent {
  let keyframe = false;
  let discardable = false;
  let sps = false;
  let pps = false;
  let codec: string | undefined;
  forEachNalUnit(bytes, (type, start, end) => {
    if (type === NAL_IDR) keyframe = true;
    else if (type === NAL_PPS) pps = true;
    else if (type === NAL_SPS) {
      sps = true;
      if (end - start >= 4) codec = codecString(bytes[start + 1]!, bytes[start + 2]!, bytes[start + 3]!);
    } else if (type === NAL_SLICE) discardable = (bytes[start]! & 0x60) === 0;
    // Slices end the search: parameter sets come before them.
    return type !== NAL_IDR && type !== NAL_SLICE;
  });
  return { keyframe, discardable, parameterSets: sps && pps, codec };
}

/** "avc1.PPCCLL" of profile_idc, constraint flags and level_idc. */
function codecString(profile: number, constraints: number, level: number): string {
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, "0");
  return `avc1.${hex(profile)}${hex(constraints)}${hex(level)}`;
}
