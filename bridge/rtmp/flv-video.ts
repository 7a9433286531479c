/** Bodies of FLV video tags, read and made: legacy AVC (Adobe FLV 10.1, E.4.3) and Enhanced RTMP with FourCC. */
import { ByteCursor } from "./byte-cursor.ts";
import { PACKET_MULTITRACK_VIDEO, readModEx, readTracks, writeFourCc } from "./flv-tag.ts";
import { RtmpError } from "./rtmp-error.ts";

export interface VideoTag {
  /** `config`: the decoder configuration record; `end`: nothing of this sequence follows; `other`: colour information and the like. */
  kind: "config" | "frame" | "end" | "other";
  /** FourCC: avc1, hvc1, av01, vp09, ...; legacy codec ids that have none as "flv:2". */
  codec: string;
  /** As the tag says; what the bitstream says may differ. */
  keyframe: boolean;
  /** Presentation time minus decode time, signed. */
  compositionMs: number;
  /** Added to the presentation time, 0..999999. */
  nanoseconds: number;
  trackId: number;
  /** A view into the tag. */
  data: Uint8Array;
}

const EX_HEADER = 0x80;
const FRAME_KEY = 1;
const FRAME_INTER = 2;
const FRAME_GENERATED_KEY = 4;
const FRAME_COMMAND = 5;
const LEGACY_AVC = 7;
/** Never in Adobe's list, but sent by programs that came before Enhanced RTMP. */
const LEGACY_HEVC = 12;
const LEGACY_KINDS = ["config", "frame", "end"] as const;

const SEQUENCE_START = 0;
const CODED_FRAMES = 1;
const SEQUENCE_END = 2;
const CODED_FRAMES_X = 3;
const METADATA = 4;
/** CodedFrames of these begin with a composition time. */
const REORDERED = new Set(["avc1", "hvc1", "vvc1"]);

/** What a video message holds: one tag, several for a multitrack one, none for a command to the player or an empty body. Throws RtmpError. */
export function readVideoTags(payload: Uint8Array): VideoTag[] {
  if (payload.length === 0) return [];
  const cursor = new ByteCursor(payload, "video tag");
  const first = cursor.u8();
  const frameType = (first >> 4) & 7;
  const keyframe = frameType === FRAME_KEY || frameType === FRAME_GENERATED_KEY;
  if ((first & EX_HEADER) === 0) {
    return frameType === FRAME_COMMAND ? [] : [readLegacy(cursor, first & 0x0f, keyframe)];
  }
  const { kind, nanoseconds } = readModEx(cursor, first & 0x0f);
  if (frameType === FRAME_COMMAND && kind !== METADATA) return [];
  return readTracks(cursor, kind, PACKET_MULTITRACK_VIDEO).map((track) => ({
    ...readEnhanced(track.kind, track.fourCc, track.body),
    codec: track.fourCc,
    keyframe,
    nanoseconds,
    trackId: track.trackId,
  }));
}

function readLegacy(cursor: ByteCursor, codecId: number, keyframe: boolean): VideoTag {
  const common = { keyframe, nanoseconds: 0, trackId: 0 };
  if (codecId !== LEGACY_AVC && codecId !== LEGACY_HEVC) {
    return { ...common, kind: "frame", codec: `flv:${codecId}`, compositionMs: 0, data: cursor.rest() };
  }
  const type = cursor.u8();
  const kind = LEGACY_KINDS[type];
  if (kind === undefined) throw new RtmpError("malformed", `An AVC tag has the unknown type ${type}.`);
  const compositionMs = cursor.i24();
  return {
    ...common,
    kind,
    codec: codecId === LEGACY_AVC ? "avc1" : "hvc1",
    compositionMs: kind === "frame" ? compositionMs : 0,
    data: cursor.rest(),
  };
}

function readEnhanced(
  kind: number,
  fourCc: string,
  body: Uint8Array,
): Pick<VideoTag, "kind" | "compositionMs" | "data"> {
  switch (kind) {
    case SEQUENCE_START:
      return { kind: "config", compositionMs: 0, data: body };
    case CODED_FRAMES: {
      const cursor = new ByteCursor(body, "video tag");
      const compositionMs = REORDERED.has(fourCc) ? cursor.i24() : 0;
      return { kind: "frame", compositionMs, data: cursor.rest() };
    }
    case CODED_FRAMES_X:
      return { kind: "frame", compositionMs: 0, data: body };
    case SEQUENCE_END:
      return { kind: "end", compositionMs: 0, data: body };
    default:
      return { kind: "other", compositionMs: 0, data: body };
  }
}

/** Body of a legacy AVC tag with a configuration record. */
export function makeAvcConfigTag(record: Uint8Array): Uint8Array {
  return makeLegacy(true, 0, 0, record);
}

/** Body of a legacy AVC tag with one access unit, NAL units behind their lengths. */
export function makeAvcFrameTag(keyframe: boolean, compositionMs: number, data: Uint8Array): Uint8Array {
  return makeLegacy(keyframe, 1, compositionMs, data);
}

/** Body of the legacy AVC tag that ends a sequence. */
export function makeAvcEndTag(): Uint8Array {
  return makeLegacy(true, 2, 0, new Uint8Array(0));
}

function makeLegacy(keyframe: boolean, type: number, compositionMs: number, data: Uint8Array): Uint8Array {
  const tag = new Uint8Array(5 + data.length);
  tag[0] = ((keyframe ? FRAME_KEY : FRAME_INTER) << 4) | LEGACY_AVC;
  tag[1] = type;
  writeI24(tag, 2, compositionMs);
  tag.set(data, 5);
  return tag;
}

/** Body of an Enhanced RTMP tag of one track. */
export function makeFourCcVideoTag(
  codec: string,
  kind: "config" | "frame" | "end",
  keyframe: boolean,
  compositionMs: number,
  data: Uint8Array,
): Uint8Array {
  const timed = kind === "frame" && compositionMs !== 0 && REORDERED.has(codec);
  const type =
    kind === "config"
      ? SEQUENCE_START
      : kind === "end"
        ? SEQUENCE_END
        : timed || !REORDERED.has(codec)
          ? CODED_FRAMES
          : CODED_FRAMES_X;
  const head = timed ? 8 : 5;
  const tag = new Uint8Array(head + data.length);
  tag[0] = EX_HEADER | ((keyframe ? FRAME_KEY : FRAME_INTER) << 4) | type;
  writeFourCc(tag, 1, codec);
  if (timed) writeI24(tag, 5, compositionMs);
  tag.set(data, head);
  return tag;
}

function writeI24(out: Uint8Array, at: number, value: number): void {
  out[at] = value >> 16;
  out[at + 1] = value >> 8;
  out[at + 2] = value;
}
