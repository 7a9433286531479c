import { expect, it } from "vitest";
import { bytesOf } from "../storage/storage.contract.ts";
import { scanMedia } from "./media-scan.ts";
import { PartFraming } from "./part-framing.ts";
import { MARK_BYTES, type PartMark, readMark, writeMark } from "./part-mark.ts";
import { RecordingIndex } from "./recording-index.ts";
import { madeInit, madeParts } from "./testing/made-media.ts";

const T0 = 1_800_000_000_000_000;

/** A whole file, and where each of its init segments and parts ends. */
function madeFile(): { media: Uint8Array; ends: number[] } {
  const framing = new PartFraming({ inits: 0, lastInit: undefined, fileUs: 0 });
  const pieces: Uint8Array[] = [];
  for (const [n, picture] of [false, true].entries()) {
    const init = madeInit(n, picture);
    expect(framing.init(init)).toBeUndefined();
    for (const part of madeParts(init, T0 + n * 2_000_000, 10, n * 2_000_000)) {
      const framed = framing.part(part);
      if (typeof framed === "string") throw new Error(framed);
      if (framed.init !== undefined) pieces.push(framed.init.bytes);
      pieces.push(framed.bytes);
    }
  }
  const media = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  const ends: number[] = [];
  let at = 0;
  for (const piece of pieces) {
    media.set(piece, at);
    at += piece.length;
    ends.push(at);
  }
  return { media, ends };
}

/** In chunks of such a size. */
function bodyOf(bytes: Uint8Array, chunk: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + chunk));
      at += chunk;
    },
  });
}

async function scanned(bytes: Uint8Array, chunk = 4_096): Promise<RecordingIndex> {
  const index = new RecordingIndex();
  await scanMedia(bodyOf(bytes, chunk), index);
  return index;
}

it.each([1, 7, 48, 1_000, 1_000_000])("finds the same in chunks of %i bytes", async (chunk) => {
  const { media } = madeFile();
  const index = await scanned(media, chunk);
  expect(index.bytes).toBe(media.length);
  expect(index.segments.map(({ init, durationUs }) => [init, durationUs])).toEqual([
    [0, 2_000_000],
    [1, 2_000_000],
  ]);
  expect(RecordingIndex.fromJson(index.toJson())?.segments).toEqual(index.segments);
});

it("stops at the last whole part, wherever the file is torn", async () => {
  const { media, ends } = madeFile();
  for (let length = 0; length < media.length; length += 31) {
    const whole = ends.findLast((end) => end <= length) ?? 0;
    expect((await scanned(media.subarray(0, length))).bytes).toBe(whole);
  }
});

it("bytes that were changed neither throw nor give what is not there", async () => {
  const { media } = madeFile();
  const random = bytesOf(8 * Number(process.env.FUZZ ?? 300), 77);
  for (let i = 0; i + 8 <= random.length; i += 8) {
    const changed = media.slice();
    for (let n = 0; n < 4; n++) {
      // Mostly within the first boxes, whose lengths matter.
      const at = (random[i + n]! * 256 + random[i + n + 1]!) % (n < 2 ? 1_500 : media.length);
      changed[at] = random[i + n + 4]!;
    }
    const index = await scanned(changed);
    expect(index.bytes).toBeLessThanOrEqual(media.length);
    const end = index.segments.at(-1);
    expect((end?.offset ?? 0) + (end?.length ?? 0)).toBeLessThanOrEqual(index.bytes);
  }
});

it("marks come back as they were written, and others are none", () => {
  const mark: PartMark = {
    startUs: T0 + 123_457,
    fileUs: 86_400_000_001,
    durationUs: 199_999,
    init: 19_999,
    segmentStart: true,
    discontinuity: false,
  };
  const bytes = new Uint8Array(MARK_BYTES);
  writeMark(bytes, mark);
  expect(readMark(bytes)).toEqual(mark);
  expect(readMark(bytes.subarray(1))).toBeUndefined();
  bytes[24] = 9;
  expect(readMark(bytes)).toBeUndefined();
  expect(readMark(bytesOf(MARK_BYTES))).toBeUndefined();
});

it("an index that says what cannot be is not believed", () => {
  const good = { version: 1, bytes: 100, inits: [[0, 10, true]], segments: [[10, 90, T0, 5, 0, 0, false]] };
  expect(RecordingIndex.fromJson(JSON.stringify(good))?.bytes).toBe(100);
  for (const change of [
    { version: 2 },
    { bytes: 99 },
    { bytes: -1 },
    { inits: [] },
    { inits: [[0, 200, true]] },
    { segments: [[10, 90, T0, 5, 0, 1, false]] },
    {
      segments: [
        [10, 50, T0, 5, 0, 0, false],
        [40, 10, T0, 5, 0, 0, false],
      ],
    },
    { segments: [[10, 90, "x", 5, 0, 0, false]] },
  ]) {
    expect(
      RecordingIndex.fromJson(JSON.stringify({ ...good, ...change })),
      JSON.stringify(change),
    ).toBeUndefined();
  }
  for (const text of ["", "null", "[]", "{", '"x"']) expect(RecordingIndex.fromJson(text)).toBeUndefined();
});
