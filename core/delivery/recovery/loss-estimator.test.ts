import { describe, expect, it } from "vitest";
import { LossEstimator } from "./loss-estimator.ts";

/** A generator of numbers in [0, 1), the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x100000000;
  };
}

/** Feeds datagrams 4 ms apart; `burstMs` 0 = independent losses. */
function feed(estimator: LossEstimator, seconds: number, loss: number, burstMs: number, startUs = 0): void {
  const random = randomOf(9);
  let losing = false;
  for (let n = 0; n < seconds * 250; n++) {
    const nowUs = startUs + n * 4_000;
    if (burstMs === 0) losing = random() < loss;
    else {
      const leave = 1 - Math.exp(-4 / burstMs);
      losing = losing ? random() >= leave : random() < (leave * loss) / (1 - loss);
    }
    estimator.count(losing ? 1 : 0, 1, nowUs);
    estimator.sample(losing, nowUs);
  }
}

describe.each([0.02, 0.1, 0.2])("independent losses of %f", (loss) => {
  it("are measured, and no bursts seen in them", () => {
    const estimator = new LossEstimator();
    feed(estimator, 20, loss, 0);
    expect(Math.abs(estimator.mean - loss)).toBeLessThan(0.02 + loss / 4);
    expect(estimator.upper).toBeGreaterThanOrEqual(estimator.mean);
    expect(estimator.burstMs).toBeLessThan(3);
  });
});

it.each([10, 20, 40])("bursts of %i ms are told from single losses", (burstMs) => {
  const estimator = new LossEstimator();
  feed(estimator, 60, 0.1, burstMs);
  expect(estimator.burstMs).toBeGreaterThan(burstMs / 3);
  expect(estimator.burstMs).toBeLessThan(burstMs * 1.5);
});

it("rises at once and is forgotten within seconds", () => {
  const estimator = new LossEstimator();
  feed(estimator, 5, 0, 0);
  expect(estimator.upper).toBe(0);
  feed(estimator, 1, 0.2, 0, 5_000_000);
  expect(estimator.upper).toBeGreaterThan(0.08);
  feed(estimator, 10, 0, 0, 6_000_000);
  expect(estimator.upper).toBeLessThan(0.01);
});

it("takes datagrams back that came late", () => {
  const estimator = new LossEstimator();
  estimator.count(5, 10, 0);
  estimator.count(-5, 10, 1_000);
  expect(estimator.mean).toBeLessThan(0.01);
});

it("sees bursts of pictures whose datagrams leave together, also while none took two of them", () => {
  const estimator = new LossEstimator();
  for (let picture = 0; picture < 300; picture++) {
    const lost = picture % 10 === 0;
    for (let n = 0; n < 5; n++) {
      estimator.count(lost ? 1 : 0, 1, picture * 33_000 + n * 100);
      estimator.sample(lost, picture * 33_000 + n * 100);
    }
  }
  expect(estimator.burstMs).toBeGreaterThan(5);
  expect(estimator.burstMs).toBeLessThan(33);
});
