/** One fMP4 segment of ours as an MPEG-TS segment, for players that know nothing else (RFC 8216bis, 3.1.1). Times stay what they are. */
import { PICTURE_TIMESCALE, PICTURE_TRACK, SOUND_TIMESCALE } from "../fmp4/init-segment.ts";
import { type ReadFormats, type ReadSample, readFormats, readSamples } from "../fmp4/segment-reader.ts";
import { COUNTER_VALUES, PICTURE_PID, SOUND_PID, StreamWriter, TICKS_PER_SECOND } from "./stream-writer.ts";

/** How far the program clock is behind what is decoded: the time that a decoder has for a unit to arrive. */
const CLOCK_LEAD = TICKS_PER_SECOND / 2;
/** Times begin here, so that the clock does not begin below 0. */
const FIRST_TICKS = TICKS_PER_SECOND;
const START_CODE = Uint8Array.of(0, 0, 0, 1);
/** Access unit delimiter, any slice type; each unit begins with one (ISO/IEC 13818-1, 2.14.1). */
const DELIMITER = Uint8Array.of(0, 0, 0, 1, 0x09, 0xf0);

/** `segment`: all its parts behind each other. Its sound must be AAC. */
export function segmentToTs(init: Uint8Array, segment: Uint8Array): Uint8Array {
  const formats = readFormats(init);
  const samples = readSamples(segment).map((sample) => ({ ...sample, ...ticksOf(sample) }));
  samples.sort((a, b) => a.decodeTicks - b.decodeTicks);
  const hasPicture = formats.parameterSets !== undefined;
  const writer = new StreamWriter(Math.ceil(segment.length * 1.2) + 10_000);
  const pids = hasPicture ? [PICTURE_PID, SOUND_PID] : [SOUND_PID];
  const lasts = new Set(
    hasPicture ? [lastOf(samples, true), lastOf(samples, false)] : [lastOf(samples, false)],
  );
  let tables = 0;
  for (const [index, sample] of samples.entries()) {
    for (; tables < COUNTER_VALUES && index * COUNTER_VALUES >= tables * samples.length; tables++)
      writer.tables(pids);
    const isPicture = sample.track === PICTURE_TRACK;
    writer.unit({
      pid: isPicture ? PICTURE_PID : SOUND_PID,
      time: sample.ticks,
      decodeTime: sample.decodeTicks,
      randomAccess: sample.sync && (isPicture || !hasPicture),
      last: lasts.has(index),
      clock: isPicture || !hasPicture ? sample.decodeTicks - CLOCK_LEAD : undefined,
      payload: isPicture
        ? pictureUnit(sample, formats)
        : [adtsHeader(formats, sample.bytes.length), sample.bytes],
    });
  }
  for (; tables < COUNTER_VALUES; tables++) writer.tables(pids);
  return writer.finish();
}

function lastOf(samples: readonly ReadSample[], picture: boolean): number {
  return samples.findLastIndex(({ track }) => (track === PICTURE_TRACK) === picture);
}

function ticksOf({ track, time, decodeTime }: ReadSample): { ticks: number; decodeTicks: number } {
  const scale = TICKS_PER_SECOND / (track === PICTURE_TRACK ? PICTURE_TIMESCALE : SOUND_TIMESCALE);
  return {
    ticks: Math.round(time * scale) + FIRST_TICKS,
    decodeTicks: Math.round(decodeTime * scale) + FIRST_TICKS,
  };
}

/** Start codes in place of lengths, parameter sets in front of a keyframe. */
function pictureUnit({ bytes, sync }: ReadSample, { parameterSets }: ReadFormats): Uint8Array[] {
  const payload: Uint8Array[] = [DELIMITER];
  if (sync) for (const set of parameterSets ?? []) payload.push(START_CODE, set);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint32(at);
    payload.push(START_CODE, bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return payload;
}

/** ISO/IEC 13818-7, 6.2, from object type, rate and channels of an AudioSpecificConfig. */
function adtsHeader({ aac }: ReadFormats, unitBytes: number): Uint8Array {
  const [first = 0x11, second = 0x90] = aac ?? [];
  const profile = (first >> 3) - 1;
  const rate = ((first & 7) << 1) | (second >> 7);
  const channels = (second >> 3) & 0x0f;
  const length = unitBytes + 7;
  return Uint8Array.of(
    0xff,
    0xf1,
    (profile << 6) | (rate << 2) | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  );
}
