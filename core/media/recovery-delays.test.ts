import { expect, test } from "vitest";
import { RecoveryDelays } from "./recovery-delays.ts";

const FRAME_US = 20_000;
const UNITS = 2_000;

interface Losses {
  /** Units of each 200 that come back 60 ms late, 100 ms late, never. */
  at60: number;
  at100: number;
  never: number;
}

function waitMs({ at60, at100, never }: Losses): number {
  const delays = new RecoveryDelays();
  for (let i = 0; i < UNITS; i++) {
    const turn = i % 200;
    if (turn < never + at60 + at100) delays.noteMissing(1);
    if (turn < never) continue;
    const isRecovered = turn < never + at60 + at100;
    if (isRecovered) delays.noteMissing(-1);
    const lateUs = turn < never + at60 ? 60_000 : 100_000;
    delays.push(isRecovered ? lateUs : 0, isRecovered, i * FRAME_US);
  }
  return delays.targetUs(UNITS * FRAME_US) / 1000;
}

test("the last few that are lost are waited for", () => {
  expect(waitMs({ at60: 10, at100: 1, never: 0 })).toBe(105);
});

test("but not where more than they never come, so that they are hardly heard", () => {
  expect(waitMs({ at60: 10, at100: 1, never: 4 })).toBe(65);
});

test("what is missing is forgotten when the loss is over", () => {
  const delays = new RecoveryDelays();
  delays.push(60_000, true, 0);
  delays.noteMissing(500);
  for (let i = 0; i < 12; i++) delays.push(i < 10 ? 60_000 : 100_000, true, 10_000_000 + i * FRAME_US);
  expect(delays.targetUs(10_500_000)).toBe(105_000);
});
