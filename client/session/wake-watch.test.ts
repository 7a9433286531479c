import { expect, it } from "vitest";
import { watchWake } from "./wake-watch.ts";

it("a sleep is noticed once, a busy thread or a clock that is put back is none", () => {
  let nowMs = 1_000_000;
  let look = (): void => undefined;
  let isOver = false;
  const slept: number[] = [];
  const end = watchWake(
    (ms) => slept.push(ms),
    () => nowMs,
    (given) => {
      look = given;
      return () => {
        isOver = true;
      };
    },
  );
  for (const passedMs of [1_000, 1_020, 3_500, 1_000, -5_000, 1_000]) {
    nowMs += passedMs;
    look();
  }
  expect(slept).toEqual([]);
  nowMs += 3_601_000;
  look();
  nowMs += 1_000;
  look();
  expect(slept).toEqual([3_600_000]);
  end();
  expect(isOver).toBe(true);
});
