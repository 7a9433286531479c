/** One part: `moof` and `mdat` with the samples of up to two tracks (ISO/IEC 14496-12, 8.8; sections in brackets). */
import { BoxWriter } from "./box-writer.ts";

export interface Sample {
  /** Ticks until the next one is decoded. */
  duration: number;
  /** Presentation minus decode time, ticks; never negative, which not every reader takes alike. */
  offset: number;
  sync: boolean;
  bytes: Uint8Array;
}

export interface TrackRun {
  track: number;
  /** Of the first sample, ticks. */
  decodeTime: number;
  samples: readonly Sample[];
}

/** [8.8.3.1] Depends on nothing; depends on others and is no sync sample. */
const SYNC_FLAGS = 0x02000000;
const DELTA_FLAGS = 0x01010000;

/** `sequence` counts from 1 (mfhd, [8.8.5]). Runs without samples are left out. */
export function movieFragment(sequence: number, runs: readonly TrackRun[]): Uint8Array {
  const used = runs.filter(({ samples }) => samples.length > 0);
  const size = used.reduce(
    (sum, run) => run.samples.reduce((s, { bytes }) => s + bytes.length + 16, sum),
    512,
  );
  const w = new BoxWriter(size);
  /** Where each run says how far its bytes are from the start of `moof`. */
  const offsets: number[] = [];
  w.box("moof", () => {
    w.fullBox("mfhd", 0, 0, () => w.u32(sequence));
    for (const run of used) trackFragment(w, run, offsets);
  });
  w.box("mdat", () => {
    used.forEach(({ samples }, index) => {
      w.patchU32(offsets[index]!, w.length);
      for (const { bytes } of samples) w.bytes(bytes);
    });
  });
  return w.finish();
}

/** [8.8.6] [8.8.7] [8.8.8] [8.8.12] */
function trackFragment(w: BoxWriter, { track, decodeTime, samples }: TrackRun, offsets: number[]): void {
  const reordered = samples.some(({ offset }) => offset !== 0);
  const allSync = samples.every(({ sync }) => sync);
  w.box("traf", () => {
    // default-base-is-moof; with default flags where they are all the same.
    w.fullBox("tfhd", 0, 0x020000 | (allSync ? 0x20 : 0), () => {
      w.u32(track);
      if (allSync) w.u32(SYNC_FLAGS);
    });
    w.fullBox("tfdt", 1, 0, () => w.u64(decodeTime));
    // Data offset, durations, sizes; flags and composition offsets where they matter.
    w.fullBox("trun", 0, 0x301 | (allSync ? 0 : 0x400) | (reordered ? 0x800 : 0), () => {
      w.u32(samples.length);
      offsets.push(w.length);
      w.u32(0);
      for (const sample of samples) {
        w.u32(sample.duration);
        w.u32(sample.bytes.length);
        if (!allSync) w.u32(sample.sync ? SYNC_FLAGS : DELTA_FLAGS);
        if (reordered) w.u32(sample.offset);
      }
    });
  });
}
