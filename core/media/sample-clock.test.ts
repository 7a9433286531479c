import { expect, it } from "vitest";
import { SampleClock } from "./sample-clock.ts";

const START_US = 1_785_000_000_000_000;

it("gives steady times to buffers that are handed over in clumps", () => {
  const clock = new SampleClock();
  const steps: number[] = [];
  let last: number | undefined;
  for (let n = 0; n < 1_000; n++) {
    // Of four buffers of 10 ms the first comes late, and the last right behind the one before.
    const lateUs = n % 4 === 0 ? 10_000 : n % 4 === 3 ? 0 : 8_000;
    const at = clock.next(START_US + n * 10_000 + lateUs, 10_000);
    if (n > 8) steps.push(at - last!);
    last = at;
  }
  expect(Math.min(...steps)).toBe(10_000);
  expect(Math.max(...steps)).toBe(10_000);
});

it.each([-300, 300])("follows a device whose clock runs %i millionths fast", (ppm) => {
  const clock = new SampleClock();
  let worst = 0;
  for (let n = 0; n < 60_000; n++) {
    const statedUs = START_US + n * 10_000 * (1 - ppm / 1e6) + (n % 5) * 1_000;
    const at = clock.next(statedUs, 10_000);
    if (n > 10) worst = Math.max(worst, Math.abs(at - (statedUs - (n % 5) * 1_000)));
  }
  expect(worst).toBeLessThan(1_500);
});

it("goes on where sound is missing", () => {
  const clock = new SampleClock();
  for (let n = 0; n < 100; n++) clock.next(START_US + n * 10_000, 10_000);
  expect(clock.next(START_US + 2_000_000, 10_000)).toBe(START_US + 2_000_000);
  expect(clock.next(START_US + 2_010_000, 10_000)).toBe(START_US + 2_010_000);
});

it("finds a gap too short for that within two windows", () => {
  const clock = new SampleClock();
  for (let n = 0; n < 100; n++) clock.next(START_US + n * 10_000, 10_000);
  let at = 0;
  for (let n = 0; n < 500; n++) at = clock.next(START_US + 1_030_000 + n * 10_000, 10_000);
  expect(at).toBe(START_US + 1_030_000 + 4_990_000);
});
