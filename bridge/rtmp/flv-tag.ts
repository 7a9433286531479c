/**
 * What legacy and Enhanced RTMP share in the bodies of FLV tags (Adobe FLV 10.1, annex E; Enhanced RTMP v2, "ModEx" and
 * "Multitrack"): extra signals in front of the body, and several tracks in one.
 */
import type { ByteCursor } from "./byte-cursor.ts";
import { MAX_MOD_EX, MAX_TAG_TRACKS } from "./limits.ts";
import { RtmpError } from "./rtmp-error.ts";

export const PACKET_MULTITRACK = 5;
export const PACKET_MULTITRACK_VIDEO = 6;
const PACKET_MOD_EX = 7;
const MOD_EX_NANOSECONDS = 0;
const ONE_TRACK = 0;
const MANY_TRACKS_MANY_CODECS = 2;

export interface ModEx {
  /** Type of what follows. */
  kind: number;
  /** Added to the presentation time, 0..999999. */
  nanoseconds: number;
}

/** Reads ModEx blocks for as long as `kind` says there is one. Unknown ones are passed over. */
export function readModEx(cursor: ByteCursor, kind: number): ModEx {
  const found: ModEx = { kind, nanoseconds: 0 };
  for (let blocks = 0; found.kind === PACKET_MOD_EX; blocks++) {
    if (blocks === MAX_MOD_EX) {
      throw new RtmpError("too-large", `A tag has more than ${MAX_MOD_EX} ModEx blocks.`);
    }
    let length = cursor.u8() + 1;
    if (length === 256) length = cursor.u16() + 1;
    const data = cursor.take(length);
    const next = cursor.u8();
    if (next >> 4 === MOD_EX_NANOSECONDS && length >= 3) {
      found.nanoseconds = (data[0]! << 16) | (data[1]! << 8) | data[2]!;
    }
    found.kind = next & 0x0f;
  }
  return found;
}

/** One track's part of a tag. */
export interface TrackBody {
  kind: number;
  /** Four characters: "avc1". */
  fourCc: string;
  /** 0 where there is one track only. */
  trackId: number;
  body: Uint8Array;
}

/** Splits what follows ModEx. `multitrack`: the kind that says there may be several tracks. */
export function readTracks(cursor: ByteCursor, kind: number, multitrack: number): TrackBody[] {
  if (kind !== multitrack) {
    return [{ kind, fourCc: cursor.utf8(4), trackId: 0, body: cursor.rest() }];
  }
  const head = cursor.u8();
  const form = head >> 4;
  const trackKind = head & 0x0f;
  if (trackKind === multitrack || form > MANY_TRACKS_MANY_CODECS) {
    throw new RtmpError("malformed", "A multitrack tag does not say what its tracks hold.");
  }
  const tracks: TrackBody[] = [];
  const common = form === MANY_TRACKS_MANY_CODECS ? "" : cursor.utf8(4);
  do {
    if (tracks.length === MAX_TAG_TRACKS) {
      throw new RtmpError("too-large", `A tag has more than ${MAX_TAG_TRACKS} tracks.`);
    }
    const fourCc = form === MANY_TRACKS_MANY_CODECS ? cursor.utf8(4) : common;
    const trackId = cursor.u8();
    const body = form === ONE_TRACK ? cursor.rest() : cursor.take(cursor.u24());
    tracks.push({ kind: trackKind, fourCc, trackId, body });
  } while (cursor.left > 0);
  return tracks;
}

/** Four characters into a buffer. */
export function writeFourCc(out: Uint8Array, at: number, fourCc: string): void {
  for (let i = 0; i < 4; i++) out[at + i] = fourCc.charCodeAt(i);
}
