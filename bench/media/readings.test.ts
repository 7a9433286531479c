import { describe, expect, it } from "vitest";
import { avOffsets, freezes, type ProbeNotes, pictureDelays, readFigures, soundDelays } from "./readings.ts";

const START_MS = 2 ** 26 * 26_000 - 500;

/** A second of pictures and sound with these delays; the barcode's time wraps in the middle. */
function notesWith(videoMs: number, audioMs: number): { notes: ProbeNotes; emitted: [number, number][] } {
  const emitted: [number, number][] = [];
  for (let burst = 0; burst < 20; burst++) emitted.push([burst % 8, START_MS + burst * 50]);
  const notes: ProbeNotes = {
    pictures: [],
    bursts: emitted.map(([tone, atMs]) => [tone, atMs + audioMs]),
    silentMs: 0,
    firstPictureMs: 0,
    firstSoundMs: 0,
    readings: 0,
    readingMs: 0,
  };
  for (let picture = 0; picture < 30; picture++) {
    const atMs = START_MS + Math.round((picture * 1_000) / 30);
    notes.pictures.push([atMs + videoMs, atMs % 2 ** 26, 640]);
  }
  return { notes, emitted };
}

describe("readings of a call", () => {
  it("finds the delay of pictures across the barcode's wrap", () => {
    const { notes } = notesWith(42, 60);
    expect(new Set(pictureDelays(notes).map(({ delayMs }) => delayMs))).toEqual(new Set([42]));
  });

  it("matches a burst with the latest of its tone, and leaves strangers out", () => {
    const { notes, emitted } = notesWith(42, 60);
    notes.bursts.push([9, START_MS + 700]);
    const delays = soundDelays(notes, emitted);
    expect(delays).toHaveLength(20);
    expect(delays.every(({ delayMs }) => delayMs === 60)).toBe(true);
  });

  it("counts sound before its picture as a positive offset", () => {
    const { notes, emitted } = notesWith(80, 50);
    const offsets = avOffsets(soundDelays(notes, emitted), pictureDelays(notes));
    expect(new Set(offsets)).toEqual(new Set([30]));
  });

  it("says that a burst was not heard and a picture not seen", () => {
    const { notes, emitted } = notesWith(42, 60);
    notes.bursts.splice(5, 5);
    notes.pictures.splice(10, 3);
    const figures = readFigures(notes, emitted, START_MS, START_MS + 1_000);
    expect(figures.burstsHeardShare).toBe(0.75);
    expect(figures.fps).toBe(27);
    expect(figures.audioDelayP50Ms).toBe(60);
  });

  it("sees a freeze, also one that has not ended", () => {
    const { notes } = notesWith(0, 0);
    expect(freezes(notes, START_MS, START_MS + 1_000).count).toBe(0);
    notes.pictures.splice(10, 9);
    const inside = freezes(notes, START_MS, START_MS + 1_000);
    expect(inside.count).toBe(1);
    expect(inside.totalMs).toBeGreaterThan(300);
    notes.pictures.splice(10);
    expect(freezes(notes, START_MS, START_MS + 1_000)).toEqual({ count: 1, totalMs: 700 });
  });

  it("has no figures for a call in which nothing arrived", () => {
    const { notes, emitted } = notesWith(0, 0);
    const silent = { ...notes, pictures: [], bursts: [] };
    const figures = readFigures(silent, emitted, START_MS, START_MS + 1_000);
    expect(figures).toMatchObject({
      audioDelayP50Ms: null,
      videoDelayP50Ms: null,
      fps: 0,
      burstsHeardShare: 0,
      freezes: 1,
    });
  });
});
