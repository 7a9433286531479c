/** HEVC from FLV to Annex B: HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3) and NAL units behind their lengths. */
import { type AnnexBUnit, forEachLengthPrefixed, withStartCodes, writeUnit } from "./avc-config.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { RtmpError } from "./rtmp-error.ts";

export interface HevcConfig {
  lengthBytes: number;
  /** VPS, SPS and PPS behind start codes. */
  parameterSets: Uint8Array;
}

/** What stands in front of the length size. */
const FIXED_BYTES = 21;
const NAL_FIRST_IRAP = 16;
const NAL_LAST_IRAP = 23;
const NAL_SPS = 33;
const NAL_DELIMITER = 35;

/** Throws RtmpError. */
export function readHevcConfig(record: Uint8Array): HevcConfig {
  const cursor = new ByteCursor(record, "HEVC configuration record");
  cursor.take(FIXED_BYTES);
  const lengthBytes = (cursor.u8() & 3) + 1;
  if (lengthBytes === 3) throw new RtmpError("malformed", "NAL units have no lengths of three bytes.");
  const sets: Uint8Array[] = [];
  const arrays = cursor.u8();
  for (let i = 0; i < arrays; i++) {
    cursor.u8();
    const count = cursor.u16();
    for (let j = 0; j < count; j++) sets.push(cursor.take(cursor.u16()));
  }
  return { lengthBytes, parameterSets: withStartCodes(sets) };
}

/** As annexBOfAvcc, for HEVC: a keyframe is any picture that decoding can start at (IRAP). */
export function annexBOfHevc(data: Uint8Array, config: HevcConfig): AnnexBUnit | undefined {
  let length = 0;
  let keyframe = false;
  let hasSps = false;
  forEachLengthPrefixed(data, config.lengthBytes, (unit) => {
    const type = (unit[0]! >> 1) & 0x3f;
    length += 4 + unit.length;
    keyframe ||= type >= NAL_FIRST_IRAP && type <= NAL_LAST_IRAP;
    hasSps ||= type === NAL_SPS;
  });
  if (length === 0) return undefined;
  const sets = keyframe && !hasSps ? config.parameterSets : new Uint8Array(0);
  const bytes = new Uint8Array(length + sets.length);
  let at = 0;
  let setsWritten = false;
  forEachLengthPrefixed(data, config.lengthBytes, (unit) => {
    if (!setsWritten && ((unit[0]! >> 1) & 0x3f) !== NAL_DELIMITER) {
      bytes.set(sets, at);
      at += sets.length;
      setsWritten = true;
    }
    at = writeUnit(bytes, at, unit);
  });
  return { keyframe, bytes };
}
