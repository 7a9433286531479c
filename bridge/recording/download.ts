/**
 * A recording as one MP4 to be taken along: one init segment in front, with the whole duration and an index (`sidx`), so that players know
 * how long it is and can seek; then all parts. It is put together while it is sent, so any range of it can be had.
 */
import type { Storage } from "../storage/storage.ts";
import { type Box, boxesOf, MediaBoxError, type MediaTrack, tracksOf, viewOf } from "./media-boxes.ts";
import { movedParts } from "./moved-parts.ts";
import type { RecordedSegment, RecordingIndex } from "./recording-index.ts";

/** References of one `sidx`; segments are taken together above it (ISO/IEC 14496-12, 8.16.3). */
const MAX_REFERENCES = 65_535;

/** What is sent, in order: bytes of our own, or segments of the recording's file. */
type DownloadPiece = { bytes: Uint8Array } | { offset: number; length: number };

export interface Download {
  pieces: readonly DownloadPiece[];
  bytes: number;
  tracks: ReadonlyMap<number, MediaTrack>;
  /** By how much the times in the file are moved: a download begins at 0, a file where its writer was when the recording began. */
  moveUs: number;
}

/**
 * `init`: the bytes of init segment number `initOf(index, format)`. With `format`, only what has that init segment; without it everything,
 * whose pictures then must bring their parameter sets along where they change. Throws MediaBoxError.
 */
export function downloadOf(index: RecordingIndex, init: Uint8Array, format: number | undefined): Download {
  const segments = index.segments.filter((segment) => format === undefined || segment.init === format);
  const beginsWithPicture = index.inits[segments[0]?.init ?? 0]?.picture === true;
  const pieces = [{ bytes: headOf(init, segments, beginsWithPicture) }, ...segments];
  const bytes = pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);
  return { pieces, bytes, tracks: tracksOf(init), moveUs: -(segments[0]?.fileUs ?? 0) };
}

/** Which init segment stands in front: the first one with a picture, since one without would hide it. */
export function initOf(index: RecordingIndex, format: number | undefined): number {
  return (
    format ??
    Math.max(
      0,
      index.inits.findIndex(({ picture }) => picture),
    )
  );
}

