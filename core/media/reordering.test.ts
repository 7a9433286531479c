/** The delay that B-frames cost, by how far pictures go back in time. */
import { expect, it } from "vitest";
import { Reordering } from "./reordering.ts";

const FRAME_US = 40_000;

function delayOf(order: readonly number[]): number {
  const reordering = new Reordering();
  for (const n of order) reordering.push(n * FRAME_US);
  return reordering.delayUs;
}

it("is none where pictures are in order, also with some missing", () => {
  expect(delayOf([0, 1, 2, 4, 5, 9, 10])).toBe(0);
});

it("is the way back and a frame where they are not", () => {
  expect(delayOf([0, 2, 1, 4, 3, 6, 5])).toBe(2 * FRAME_US);
  expect(delayOf([0, 4, 2, 1, 3, 8, 6, 5, 7])).toBe(4 * FRAME_US);
});

it("is forgotten when the stream goes on in order", () => {
  expect(delayOf([0, 2, 1, ...Array.from({ length: 400 }, (_, i) => 3 + i)])).toBe(0);
});
