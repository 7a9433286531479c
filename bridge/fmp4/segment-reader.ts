/** Reads back what this folder writes: the samples of a segment's parts and the formats of an init segment (ISO/IEC 14496-12). Not for files of others. */
import { PICTURE_TRACK, SOUND_TRACK } from "./init-segment.ts";

/** A sample with its times in ticks of its track. */
export interface ReadSample {
  track: typeof PICTURE_TRACK | typeof SOUND_TRACK;
  decodeTime: number;
  /** Presentation time. */
  time: number;
  sync: boolean;
  bytes: Uint8Array;
}

interface Box {
  type: string;
  /** Of its content. */
  start: number;
  end: number;
}

function* boxes(view: DataView, start: number, end: number): Generator<Box> {
  for (let at = start; at + 8 <= end; ) {
    const size = view.getUint32(at);
    if (size < 8) return;
    const type = String.fromCharCode(...[4, 5, 6, 7].map((offset) => view.getUint8(at + offset)));
    yield { type, start: at + 8, end: at + size };
    at += size;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Every sample of the `moof`s in `bytes`, track by track. */
export function readSamples(bytes: Uint8Array): ReadSample[] {
  const view = viewOf(bytes);
  const samples: ReadSample[] = [];
  for (const moof of boxes(view, 0, bytes.length)) {
    if (moof.type !== "moof") continue;
    for (const traf of boxes(view, moof.start, moof.end)) {
      if (traf.type === "traf") readTrack(bytes, view, moof.start - 8, traf, samples);
    }
  }
  return samples;
}

function readTrack(bytes: Uint8Array, view: DataView, base: number, traf: Box, samples: ReadSample[]): void {
  let track: ReadSample["track"] = SOUND_TRACK;
  let decodeTime = 0;
  for (const { type, start } of boxes(view, traf.start, traf.end)) {
    if (type === "tfhd") track = view.getUint32(start + 4) === PICTURE_TRACK ? PICTURE_TRACK : SOUND_TRACK;
    if (type === "tfdt") decodeTime = view.getUint32(start + 4) * 2 ** 32 + view.getUint32(start + 8);
    if (type !== "trun") continue;
    const flags = view.getUint32(start) & 0xffffff;
    let at = start + 12;
    let data = base + view.getUint32(start + 8);
    for (let count = view.getUint32(start + 4); count > 0; count--) {
      const [duration, size] = [view.getUint32(at), view.getUint32(at + 4)];
      at += 8;
      let sync = true;
      if ((flags & 0x400) !== 0) {
        sync = (view.getUint32(at) & 0x10000) === 0;
        at += 4;
      }
      let offset = 0;
      if ((flags & 0x800) !== 0) {
        offset = view.getUint32(at);
        at += 4;
      }
      samples.push({
        track,
        decodeTime,
        time: decodeTime + offset,
        sync,
        bytes: bytes.subarray(data, data + size),
      });
      decodeTime += duration;
      data += size;
    }
  }
}

export interface ReadFormats {
  /** SPS and PPS, where there is a picture. */
  parameterSets: readonly Uint8Array[] | undefined;
  /** AudioSpecificConfig; undefined where the sound is not AAC. */
  aac: Uint8Array | undefined;
}

/** Boxes on the way to codec configurations, with the bytes of their own that come before the boxes within. */
const CONTAINERS: Record<string, number> = {
  moov: 0,
  trak: 0,
  mdia: 0,
  minf: 0,
  stbl: 0,
  stsd: 8,
  avc1: 78,
  mp4a: 28,
};

export function readFormats(init: Uint8Array): ReadFormats {
  const view = viewOf(init);
  const formats: ReadFormats = { parameterSets: undefined, aac: undefined };
  const walk = (start: number, end: number): void => {
    for (const box of boxes(view, start, end)) {
      const front = CONTAINERS[box.type];
      if (front !== undefined) walk(box.start + front, box.end);
      if (box.type === "avcC") formats.parameterSets = readParameterSets(init, view, box.start);
      // The layout of init-segment.ts: 21 bytes of descriptors, then DecoderSpecificInfo with its length in one byte.
      if (box.type === "esds") {
        const at = box.start + 4 + 5 + 15;
        formats.aac = init.subarray(at + 2, at + 2 + init[at + 1]!);
      }
    }
  };
  walk(0, init.length);
  return formats;
}

function readParameterSets(init: Uint8Array, view: DataView, start: number): Uint8Array[] {
  const spsLength = view.getUint16(start + 6);
  const pps = start + 8 + spsLength + 1;
  const ppsLength = view.getUint16(pps);
  return [init.subarray(start + 8, start + 8 + spsLength), init.subarray(pps + 2, pps + 2 + ppsLength)];
}
