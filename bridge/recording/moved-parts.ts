/** Parts of a recording on their way out, with their decode times moved: sizes stay, so any range of them can still be told beforehand. */
import { ByteReader, joined } from "./byte-reader.ts";
import { MAX_PART_BYTES } from "./limits.ts";
import {
  boxHeader,
  decodeTimesOf,
  MediaBoxError,
  type MediaTrack,
  setDecodeTime,
  viewOf,
} from "./media-boxes.ts";

/** `body` begins with a box. Each `moof` says times that are `byUs` later (negative: earlier, not before 0). Throws MediaBoxError where the boxes are not as they should be. */
export async function* movedParts(
  body: ReadableStream<Uint8Array>,
  tracks: ReadonlyMap<number, MediaTrack>,
  byUs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new ByteReader(body);
  try {
    for (;;) {
      let front = await reader.take(8);
      if (front === undefined) return;
      if (viewOf(front).getUint32(0) === 1) front = joined(front, (await reader.take(8)) ?? new Uint8Array());
      const header = boxHeader(viewOf(front), 0);
      if (header === undefined) throw new MediaBoxError("A recording's file has bytes that are no box.");
      if (header.type !== "moof") {
        yield front;
        yield* passed(reader, header.size - header.header);
        continue;
      }
      const rest = header.size > MAX_PART_BYTES ? undefined : await reader.take(header.size - header.header);
      if (rest === undefined) throw new MediaBoxError("A moof of a recording is not whole.");
      const moof = joined(front, rest);
      const view = viewOf(moof);
      for (const time of decodeTimesOf(moof)) {
        const ticks = time.ticks + Math.round((byUs * (tracks.get(time.track)?.timescale ?? 0)) / 1e6);
        setDecodeTime(view, time, Math.max(0, ticks));
      }
      yield moof;
    }
  } finally {
    await reader.cancel();
  }
}

async function* passed(reader: ByteReader, length: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let left = length; left > 0; ) {
    const piece = await reader.some(left);
    if (piece === undefined) throw new MediaBoxError("A box of a recording is not whole.");
    left -= piece.length;
    yield piece;
  }
}
