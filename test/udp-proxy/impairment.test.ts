/** The model of a bad network does what its options say, and the same for the same seed. */
import { describe, expect, it } from "vitest";
import { seededRandom } from "../sim/seeded-random.ts";
import { type Fate, Impairment, type ImpairmentOptions, NO_IMPAIRMENT } from "./impairment.ts";

const COUNT = 40_000;

/** One datagram of 1000 B each `everyMs`. */
function run(options: Partial<ImpairmentOptions>, seed = 7, everyMs = 4): Fate[] {
  const impairment = new Impairment({ ...NO_IMPAIRMENT, ...options }, seededRandom(seed));
  return Array.from({ length: COUNT }, (_, i) => impairment.decide(1000, i * everyMs));
}

function lostShare(fates: Fate[]): number {
  return fates.filter((fate) => "lost" in fate).length / fates.length;
}

/** Mean number of datagrams lost in a row. */
function meanRun(fates: Fate[]): number {
  const lost = fates.map((fate) => "lost" in fate);
  const runs = lost.filter((is, i) => is && lost[i - 1] !== true).length;
  return lost.filter(Boolean).length / runs;
}

describe("a bad network", () => {
  it("same seed, same fate; another seed, another", () => {
    const options = { loss: 0.1, jitterMs: 20 };
    expect(run(options)).toEqual(run(options));
    expect(run(options)).not.toEqual(run(options, 8));
  });

  it("without options leaves everything as it is", () => {
    expect(run({})).toEqual(Array.from({ length: COUNT }, (_, i) => ({ arrivesMs: i * 4 })));
  });

  it("loses its share, each by itself", () => {
    const fates = run({ loss: 0.1 });
    expect(lostShare(fates)).toBeCloseTo(0.1, 2);
    expect(meanRun(fates)).toBeCloseTo(1.11, 1);
  });

  it("loses its share in bursts", () => {
    const fates = run({ loss: 0.1, burstMs: 60 });
    expect(lostShare(fates)).toBeGreaterThan(0.08);
    expect(lostShare(fates)).toBeLessThan(0.12);
    expect(meanRun(fates)).toBeGreaterThan(12);
  });

  it("keeps order unless told otherwise", () => {
    const arrivals = (options: Partial<ImpairmentOptions>) =>
      run(options).map((fate) => ("lost" in fate ? 0 : fate.arrivesMs));
    const sorted = (times: number[]) => times.every((time, i) => i === 0 || time >= (times[i - 1] as number));
    expect(sorted(arrivals({ delayMs: 40, jitterMs: 30 }))).toBe(true);
    expect(sorted(arrivals({ delayMs: 40, jitterMs: 30, reorder: true }))).toBe(false);
  });

  it("holds to its rate and its queue", () => {
    const fates = run({ rateBps: 1_000_000, queueMs: 200 });
    const arrived = fates.flatMap((fate) => ("lost" in fate ? [] : [fate.arrivesMs]));
    const waits = fates.flatMap((fate, i) => ("lost" in fate ? [] : [fate.arrivesMs - i * 4]));
    expect(Math.max(...waits)).toBeLessThan(210);
    expect((arrived.length * 1028 * 8) / (COUNT * 0.004)).toBeCloseTo(1_000_000, -4);
    expect(fates.some((fate) => "lost" in fate && fate.lost === "queue-full")).toBe(true);
  });
});
