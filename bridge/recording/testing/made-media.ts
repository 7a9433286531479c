/** Init segments and parts that have the boxes which recordings look at, and nothing a decoder would like; for tests. */
import type { InitSegment, MediaPart } from "../../fmp4/media-part.ts";

const SOUND = { id: 1, timescale: 48_000, handler: "soun" };
const PICTURE = { id: 2, timescale: 90_000, handler: "vide" };

function u32(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, at) => {
    new DataView(bytes.buffer).setUint32(at * 4, value);
  });
  return bytes;
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function joined(...pieces: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function box(type: string, ...pieces: Uint8Array[]): Uint8Array {
  const body = joined(...pieces);
  return joined(u32(body.length + 8), text(type), body);
}

/** `flavour` tells init segments of one kind apart. */
export function madeInit(index: number, picture: boolean, flavour = 0): InitSegment {
  const tracks = picture ? [SOUND, PICTURE] : [SOUND];
  const traks = tracks.map(({ id, timescale, handler }) =>
    box(
      "trak",
      box("tkhd", u32(3, 0, 0, id, 0, 0)),
      box(
        "mdia",
        box("mdhd", u32(0, 0, 0, timescale, 0, 0)),
        box("hdlr", u32(0, 0), text(handler), u32(0, 0, 0)),
      ),
    ),
  );
  const mvex = box("mvex", box("trex", u32(0, 1, 1, 0, 0, 0)));
  const bytes = box("ftyp", text("iso6"), u32(flavour));
  const moov = box("moov", box("mvhd", u32(0, 0, 0, 1000, 0)), ...traks, mvex);
  return {
    index,
    bytes: joined(bytes, moov),
    codecs: picture ? "avc1.42E01F,mp4a.40.2" : "mp4a.40.2",
    resolution: picture ? { width: 320, height: 180 } : undefined,
  };
}

export interface MadePart {
  init: InitSegment;
  startUs: number;
  /** Where the writer's own timeline is, microseconds. */
  mediaUs: number;
  segmentStart: boolean;
  bytes?: number;
  durationUs?: number;
}

export function madePart(made: MadePart): MediaPart {
  const { init, startUs, mediaUs, segmentStart, bytes = 1_000, durationUs = 200_000 } = made;
  const tracks = init.resolution === undefined ? [SOUND] : [SOUND, PICTURE];
  const trafs = tracks.map(({ id, timescale }) => {
    const ticks = Math.round((mediaUs * timescale) / 1e6);
    const time = box("tfdt", u32(0x01000000, Math.floor(ticks / 2 ** 32), ticks >>> 0));
    return box("traf", box("tfhd", u32(0x020000, id)), time);
  });
  const moof = box("moof", box("mfhd", u32(0, 1)), ...trafs);
  const mdat = box("mdat", new Uint8Array(bytes).fill(startUs % 251));
  return {
    bytes: joined(moof, mdat),
    init: init.index,
    startUs,
    durationUs,
    independent: segmentStart,
    segmentStart,
  };
}

/** Parts of 200 ms, ten a segment. `mediaUs` as the writer has it, which may be anywhere. */
export function madeParts(init: InitSegment, startUs: number, count: number, mediaUs = 0): MediaPart[] {
  return Array.from({ length: count }, (_, n) =>
    madePart({
      init,
      startUs: startUs + n * 200_000,
      mediaUs: mediaUs + n * 200_000,
      segmentStart: n % 10 === 0,
      bytes: 900 + (n % 7),
    }),
  );
}
