import { expect, test } from "vitest";
import { retryDelayMs } from "./retry-delay.ts";

test("waits grow to a bound and are spread by a quarter", () => {
  expect(retryDelayMs(1, 0)).toBe(1_500);
  expect(retryDelayMs(1, 0.9999)).toBeCloseTo(2_000, 0);
  expect(retryDelayMs(2, 0)).toBe(2_250);
  for (const tries of [6, 50, 10_000]) expect(retryDelayMs(tries, 0.9999)).toBeCloseTo(15_000, -1);
});
