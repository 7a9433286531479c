/**
 * H.264 as MP4 holds it: the format of a run of pictures from SPS and PPS (ITU-T H.264, 7.3.2.1; ISO/IEC 14496-15, 5.3.3), and pictures with
 * NAL unit lengths in place of start codes.
 */
import { forEachNalUnit } from "../../core/media/annex-b.ts";
import { BitReader, BitsEndedError } from "./bit-reader.ts";
import { MAX_PARAMETER_SET_BYTES, MAX_PICTURE_EDGE } from "./limits.ts";

const NAL_SPS = 7;
const NAL_PPS = 8;
const NAL_DELIMITER = 9;
/** Profiles whose SPS says chroma format and bit depths. */
const HIGH_PROFILES = new Set([44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244]);

export interface PictureFormat {
  sps: Uint8Array;
  pps: Uint8Array;
  width: number;
  height: number;
  /** chroma_format_idc, and bits of a sample less 8, as the SPS says them. */
  chroma: number;
  lumaDepth: number;
  chromaDepth: number;
  /** avc1.PPCCLL of profile, constraints and level (RFC 6381). */
  codec: string;
}

/** Format of a keyframe in Annex B; undefined where SPS or PPS is missing, too large, or not to be understood. */
export function formatOf(bytes: Uint8Array): PictureFormat | undefined {
  let sps: Uint8Array | undefined;
  let pps: Uint8Array | undefined;
  forEachNalUnit(bytes, (type, start, end) => {
    if (type === NAL_SPS) sps ??= bytes.slice(start, end);
    if (type === NAL_PPS) pps ??= bytes.slice(start, end);
    return type !== 1 && type !== 5;
  });
  if (sps === undefined || pps === undefined || sps.length < 4) return undefined;
  if (sps.length > MAX_PARAMETER_SET_BYTES || pps.length > MAX_PARAMETER_SET_BYTES) return undefined;
  try {
    const size = readSps(sps);
    if (size === undefined) return undefined;
    const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, "0");
    return { sps, pps, ...size, codec: `avc1.${hex(sps[1]!)}${hex(sps[2]!)}${hex(sps[3]!)}` };
  } catch (error) {
    if (error instanceof BitsEndedError) return undefined;
    throw error;
  }
}

export function isSameFormat(a: PictureFormat, b: PictureFormat): boolean {
  return sameBytes(a.sps, b.sps) && sameBytes(a.pps, b.pps);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}

/** Size as shown, which is what is coded, cropped (7.4.2.1.1), and how samples are coded. */
function readSps(sps: Uint8Array): Omit<PictureFormat, "sps" | "pps" | "codec"> | undefined {
  const reader = new BitReader(sps.subarray(1));
  const profile = reader.bits(8);
  reader.bits(16);
  reader.unsigned();
  let chroma = 1;
  let lumaDepth = 0;
  let chromaDepth = 0;
  if (HIGH_PROFILES.has(profile)) {
    chroma = reader.unsigned();
    if (chroma === 3) reader.bit();
    lumaDepth = reader.unsigned();
    chromaDepth = reader.unsigned();
    reader.bit();
    if (reader.bit() === 1) for (let i = 0; i < (chroma === 3 ? 12 : 8); i++) skipScalingList(reader, i);
  }
  reader.unsigned();
  skipPictureOrder(reader);
  reader.unsigned();
  reader.bit();
  const widthMbs = reader.unsigned() + 1;
  const heightUnits = reader.unsigned() + 1;
  const frameMbsOnly = reader.bit();
  if (frameMbsOnly === 0) reader.bit();
  reader.bit();
  const crop = [0, 0, 0, 0];
  if (reader.bit() === 1) for (let i = 0; i < 4; i++) crop[i] = reader.unsigned();
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropY = (chroma === 1 ? 2 : 1) * (2 - frameMbsOnly);
  const width = widthMbs * 16 - cropX * (crop[0]! + crop[1]!);
  const height = (2 - frameMbsOnly) * heightUnits * 16 - cropY * (crop[2]! + crop[3]!);
  const isUsable = width > 0 && height > 0 && width <= MAX_PICTURE_EDGE && height <= MAX_PICTURE_EDGE;
  if (chroma > 3 || lumaDepth > 6 || chromaDepth > 6) return undefined;
  return isUsable ? { width, height, chroma, lumaDepth, chromaDepth } : undefined;
}

function skipPictureOrder(reader: BitReader): void {
  const kind = reader.unsigned();
  if (kind === 0) reader.unsigned();
  if (kind !== 1) return;
  reader.bit();
  reader.signed();
  reader.signed();
  const cycle = reader.unsigned();
  for (let i = 0; i < cycle; i++) reader.signed();
}

function skipScalingList(reader: BitReader, index: number): void {
  if (reader.bit() === 0) return;
  let last = 8;
  let next = 8;
  for (let i = 0; i < (index < 6 ? 16 : 64); i++) {
    if (next !== 0) next = (last + reader.signed() + 256) % 256;
    if (next !== 0) last = next;
  }
}

/** An access unit as an `avc1` sample: four bytes of length before each NAL unit; delimiters left out. Parameter sets stay: a file of several formats has one init segment in front. */
export function toSample(bytes: Uint8Array): Uint8Array {
  const starts: number[] = [];
  const ends: number[] = [];
  let size = 0;
  forEachNalUnit(bytes, (type, start, end) => {
    if (type === NAL_DELIMITER) return true;
    starts.push(start);
    ends.push(end);
    size += 4 + end - start;
    return true;
  });
  const sample = new Uint8Array(size);
  const view = new DataView(sample.buffer);
  let at = 0;
  for (let i = 0; i < starts.length; i++) {
    const length = ends[i]! - starts[i]!;
    view.setUint32(at, length);
    sample.set(bytes.subarray(starts[i]!, ends[i]!), at + 4);
    at += 4 + length;
  }
  return sample;
}
