import { describe, expect, it } from "vitest";
import { CatchUp } from "./catch-up.ts";

const FRAME_US = 33_333;

/** Pushes units as [capture, arrival] and gives the capture times that count as the present. */
function present(units: readonly (readonly [number, number])[]): number[] {
  const catchUp = new CatchUp();
  return units
    .filter(([capture, arrived]) => {
      catchUp.push(capture, arrived);
      return !catchUp.isPast(capture);
    })
    .map(([capture]) => capture);
}

const live = (from: number, count: number, delayUs: number): [number, number][] =>
  Array.from({ length: count }, (_, i) => [(from + i) * FRAME_US, (from + i) * FRAME_US + delayUs]);

describe("CatchUp", () => {
  it("takes what comes at the camera's pace for the present, from the second unit on", () => {
    expect(present(live(0, 10, 40_000))).toEqual(live(1, 9, 0).map(([capture]) => capture));
  });

  it("takes a replayed GOP for the past, until it comes no faster than it was captured", () => {
    const replayed = Array.from({ length: 60 }, (_, i) => [i * FRAME_US, 2_000_000 + i * 2_000] as const);
    const seen = present([...replayed, ...live(63, 20, 40_000)]);
    expect(seen.length).toBeGreaterThanOrEqual(19);
    expect(seen[0]).toBeGreaterThanOrEqual(63 * FRAME_US);
  });

  it("finds out when a pause in the replay looked like the present", () => {
    const replayed = Array.from(
      { length: 60 },
      (_, i) => [i * FRAME_US, 2_000_000 + i * 2_000 + (i > 30 ? 60_000 : 0)] as const,
    );
    const seen = present([...replayed, ...live(64, 20, 40_000)]);
    // The unit behind the pause, and two until the fall shows.
    expect(seen.filter((capture) => capture < 60 * FRAME_US).length).toBeLessThanOrEqual(5);
    expect(seen.filter((capture) => capture >= 64 * FRAME_US).length).toBeGreaterThanOrEqual(19);
  });

  it("keeps to the present through jitter and outages", () => {
    const calm = live(0, 30, 40_000);
    const afterOutage = live(90, 30, 40_000).map(
      ([capture, arrived], i) => [capture, i < 10 ? 95 * FRAME_US + 400_000 + i : arrived] as const,
    );
    expect(present([...calm, ...afterOutage])).toHaveLength(59);
  });

  it("looks for the past again after a reset", () => {
    const catchUp = new CatchUp();
    for (const [capture, arrived] of live(0, 5, 0)) catchUp.push(capture, arrived);
    expect(catchUp.isPast(4 * FRAME_US)).toBe(false);
    catchUp.reset();
    catchUp.push(5 * FRAME_US, 6 * FRAME_US);
    expect(catchUp.isPast(5 * FRAME_US)).toBe(true);
  });
});
