import { describe, expect, it } from "vitest";
import { RenditionLimit } from "./rendition-limit.ts";

function setUp() {
  const told: (number | undefined)[] = [];
  const state = { nowUs: 0 };
  const clock = { nowUs: () => state.nowUs, after: () => ({ cancel: () => undefined }) };
  const limit = new RenditionLimit(clock, (limitBps) => told.push(limitBps));
  const update = (...limits: (number | undefined)[]) =>
    limit.update(limits.map((limitBps) => ({ limitBps })));
  return { limit, told, state, update };
}

describe("RenditionLimit", () => {
  it("is what the best network carries, and none as long as one has shown no limit", () => {
    const { told, update, limit } = setUp();
    update(undefined, 500_000);
    expect(limit.isKnown).toBe(false);
    update(700_000, 400_000);
    update(700_000, 300_000);
    expect(limit.isKnown).toBe(true);
    update(undefined, 300_000);
    expect(told).toEqual([700_000, undefined]);
  });

  it("heeds networks that carry little less than the best", () => {
    const { told, update } = setUp();
    update(700_000, 500_000, 600_000, 200_000);
    expect(told).toEqual([500_000]);
  });

  it("is lifted when nobody is left", () => {
    const { told, update } = setUp();
    update(700_000);
    update();
    expect(told).toEqual([700_000, undefined]);
  });

  it("says no small changes, however often", () => {
    const { told, update } = setUp();
    for (let bps = 500_000; bps > 400_000; bps -= 1_000) update(bps);
    expect(told.length).toBeLessThan(7);
    expect(told.at(-1)).toBeLessThan(420_000);
  });

  it("expects the publisher to follow, but not for ever", () => {
    const { limit, state, update } = setUp();
    expect(limit.expected(300_000, 1_000_000, 0)).toBe(300_000);
    update(500_000);
    expect(limit.expected(300_000, 1_000_000, 0)).toBe(150_000);
    expect(limit.expected(300_000, 400_000, 0)).toBe(300_000);
    state.nowUs = 6_000_000;
    expect(limit.expected(300_000, 1_000_000, state.nowUs)).toBe(300_000);
  });
});