/** The bytes [offset, offset + length) of a download. Errors when the file fails. */
export function downloadBody(
  storage: Storage,
  mediaKey: string,
  download: Download,
  offset: number,
  length: number,
): ReadableStream<Uint8Array> {
  const bytes = bytesOf(storage, mediaKey, download, offset, offset + length);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await bytes.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await bytes.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

function lengthOf(piece: DownloadPiece): number {
  return "bytes" in piece ? piece.bytes.length : piece.length;
}

async function* bytesOf(
  storage: Storage,
  key: string,
  { pieces, tracks, moveUs }: Download,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  for (const piece of pieces) {
    const end = at + lengthOf(piece);
    if (end > from && at < to) {
      const first = Math.max(0, from - at);
      const last = Math.min(end, to) - at;
      if ("bytes" in piece) yield piece.bytes.subarray(first, last);
      else {
        const found = await storage.read(key, piece);
        if (found === undefined) throw new MediaBoxError("The recording was deleted while it was read.");
        yield* sliced(movedParts(found.body, tracks, moveUs), first, last);
      }
    }
    at = end;
    if (at >= to) return;
  }
}

async function* sliced(
  pieces: AsyncGenerator<Uint8Array, void, undefined>,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  for await (const piece of pieces) {
    const wanted = piece.subarray(Math.max(0, from - at), Math.max(0, to - at));
    at += piece.length;
    if (wanted.length > 0) yield wanted;
    if (at >= to) return;
  }
}

/** The init segment with a duration (`mehd`, 8.8.2), and a `sidx`. */
function headOf(
  init: Uint8Array,
  segments: readonly RecordedSegment[],
  beginsWithPicture: boolean,
): Uint8Array {
  const first = segments[0];
  const last = segments.at(-1);
  if (first === undefined || last === undefined) return init;
  const moov = boxesOf(init).find(({ type }) => type === "moov");
  if (moov === undefined) throw new MediaBoxError("An init segment has no moov.");
  const edited: Uint8Array[] = [];
  for (const box of boxesOf(init, moov.body, moov.end)) {
    const whole = init.subarray(box.start, box.end);
    if (box.type === "mvex") {
      const durationUs = last.fileUs + last.durationUs - first.fileUs;
      edited.push(withDuration(whole, Math.round((durationUs * movieTimescale(init, moov)) / 1e6)));
    } else edited.push(whole);
  }
  return joined([
    init.subarray(0, moov.start),
    boxOf("moov", edited),
    segmentIndex(init, segments, beginsWithPicture),
  ]);
}

function movieTimescale(init: Uint8Array, moov: Box): number {
  const mvhd = boxesOf(init, moov.body, moov.end).find(({ type }) => type === "mvhd");
  if (mvhd === undefined) throw new MediaBoxError("A moov has no mvhd.");
  const view = viewOf(init);
  return view.getUint32(mvhd.body + (view.getUint8(mvhd.body) === 1 ? 20 : 12));
}

function withDuration(mvex: Uint8Array, ticks: number): Uint8Array {
  const [whole] = boxesOf(mvex);
  const mehd = new Uint8Array(20);
  setHeader(mehd, "mehd", 1);
  viewOf(mehd).setBigUint64(12, BigInt(ticks));
  const others = boxesOf(mvex, whole!.body).filter(({ type }) => type !== "mehd");
  return boxOf("mvex", [mehd, ...others.map(({ start, end }) => mvex.subarray(start, end))]);
}

/** Of a track that is there from the beginning, the picture if it is; in its timescale. Some readers take both for granted. */
function segmentIndex(
  init: Uint8Array,
  segments: readonly RecordedSegment[],
  beginsWithPicture: boolean,
): Uint8Array {
  const tracks = [...tracksOf(init)];
  const [id, { timescale }] = tracks.find(([, { picture }]) => picture === beginsWithPicture) ?? tracks[0]!;
  const ticksOf = (us: number): number => Math.round((us * timescale) / 1e6);
  const references = referencesOf(segments);
  const sidx = new Uint8Array(40 + 12 * references.length);
  setHeader(sidx, "sidx", 1);
  const view = viewOf(sidx);
  view.setUint32(12, id);
  view.setUint32(16, timescale);
  // Begins at 0: earliest_presentation_time and first_offset stay so.
  view.setUint16(38, references.length);
  references.forEach(({ bytes, fromUs, toUs }, n) => {
    view.setUint32(40 + 12 * n, bytes);
    view.setUint32(44 + 12 * n, ticksOf(toUs) - ticksOf(fromUs));
    // Begins with a sync sample: starts_with_SAP, type 1.
    view.setUint32(48 + 12 * n, 0x90000000);
  });
  return sidx;
}

/** Each reaches up to where the next begins, so that they add up to the file's timeline. */
function referencesOf(
  segments: readonly RecordedSegment[],
): { bytes: number; fromUs: number; toUs: number }[] {
  const together = Math.ceil(segments.length / MAX_REFERENCES);
  const references: { bytes: number; fromUs: number; toUs: number }[] = [];
  segments.forEach(({ length, fileUs, durationUs }, n) => {
    const toUs = Math.max(fileUs, segments[n + 1]?.fileUs ?? fileUs + durationUs);
    const last = references.at(-1);
    if (last !== undefined && n % together !== 0) {
      last.bytes += length;
      last.toUs = toUs;
    } else references.push({ bytes: length, fromUs: fileUs, toUs });
  });
  return references;
}

function boxOf(type: string, pieces: readonly Uint8Array[]): Uint8Array {
  const box = joined([new Uint8Array(8), ...pieces]);
  setHeader(box, type, 0);
  return box;
}

function setHeader(box: Uint8Array, type: string, version: number): void {
  viewOf(box).setUint32(0, box.length);
  for (let i = 0; i < 4; i++) box[4 + i] = type.charCodeAt(i);
  if (version > 0) box[8] = version;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
