import { expect, test } from "vitest";
import { RestartPace } from "./restart-pace.ts";

test("who dies again and again waits longer and longer, up to a maximum", () => {
  const pace = new RestartPace(() => 1);
  const pauses = Array.from({ length: 20 }, () => pace.pauseMs(100));
  expect(pauses.slice(0, 6)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000]);
  expect(pauses.at(-1)).toBe(15_000);
});

test("who has lived for a while begins anew", () => {
  const pace = new RestartPace(() => 0);
  for (let i = 0; i < 5; i++) pace.pauseMs(100);
  expect(pace.pauseMs(3_600_000)).toBe(250);
  expect(pace.pauseMs(100)).toBe(250);
  expect(pace.pauseMs(100)).toBe(500);
});
