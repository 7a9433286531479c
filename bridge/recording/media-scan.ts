/** Walks through a recording's file from a known place and adds what is whole to its index: what is torn or foreign ends the walk. */
import { ByteReader, joined } from "./byte-reader.ts";
import { MAX_INIT_BYTES, MAX_PART_BYTES } from "./limits.ts";
import { boxHeader, MediaBoxError, tracksOf, viewOf } from "./media-boxes.ts";
import { MARK_BYTES, type PartMark, readMark } from "./part-mark.ts";
import type { RecordingIndex } from "./recording-index.ts";

/** Adds whole init segments and parts of `body`, which begins where `index` ends. Returns the last init segment seen. */
export async function scanMedia(
  body: ReadableStream<Uint8Array>,
  index: RecordingIndex,
): Promise<Uint8Array | undefined> {
  const reader = new ByteReader(body);
  let lastInit: Uint8Array | undefined;
  try {
    while (!index.isFull) {
      const front = await reader.take(MARK_BYTES);
      const header = front && boxHeader(viewOf(front), 0);
      if (front === undefined || header === undefined) break;
      if (header.type === "ftyp") {
        const init = await readInit(reader, front);
        if (init === undefined) break;
        index.addInit(init.bytes.length, init.picture);
        lastInit = init.bytes;
        continue;
      }
      const mark = readMark(front);
      const length = mark === undefined ? undefined : await skipPart(reader);
      if (mark === undefined || length === undefined || !isSound(mark, index)) break;
      if (!index.addPart(mark, MARK_BYTES + length)) break;
    }
  } finally {
    await reader.cancel();
  }
  return lastInit;
}

/** Times that a recorder can have written behind what is there; others come from bytes that were never synchronised. */
function isSound(mark: PartMark, index: RecordingIndex): boolean {
  const isTime = Number.isSafeInteger(mark.startUs) && Number.isSafeInteger(mark.fileUs);
  return isTime && mark.durationUs > 0 && mark.fileUs >= index.fileUs - mark.durationUs;
}

/** `ftyp` and `moov`, whose first bytes are `front`. */
async function readInit(
  reader: ByteReader,
  front: Uint8Array,
): Promise<{ bytes: Uint8Array; picture: boolean } | undefined> {
  let bytes = front;
  let end = 0;
  for (const type of ["ftyp", "moov"]) {
    if (bytes.length < end + 16) {
      const more = await reader.take(end + 16 - bytes.length);
      if (more === undefined) return undefined;
      bytes = joined(bytes, more);
    }
    const header = boxHeader(viewOf(bytes), end);
    if (header?.type !== type || end + header.size > MAX_INIT_BYTES) return undefined;
    end += header.size;
    if (bytes.length < end) {
      const more = await reader.take(end - bytes.length);
      if (more === undefined) return undefined;
      bytes = joined(bytes, more);
    }
  }
  reader.giveBack(bytes.subarray(end));
  try {
    const init = bytes.slice(0, end);
    return { bytes: init, picture: [...tracksOf(init).values()].some(({ picture }) => picture) };
  } catch (error) {
    if (error instanceof MediaBoxError) return undefined;
    throw error;
  }
}

/** Length of the `moof` and `mdat` that come; undefined when they are not whole. */
async function skipPart(reader: ByteReader): Promise<number | undefined> {
  let length = 0;
  for (const type of ["moof", "mdat"]) {
    let front = await reader.take(8);
    if (front !== undefined && viewOf(front).getUint32(0) === 1) {
      const more = await reader.take(8);
      front = more && joined(front, more);
    }
    const header = front && boxHeader(viewOf(front), 0);
    if (header?.type !== type || header.size > MAX_PART_BYTES) return undefined;
    if (!(await reader.skip(header.size - header.header))) return undefined;
    length += header.size;
  }
  return length;
}
