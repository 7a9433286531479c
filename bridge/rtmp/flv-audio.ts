/** Bodies of FLV audio tags, read and made: legacy AAC and MP3 (Adobe FLV 10.1, E.4.2) and Enhanced RTMP with FourCC. */
import { ByteCursor } from "./byte-cursor.ts";
import { PACKET_MULTITRACK, readModEx, readTracks, writeFourCc } from "./flv-tag.ts";
import { RtmpError } from "./rtmp-error.ts";

export interface AudioTag {
  /** `config`: AudioSpecificConfig, OpusHead; `end`: nothing of this sequence follows; `other`: speaker layout and the like. */
  kind: "config" | "frame" | "end" | "other";
  /** FourCC: mp4a, Opus, .mp3, fLaC, ac-3, ec-3; legacy sound formats that have none as "flv:11". */
  codec: string;
  nanoseconds: number;
  trackId: number;
  /** A view into the tag. */
  data: Uint8Array;
}

const FORMAT_MP3 = 2;
const FORMAT_EX_HEADER = 9;
const FORMAT_AAC = 10;
const FORMAT_MP3_8KHZ = 14;
const SEQUENCE_START = 0;
const CODED_FRAMES = 1;
const SEQUENCE_END = 2;

/** What an audio message holds: one tag, several for a multitrack one, none for an empty body. Throws RtmpError. */
export function readAudioTags(payload: Uint8Array): AudioTag[] {
  // librtmp-based programs mark a pause in this way.
  if (payload.length === 0) return [];
  const cursor = new ByteCursor(payload, "audio tag");
  const first = cursor.u8();
  const format = first >> 4;
  if (format !== FORMAT_EX_HEADER) return [readLegacy(cursor, format)];
  const { kind, nanoseconds } = readModEx(cursor, first & 0x0f);
  return readTracks(cursor, kind, PACKET_MULTITRACK).map((track) => ({
    kind: kindOf(track.kind),
    codec: track.fourCc,
    nanoseconds,
    trackId: track.trackId,
    data: track.body,
  }));
}

function readLegacy(cursor: ByteCursor, format: number): AudioTag {
  const common = { nanoseconds: 0, trackId: 0 };
  if (format === FORMAT_AAC) {
    const type = cursor.u8();
    if (type > 1) throw new RtmpError("malformed", `An AAC tag has the unknown type ${type}.`);
    return { ...common, kind: type === 0 ? "config" : "frame", codec: "mp4a", data: cursor.rest() };
  }
  const isMp3 = format === FORMAT_MP3 || format === FORMAT_MP3_8KHZ;
  return { ...common, kind: "frame", codec: isMp3 ? ".mp3" : `flv:${format}`, data: cursor.rest() };
}

function kindOf(kind: number): AudioTag["kind"] {
  if (kind === SEQUENCE_START) return "config";
  if (kind === CODED_FRAMES) return "frame";
  return kind === SEQUENCE_END ? "end" : "other";
}

/** AAC, "44 kHz", 16 bit, stereo: what the format asks for whatever the configuration says. */
const AAC_HEAD = (FORMAT_AAC << 4) | 0x0f;

/** Body of a legacy AAC tag: `config` is an AudioSpecificConfig, `frame` one raw frame without ADTS. */
export function makeAacTag(kind: "config" | "frame", data: Uint8Array): Uint8Array {
  const tag = new Uint8Array(2 + data.length);
  tag[0] = AAC_HEAD;
  tag[1] = kind === "config" ? 0 : 1;
  tag.set(data, 2);
  return tag;
}

/** Body of an Enhanced RTMP tag of one track. */
export function makeFourCcAudioTag(
  codec: string,
  kind: "config" | "frame" | "end",
  data: Uint8Array,
): Uint8Array {
  const type = kind === "config" ? SEQUENCE_START : kind === "frame" ? CODED_FRAMES : SEQUENCE_END;
  const tag = new Uint8Array(5 + data.length);
  tag[0] = (FORMAT_EX_HEADER << 4) | type;
  writeFourCc(tag, 1, codec);
  tag.set(data, 5);
  return tag;
}
