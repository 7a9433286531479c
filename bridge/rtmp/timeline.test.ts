import { describe, expect, it } from "vitest";
import { Timeline, TrackTimes } from "./timeline.ts";

describe("Timeline", () => {
  it.each([0, 2 ** 24 - 5, 2 ** 31 - 5, 2 ** 32 - 5])(
    "goes on from %i, with tracks a little apart",
    (start) => {
      const timeline = new Timeline();
      const seen: number[] = [];
      for (const offset of [0, 20, -3, 33, 31, 66, 40])
        seen.push(timeline.at((start + offset) >>> 0) - start);
      expect(seen).toEqual([0, 20, -3, 33, 31, 66, 40]);
    },
  );

  it("wraps more than once", () => {
    const timeline = new Timeline();
    let last = 0;
    for (let ms = 0; ms < 3 * 2 ** 32; ms += 2 ** 30) last = timeline.at(ms % 2 ** 32);
    expect(last).toBe(3 * 2 ** 32 - 2 ** 30);
  });
});

describe("TrackTimes", () => {
  it("grows whatever small steps back there are", () => {
    const times = new TrackTimes();
    expect([1_000, 34_000, 33_000, 33_000, 67_000].map((time) => times.next(time))).toEqual([
      1_000, 34_000, 34_001, 34_002, 67_000,
    ]);
    expect(times.next(67_000 - 1_000_001)).toBeUndefined();
  });
});
