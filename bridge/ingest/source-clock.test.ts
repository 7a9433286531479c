/** A sender's timeline on the room clock: steady, in step with arrival, moved slowly. */
import { expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { SourceClock } from "./source-clock.ts";

const START_US = 1_700_000_000_000_000;
const FRAME_US = 40_000;

it("keeps pictures evenly apart while their arrivals jitter, and never after they arrive", () => {
  const random = seededRandom(3);
  const clock = new SourceClock();
  let before: number | undefined;
  for (let i = 0; i < 1_000; i++) {
    // The way gets shorter by 100 ms in the beginning, as a sender's first queue empties.
    const wayUs = 30_000 + 20_000 * random() + Math.max(0, 100_000 - 4_000 * i);
    const arrivedUs = START_US + i * FRAME_US + wayUs;
    const captureUs = clock.captureUs(i * FRAME_US, i * FRAME_US, arrivedUs);
    if (before !== undefined) expect(Math.abs(captureUs - before - FRAME_US)).toBeLessThan(2_500);
    if (i > 200) expect(captureUs).toBeLessThanOrEqual(arrivedUs + 1);
    before = captureUs;
  }
});

it("moves all back by as much as pictures are reordered, and keeps the order of showing", () => {
  const clock = new SourceClock();
  const shown = [0, 4, 2, 1, 3, 8, 6, 5, 7].map((n, i) => {
    const arrivedUs = START_US + i * FRAME_US;
    const captureUs = clock.captureUs(i * FRAME_US, (n + 2) * FRAME_US, arrivedUs);
    expect(captureUs).toBeLessThanOrEqual(arrivedUs);
    return { n, captureUs };
  });
  const settled = shown.slice(1).sort((a, b) => a.n - b.n);
  settled.forEach(({ captureUs }, i) => {
    if (i > 0) expect(captureUs - settled[i - 1]!.captureUs).toBe(FRAME_US);
  });
});

it("begins anew where the sender does", () => {
  const clock = new SourceClock();
  for (let i = 0; i < 10; i++) clock.captureUs(i * FRAME_US, i * FRAME_US, START_US + i * FRAME_US);
  const arrivedUs = START_US + 10 * FRAME_US;
  expect(clock.captureUs(0, 0, arrivedUs)).toBe(arrivedUs);
});
