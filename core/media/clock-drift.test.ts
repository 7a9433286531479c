import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { ClockDrift } from "./clock-drift.ts";

const FRAME_US = 20_000;

function measure(seconds: number, lateUs: (frame: number) => number): number {
  const drift = new ClockDrift();
  for (let frame = 0; frame < seconds * 50; frame++) {
    const mediaUs = frame * FRAME_US;
    drift.push(mediaUs, 5e12 + mediaUs + lateUs(frame));
  }
  return drift.rate * 1e6;
}

describe("ClockDrift", () => {
  it.each([-2_000, -100, 50, 100, 3_000])("measures %i ppm through jitter", (ppm) => {
    const random = seededRandom(1);
    const found = measure(40, (frame) => frame * FRAME_US * ppm * 1e-6 + random() * 5_000);
    expect(Math.abs(found - ppm)).toBeLessThan(15);
  });

  it("says nothing before it knows, and nothing of steps", () => {
    expect(measure(8, (frame) => frame * 2)).toBe(0);
    for (let at = 300; at < 2_000; at += 100) {
      expect(measure(40, (frame) => (frame > at ? 5_000 : 0))).toBe(0);
    }
  });

  it("never claims more than half a percent", () => {
    expect(measure(40, (frame) => frame * FRAME_US * 0.02)).toBe(5_000);
  });
});
