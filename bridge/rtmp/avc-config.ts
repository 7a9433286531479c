/**
 * H.264 between its two forms: NAL units behind their lengths with SPS and PPS in an AVCDecoderConfigurationRecord (ISO/IEC 14496-15,
 * 5.3.3), as FLV has it, and Annex B with SPS and PPS in front of each keyframe, as access units have it.
 */
import { forEachNalUnit } from "../../core/media/annex-b.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { RtmpError } from "./rtmp-error.ts";

const NAL_IDR = 5;
const NAL_SPS = 7;
const NAL_PPS = 8;
const NAL_DELIMITER = 9;
const START_CODE_BYTES = 4;

export interface AvcConfig {
  /** Of NAL unit lengths: 1, 2 or 4. */
  lengthBytes: number;
  profile: number;
  level: number;
  /** 4:2:0 and 8 bits a sample, as far as the profile tells: what browsers decode. */
  common: boolean;
  /** SPS and PPS behind start codes. */
  parameterSets: Uint8Array;
}

/** High 10, High 4:2:2, High 4:4:4 and their intra kin. */
const RICH_PROFILES = new Set([44, 110, 122, 244]);

/** Throws RtmpError. */
export function readAvcConfig(record: Uint8Array): AvcConfig {
  const cursor = new ByteCursor(record, "AVC configuration record");
  if (cursor.u8() !== 1) {
    throw new RtmpError("malformed", "The AVC configuration record is of another version than 1.");
  }
  const profile = cursor.u8();
  cursor.u8();
  const level = cursor.u8();
  const lengthBytes = (cursor.u8() & 3) + 1;
  if (lengthBytes === 3) throw new RtmpError("malformed", "NAL units have no lengths of three bytes.");
  const sets: Uint8Array[] = [];
  const spsCount = cursor.u8() & 0x1f;
  for (let i = 0; i < spsCount; i++) sets.push(cursor.take(cursor.u16()));
  const ppsCount = cursor.u8();
  for (let i = 0; i < ppsCount; i++) sets.push(cursor.take(cursor.u16()));
  const common = !RICH_PROFILES.has(profile);
  return { lengthBytes, profile, level, common, parameterSets: withStartCodes(sets) };
}

/** NAL units one after the other, each behind a start code; empty ones are left out. */
export function withStartCodes(units: readonly Uint8Array[]): Uint8Array {
  const kept = units.filter((unit) => unit.length > 0);
  const out = new Uint8Array(kept.reduce((sum, unit) => sum + START_CODE_BYTES + unit.length, 0));
  let at = 0;
  for (const unit of kept) at = writeUnit(out, at, unit);
  return out;
}

export interface AnnexBUnit {
  /** It has an IDR slice: a decoder can start here. */
  keyframe: boolean;
  bytes: Uint8Array;
}

/**
 * One access unit of FLV as Annex B. SPS and PPS of the configuration go in front of a keyframe that does not bring its own.
 * Undefined: there is no NAL unit in it. Throws RtmpError.
 */
export function annexBOfAvcc(data: Uint8Array, config: AvcConfig): AnnexBUnit | undefined {
  const seen = { units: 0, bytes: 0, idr: false, sps: false, pps: false };
  forEachLengthPrefixed(data, config.lengthBytes, (unit) => {
    const type = unit[0]! & 0x1f;
    seen.units++;
    seen.bytes += START_CODE_BYTES + unit.length;
    if (type === NAL_IDR) seen.idr = true;
    else if (type === NAL_SPS) seen.sps = true;
    else if (type === NAL_PPS) seen.pps = true;
  });
  if (seen.units === 0) return undefined;
  const sets = seen.idr && !(seen.sps && seen.pps) ? config.parameterSets : undefined;
  const bytes = new Uint8Array(seen.bytes + (sets?.length ?? 0));
  let at = 0;
  let setsWritten = sets === undefined;
  forEachLengthPrefixed(data, config.lengthBytes, (unit) => {
    // An access unit delimiter stays first.
    if (!setsWritten && (unit[0]! & 0x1f) !== NAL_DELIMITER) {
      bytes.set(sets!, at);
      at += sets!.length;
      setsWritten = true;
    }
    at = writeUnit(bytes, at, unit);
  });
  return { keyframe: seen.idr, bytes };
}

/** Calls `visit` for each NAL unit that is not empty. Throws RtmpError where a length runs over the end. */
export function forEachLengthPrefixed(
  data: Uint8Array,
  lengthBytes: number,
  visit: (unit: Uint8Array) => void,
): void {
  let at = 0;
  while (at < data.length) {
    if (at + lengthBytes > data.length) throw new RtmpError("malformed", "A NAL unit's length is cut off.");
    let length = 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + data[at + i]!;
    at += lengthBytes;
    if (length > data.length - at) {
      throw new RtmpError("malformed", "A NAL unit is longer than its tag.");
    }
    if (length > 0) visit(data.subarray(at, at + length));
    at += length;
  }
}

/** A start code and the unit, at `at` of a buffer of zeros; returns where the next one goes. */
export function writeUnit(out: Uint8Array, at: number, unit: Uint8Array): number {
  out[at + 3] = 1;
  out.set(unit, at + START_CODE_BYTES);
  return at + START_CODE_BYTES + unit.length;
}

/** One access unit of Annex B as FLV has it, lengths of four bytes. SPS, PPS and delimiters are left out: they are the record's. */
export function avccOfAnnexB(bytes: Uint8Array): Uint8Array {
  const kept: [number, number][] = [];
  let total = 0;
  forEachNalUnit(bytes, (type, start, end) => {
    if (type === NAL_SPS || type === NAL_PPS || type === NAL_DELIMITER) return true;
    kept.push([start, end]);
    total += 4 + end - start;
    return true;
  });
  const out = new Uint8Array(total);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [start, end] of kept) {
    view.setUint32(at, end - start);
    out.set(bytes.subarray(start, end), at + 4);
    at += 4 + end - start;
  }
  return out;
}

/** Configuration record of the SPS and PPS in an access unit; undefined where it does not have both. */
export function avcConfigOfAnnexB(bytes: Uint8Array): Uint8Array | undefined {
  const sps: Uint8Array[] = [];
  const pps: Uint8Array[] = [];
  forEachNalUnit(bytes, (type, start, end) => {
    if (type === NAL_SPS && sps.length < 31) sps.push(bytes.subarray(start, end));
    else if (type === NAL_PPS && pps.length < 255) pps.push(bytes.subarray(start, end));
    return true;
  });
  const first = sps[0];
  if (first === undefined || first.length < 4 || pps.length === 0) return undefined;
  const sets = [...sps, ...pps];
  const out = new Uint8Array(7 + sets.reduce((sum, set) => sum + 2 + set.length, 0));
  out.set([1, first[1]!, first[2]!, first[3]!, 0xff, 0xe0 | sps.length]);
  let at = 6;
  const write = (set: Uint8Array): void => {
    out[at] = set.length >> 8;
    out[at + 1] = set.length;
    out.set(set, at + 2);
    at += 2 + set.length;
  };
  for (const set of sps) write(set);
  out[at++] = pps.length;
  for (const set of pps) write(set);
  return out;
}
