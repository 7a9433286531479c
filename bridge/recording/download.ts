/**
 * A recording as one MP4 to be taken along: one init segment in front, with the whole duration and an index (`sidx`), so that players know
 * how long it is and can seek; then all parts. It is put together while it is sent, so any range of it can be had.
 */
import type { Storage } from "../storage/storage.ts";
import { boxesOf, MediaBoxError, tracksOf, viewOf } from "./media-boxes.ts";
import type { RecordedSegment, RecordingIndex } from "./recording-index.ts";

/** References of one `sidx`; segments are taken together above it (ISO/IEC 14496-12, 8.16.3). */
const MAX_REFERENCES = 65_535;

/** What is sent, in order: bytes of our own, or of the recording's file. */
export type DownloadPiece = { bytes: Uint8Array } | { offset: number; length: number };

export interface Download {
  pieces: readonly DownloadPiece[];
  bytes: number;
}

/**
 * `init`: the bytes of init segment number `initOf(index, format)`. With `format`, only what has that init segment; without it everything,
 * whose pictures then must bring their parameter sets along where they change.
 */
export function downloadOf(index: RecordingIndex, init: Uint8Array, format: number | undefined): Download {
  const segments = index.segments.filter((segment) => format === undefined || segment.init === format);
  const pieces: DownloadPiece[] = [{ bytes: headOf(init, segments) }];
  let last: { offset: number; length: number } | undefined;
  for (const { offset, length } of segments) {
    if (last !== undefined && last.offset + last.length === offset) last.length += length;
    else {
      last = { offset, length };
      pieces.push(last);
    }
  }
  return { pieces, bytes: pieces.reduce((sum, piece) => sum + lengthOf(piece), 0) };
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
  const bodies = openPieces(storage, mediaKey, wantedOf(download.pieces, offset, length));
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await bodies.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await bodies.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

function lengthOf(piece: DownloadPiece): number {
  return "bytes" in piece ? piece.bytes.length : piece.length;
}

function wantedOf(pieces: readonly DownloadPiece[], offset: number, length: number): DownloadPiece[] {
  const wanted: DownloadPiece[] = [];
  let at = 0;
  for (const piece of pieces) {
    const from = Math.max(0, offset - at);
    const to = Math.min(lengthOf(piece), offset + length - at);
    if (from < to) {
      wanted.push(
        "bytes" in piece
          ? { bytes: piece.bytes.subarray(from, to) }
          : { offset: piece.offset + from, length: to - from },
      );
    }
    at += lengthOf(piece);
  }
  return wanted;
}

async function* openPieces(
  storage: Storage,
  key: string,
  pieces: readonly DownloadPiece[],
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of pieces) {
    if ("bytes" in piece) {
      yield piece.bytes;
      continue;
    }
    const found = await storage.read(key, piece);
    if (found === undefined) throw new MediaBoxError("The recording was deleted while it was read.");
    yield* chunksOf(found.body);
  }
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader();
  try {
    for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read())
      yield value;
  } finally {
    await reader.cancel();
  }
}

/** The init segment with a duration (`mehd`, 8.8.2), and a `sidx`. */
function headOf(init: Uint8Array, segments: readonly RecordedSegment[]): Uint8Array {
  const first = segments[0];
  const last = segments.at(-1);
  if (first === undefined || last === undefined) return init;
  const moov = boxesOf(init).find(({ type }) => type === "moov");
  if (moov === undefined) throw new MediaBoxError("An init segment has no moov.");
  const inMoov = boxesOf(init, moov.body, moov.end);
  const mvex = inMoov.find(({ type }) => type === "mvex");
  const mvhd = inMoov.find(({ type }) => type === "mvhd");
  if (mvex === undefined || mvhd === undefined)
    throw new MediaBoxError("An init segment has no mvex or mvhd.");
  const sidx = segmentIndex(init, segments);
  if (boxesOf(init, mvex.body, mvex.end).some(({ type }) => type === "mehd")) return joined([init, sidx]);
  const view = viewOf(init);
  const timescale = view.getUint32(mvhd.body + (view.getUint8(mvhd.body) === 1 ? 20 : 12));
  const mehd = new Uint8Array(20);
  setHeader(mehd, "mehd", 1);
  const endUs = last.fileUs + last.durationUs;
  viewOf(mehd).setBigUint64(12, BigInt(Math.round((endUs * timescale) / 1e6)));
  const head = joined([init.subarray(0, mvex.body), mehd, init.subarray(mvex.body), sidx]);
  const out = viewOf(head);
  for (const box of [moov, mvex]) out.setUint32(box.start, box.end - box.start + mehd.length);
  return head;
}

/** Of the picture, or of the only track; in its timescale, which some readers take for granted. */
function segmentIndex(init: Uint8Array, segments: readonly RecordedSegment[]): Uint8Array {
  const tracks = [...tracksOf(init)];
  const [id, { timescale }] = tracks.find(([, { picture }]) => picture) ?? tracks[0]!;
  const ticksOf = (us: number): number => Math.round((us * timescale) / 1e6);
  const references = referencesOf(segments);
  const sidx = new Uint8Array(40 + 12 * references.length);
  setHeader(sidx, "sidx", 1);
  const view = viewOf(sidx);
  view.setUint32(12, id);
  view.setUint32(16, timescale);
  view.setBigUint64(20, BigInt(ticksOf(segments[0]!.fileUs)));
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

function setHeader(box: Uint8Array, type: string, version: number): void {
  viewOf(box).setUint32(0, box.length);
  for (let i = 0; i < 4; i++) box[4 + i] = type.charCodeAt(i);
  box[8] = version;
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
