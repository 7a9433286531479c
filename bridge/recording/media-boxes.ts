/** The little of fragmented MP4 that a recording reads and changes: boxes, tracks of an init segment, decode times of a part (ISO/IEC 14496-12). */

/** The bytes are no init segment or part of fragmented MP4. */
export class MediaBoxError extends Error {
  override readonly name = "MediaBoxError";
}

/** A box within bytes: where it begins, where its body does, and where it ends. */
export interface Box {
  type: string;
  start: number;
  body: number;
  end: number;
}

export interface MediaTrack {
  /** Ticks a second. */
  timescale: number;
  picture: boolean;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Length and type of the box at `at`, of which 16 bytes or all up to the end are there (4.2.2). Undefined: no box begins so. */
export function boxHeader(
  view: DataView,
  at: number,
): { type: string; header: number; size: number } | undefined {
  if (at + 8 > view.byteLength) return undefined;
  const short = view.getUint32(at);
  const isLong = short === 1;
  if (isLong && at + 16 > view.byteLength) return undefined;
  const size = isLong ? Number(view.getBigUint64(at + 8)) : short;
  const header = isLong ? 16 : 8;
  if (size < header) return undefined;
  let type = "";
  for (let i = 4; i < 8; i++) type += String.fromCharCode(view.getUint8(at + i));
  return { type, header, size };
}

/** The boxes that lie side by side in [from, end). Throws MediaBoxError when they do not fill it. */
export function boxesOf(bytes: Uint8Array, from = 0, end = bytes.length): Box[] {
  const view = viewOf(bytes);
  const boxes: Box[] = [];
  let at = from;
  while (at < end) {
    const found = boxHeader(view, at);
    if (found === undefined || at + found.size > end)
      throw new MediaBoxError(`No whole box begins at ${at}.`);
    boxes.push({ type: found.type, start: at, body: at + found.header, end: at + found.size });
    at += found.size;
  }
  return boxes;
}

function childOf(bytes: Uint8Array, parent: Box, type: string): Box {
  const child = boxesOf(bytes, parent.body, parent.end).find((box) => box.type === type);
  if (child === undefined) throw new MediaBoxError(`There is no ${type} in ${parent.type}.`);
  return child;
}

function u32At(view: DataView, at: number): number {
  if (at + 4 > view.byteLength) throw new MediaBoxError("A box is too short for its fields.");
  return view.getUint32(at);
}

/** Tracks of an init segment by their id. Throws MediaBoxError. */
export function tracksOf(init: Uint8Array): Map<number, MediaTrack> {
  const view = viewOf(init);
  const moov = boxesOf(init).find(({ type }) => type === "moov");
  if (moov === undefined) throw new MediaBoxError("An init segment has no moov.");
  const tracks = new Map<number, MediaTrack>();
  for (const trak of boxesOf(init, moov.body, moov.end).filter(({ type }) => type === "trak")) {
    const tkhd = childOf(init, trak, "tkhd");
    const hdlr = childOf(init, childOf(init, trak, "mdia"), "hdlr");
    // Version 1 has 64-bit times in front (8.3.2).
    const id = u32At(view, tkhd.body + (view.getUint8(tkhd.body) === 1 ? 20 : 12));
    const mdhd = childOf(init, childOf(init, trak, "mdia"), "mdhd");
    const timescale = u32At(view, mdhd.body + (view.getUint8(mdhd.body) === 1 ? 20 : 12));
    if (timescale === 0) throw new MediaBoxError("A track has no timescale.");
    tracks.set(id, { timescale, picture: u32At(view, hdlr.body + 8) === VIDE });
  }
  if (tracks.size === 0) throw new MediaBoxError("An init segment has no track.");
  return tracks;
}

const VIDE = 0x76696465;

/** One tfdt of a part (8.8.12). */
export interface DecodeTime {
  track: number;
  /** Of the time itself, in the bytes. */
  at: number;
  wide: boolean;
  ticks: number;
}

/** Decode times of the track fragments of a part, or of its `moof` alone. Throws MediaBoxError when it has none. */
export function decodeTimesOf(part: Uint8Array): DecodeTime[] {
  const view = viewOf(part);
  const moof = boxesOf(part).find(({ type }) => type === "moof");
  if (moof === undefined) throw new MediaBoxError("A part has no moof.");
  return boxesOf(part, moof.body, moof.end)
    .filter(({ type }) => type === "traf")
    .map((traf) => {
      const track = u32At(view, childOf(part, traf, "tfhd").body + 4);
      const tfdt = childOf(part, traf, "tfdt");
      const wide = view.getUint8(tfdt.body) === 1;
      const at = tfdt.body + 4;
      if (at + (wide ? 8 : 4) > tfdt.end) throw new MediaBoxError("A tfdt is too short.");
      return { track, at, wide, ticks: wide ? Number(view.getBigUint64(at)) : view.getUint32(at) };
    });
}

/** Writes another time over one that decodeTimesOf has found. Throws MediaBoxError where it does not fit. */
export function setDecodeTime(view: DataView, time: DecodeTime, ticks: number): void {
  if (ticks < 0 || ticks > (time.wide ? Number.MAX_SAFE_INTEGER : 0xffffffff)) {
    throw new MediaBoxError(`A decode time of ${ticks} ticks does not fit its box.`);
  }
  if (time.wide) view.setBigUint64(time.at, BigInt(ticks));
  else view.setUint32(time.at, ticks);
}
