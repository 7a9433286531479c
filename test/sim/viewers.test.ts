/**
 * A viewer whose network carries less gets the sound and what fits of the picture, and nobody else notices; where all are such viewers, the
 * publisher sends less.
 */
import { describe, expect, it } from "vitest";
import { PICTURES_PER_SECOND } from "./simulated-encoder.ts";
import { runViewers, SOUNDS_PER_SECOND, type ViewerSecond } from "./viewers.ts";

const NOT_QUEUED = { "shed-overflow": 0, "shed-withdrawn": 0 };

const LIFTED_S = 25;
const SETTLED_S = 5;
const BACK_WITHIN_S = 15;

const run = (rateBps: number, layered = true, bothSlow = false) =>
  runViewers({
    bothSlow,
    seed: 3,
    videoBps: 1_000_000,
    layered,
    rttMs: 40,
    network: { rateBps, queueMs: 400 },
    liftedS: LIFTED_S,
    seconds: LIFTED_S + BACK_WITHIN_S + 2,
  });

function sum(seconds: readonly ViewerSecond[], read: (second: ViewerSecond) => number): number {
  return seconds.reduce((total, second) => total + read(second), 0);
}

describe("a viewer behind a bottleneck", () => {
  it.each([
    { rateBps: 1_000_000, layered: true, leastPictures: 10 },
    { rateBps: 700_000, layered: true, leastPictures: 6 },
    { rateBps: 500_000, layered: true, leastPictures: 0 },
    { rateBps: 500_000, layered: false, leastPictures: 0 },
  ])("keeps its sound and gets the layers that fit: %o", async ({ rateBps, layered, leastPictures }) => {
    const { slow, fastFaults, publisherBps, shed } = await run(rateBps, layered);
    const settled = slow.slice(SETTLED_S, LIFTED_S);
    expect(
      sum(settled, ({ sounds }) => sounds) / (settled.length * SOUNDS_PER_SECOND),
    ).toBeGreaterThanOrEqual(0.995);
    const queuesMs = settled.flatMap((second) => second.queuesMs).sort((a, b) => a - b);
    expect(queuesMs[Math.floor(queuesMs.length * 0.95)]).toBeLessThan(150);
    expect(sum(settled, ({ shown }) => shown) / settled.length).toBeGreaterThanOrEqual(leastPictures);
    expect(fastFaults).toBe(0);
    expect(publisherBps).toBeUndefined();
    expect(Object.values(shed).reduce((total, count) => total + count, 0)).toBeGreaterThan(0);
    for (const { shown } of slow.slice(LIFTED_S + BACK_WITHIN_S)) expect(shown).toBe(PICTURES_PER_SECOND);
  });

  it.each([
    { rateBps: 1_000_000, layered: true },
    { rateBps: 500_000, layered: true },
    { rateBps: 400_000, layered: false },
  ])("gets every picture, in fewer bits, where nobody has use for more: %o", async ({ rateBps, layered }) => {
    const { slow, publisherBps } = await run(rateBps, layered, true);
    const settled = slow.slice(SETTLED_S, LIFTED_S);
    expect(
      sum(settled, ({ sounds }) => sounds) / (settled.length * SOUNDS_PER_SECOND),
    ).toBeGreaterThanOrEqual(0.995);
    expect(sum(settled, ({ shown }) => shown) / settled.length).toBeGreaterThanOrEqual(27);
    expect(publisherBps).toBeLessThan(rateBps);
    for (const { shown } of slow.slice(LIFTED_S + BACK_WITHIN_S)) expect(shown).toBe(PICTURES_PER_SECOND);
  });

  it("gets all when its network carries all, and the same run has the same end", async () => {
    const { slow, shed } = await run(3_000_000);
    expect(shed).toEqual({ "shed-discardable": 0, "shed-layer": 0, "shed-picture": 0, ...NOT_QUEUED });
    expect(sum(slow, ({ shown }) => shown)).toBe(slow.length * PICTURES_PER_SECOND);
    const [one, other] = [await run(500_000), await run(500_000)];
    expect(one).toEqual(other);
  });
});
