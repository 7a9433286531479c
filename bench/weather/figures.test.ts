import { describe, expect, it } from "vitest";
import type { Account } from "../media/call-system.ts";
import type { EmittedBursts, ProbeNotes } from "../media/readings.ts";
import { accountFigures, recoveredMs } from "./figures.ts";

const START_MS = 2 ** 26 * 26_000;

function look(second: number, over: Partial<Account>): Account {
  return {
    atMs: START_MS + second * 1_000,
    receivedBytes: 0,
    concealedMs: 0,
    playedMs: second * 1_000,
    audioBufferMs: null,
    videoBufferMs: null,
    pictureWidth: null,
    ...over,
  };
}

describe("a system's own account", () => {
  it("is what counters grew by, and the mean of what goes up and down", () => {
    const figures = accountFigures(
      [
        look(0, { receivedBytes: 1_000, concealedMs: 50, pictureWidth: 640 }),
        look(1, { receivedBytes: 126_000, concealedMs: 50, audioBufferMs: 40, videoBufferMs: 140 }),
        look(2, {
          receivedBytes: 251_000,
          concealedMs: 70,
          audioBufferMs: 60,
          videoBufferMs: 160,
          pictureWidth: 480,
        }),
      ],
      80,
    );
    expect(figures).toEqual({
      concealedShare: 0.01,
      audioBufferMs: 50,
      videoBufferMs: 70,
      receivedKbps: 1_000,
      pictureWidth: 560,
      smallestPictureWidth: 480,
    });
  });

  it("goes on when counters start anew", () => {
    const bytes = [1_000_000, 1_100_000, 25_000, 50_000];
    const figures = accountFigures(
      bytes.map((receivedBytes, second) => look(second, { receivedBytes })),
      0,
    );
    expect(figures.receivedKbps).toBeCloseTo(400);
  });

  it("says nothing of a call in which nothing was played", () => {
    expect(accountFigures([], 0)).toMatchObject({ concealedShare: null, receivedKbps: null });
    const silent = accountFigures([look(0, {}), look(1, { playedMs: 0 })], 0);
    expect(silent).toMatchObject({ concealedShare: null, audioBufferMs: null, pictureWidth: null });
  });
});

/** Ten seconds of a call; nothing captured in the `gap` arrives, and sound captured before `lateUntilMs` comes late. */
function call(gap: [number, number], lateUntilMs: number): { notes: ProbeNotes; emitted: EmittedBursts } {
  const emitted: EmittedBursts = [];
  const notes: ProbeNotes = {
    pictures: [],
    bursts: [],
    silentMs: 0,
    firstPictureMs: 0,
    firstSoundMs: 0,
    readings: 0,
    readingMs: 0,
  };
  const arrives = (ms: number) => ms < gap[0] || ms >= gap[1];
  for (let ms = 0, burst = 0; ms < 10_000; ms += 500, burst++) {
    emitted.push([burst % 8, START_MS + ms]);
    if (arrives(ms)) notes.bursts.push([burst % 8, START_MS + ms + (ms < lateUntilMs ? 400 : 100)]);
  }
  for (let ms = 0; ms < 10_000; ms += 33)
    if (arrives(ms)) notes.pictures.push([START_MS + ms + 100, (START_MS + ms) % 2 ** 26, 640]);
  return { notes, emitted };
}

describe("recovery", () => {
  const untilMs = START_MS + 10_000;

  it("is when pictures flow again", () => {
    const { notes, emitted } = call([2_000, 5_000], 0);
    const tookMs = recoveredMs(notes, emitted, START_MS + 4_500, untilMs);
    expect(tookMs).toBeGreaterThan(400);
    expect(tookMs).toBeLessThan(650);
  });

  it("waits for sound that is in step", () => {
    const { notes, emitted } = call([2_000, 5_000], 7_000);
    const tookMs = recoveredMs(notes, emitted, START_MS + 5_000, untilMs);
    expect(tookMs).toBeGreaterThan(1_500);
    expect(tookMs).toBeLessThan(2_500);
  });

  it("did not happen when nothing came back, or too late to tell", () => {
    const gone = call([2_000, 20_000], 0);
    expect(recoveredMs(gone.notes, gone.emitted, START_MS + 5_000, untilMs)).toBeNull();
    const late = call([2_000, 9_500], 0);
    expect(recoveredMs(late.notes, late.emitted, START_MS + 5_000, untilMs)).toBeNull();
  });

  it("takes no time when nothing was lost", () => {
    const { notes, emitted } = call([0, 0], 0);
    expect(recoveredMs(notes, emitted, START_MS + 5_000, untilMs)).toBe(0);
  });
});
