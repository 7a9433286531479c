import { expect, test } from "vitest";
import { cheapestDelay, evenWorth, soundWorth } from "./cheapest-delay.ts";

const BUCKET_US = 5_000;
/** 60 % at once, 36 % after one round of repair, 4 % after two. */
const ROUNDS = new Float64Array(40);
ROUNDS[0] = 0.6;
ROUNDS[17] = 0.36;
ROUNDS[34] = 0.04;

test("a round that saves few is not waited for unless they are worth it", () => {
  expect(cheapestDelay(ROUNDS, 1, BUCKET_US, evenWorth(50))).toBe(0);
  expect(cheapestDelay(ROUNDS, 1, BUCKET_US, evenWorth(15_000))).toBe(18);
  expect(cheapestDelay(ROUNDS, 1, BUCKET_US, evenWorth(50_000))).toBe(35);
});

test("what is waited for in any case costs nothing more", () => {
  // From nothing on neither round is worth it; from the first on the second is.
  const worth = evenWorth(12_000);
  const late = new Float64Array(40);
  late[0] = 0.9;
  late[17] = 0.02;
  late[34] = 0.08;
  expect(cheapestDelay(late, 1, BUCKET_US, worth)).toBe(1);
  expect(cheapestDelay(late, 1, BUCKET_US, worth, 20)).toBe(35);
  expect(cheapestDelay(late, 1, BUCKET_US, worth, 36)).toBe(36);
});

test("of weights that are a small part of the whole little is waited for", () => {
  expect(cheapestDelay(ROUNDS, 100, BUCKET_US, evenWorth(2_500))).toBe(0);
});

test("nothing late, nothing waited for", () => {
  expect(cheapestDelay(new Float64Array(40), 1, BUCKET_US, soundWorth)).toBe(0);
});

test("sound waits for a few that are lost alone, but not as long for the longest of many bursts", () => {
  const few = new Float64Array(40);
  few[3] = 0.01;
  expect(cheapestDelay(few, 1, BUCKET_US, soundWorth)).toBe(4);
  const bursts = new Float64Array(40);
  bursts[15] = 0.08;
  bursts[35] = 0.02;
  expect(cheapestDelay(bursts, 1, BUCKET_US, soundWorth)).toBe(16);
  expect(cheapestDelay(bursts, 1, BUCKET_US, evenWorth(150_000))).toBe(36);
});

test("more of sound that is lost is never worth less, each further per cent never more", () => {
  let last = 0;
  let lastStep = Number.POSITIVE_INFINITY;
  for (let share = 0.001; share <= 1; share += 0.001) {
    const step = soundWorth(share) - last;
    expect(step).toBeGreaterThan(0);
    expect(step).toBeLessThanOrEqual(lastStep + 1e-6);
    last = soundWorth(share);
    lastStep = step;
  }
});
