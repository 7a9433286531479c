import { expect, test } from "vitest";
import { cheapestDelay } from "./cheapest-delay.ts";

/** 60 % at once, 36 % after one round of repair, 4 % after two. */
const ROUNDS = new Float64Array(40);
ROUNDS[0] = 0.6;
ROUNDS[17] = 0.36;
ROUNDS[34] = 0.04;

test("a round that saves few is not waited for unless they are worth it", () => {
  expect(cheapestDelay(ROUNDS, 1, 1)).toBe(0);
  expect(cheapestDelay(ROUNDS, 1, 300)).toBe(18);
  expect(cheapestDelay(ROUNDS, 1, 1_000)).toBe(35);
});

test("of weights that are a small part of the whole little is waited for", () => {
  expect(cheapestDelay(ROUNDS, 100, 50)).toBe(0);
});

test("nothing late, nothing waited for", () => {
  expect(cheapestDelay(new Float64Array(40), 1, 1_000)).toBe(0);
});
