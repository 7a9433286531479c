import { expect, it } from "vitest";
import type { OpenPicture } from "../programme/open-pictures.ts";
import { GridChooser } from "./grid-choice.ts";
import { MAX_GRID_CELLS } from "./limits.ts";

function camera(trackId: number, identity = `p${trackId}`): OpenPicture {
  return { trackId, identity, screen: false, widths: [640] };
}

const cameras = (count: number): OpenPicture[] => Array.from({ length: count }, (_, i) => camera(i + 1));
const idsOf = (chosen: readonly OpenPicture[]): number[] => chosen.map(({ trackId }) => trackId);

it("shows everybody in the order of joining, whoever speaks, and screens first", () => {
  const chooser = new GridChooser();
  expect(idsOf(chooser.choose(cameras(3), ["p3"]))).toEqual([3, 1, 2]);
  expect(idsOf(chooser.choose(cameras(3), ["p2"]))).toEqual([3, 1, 2]);
  const screen = { ...camera(9, "p1"), screen: true };
  expect(idsOf(chooser.choose([...cameras(3), screen], []))).toEqual([9, 3, 1, 2]);
  expect(idsOf(chooser.choose(cameras(2), []))).toEqual([1, 2]);
});

it("has no more than so many, and gives who speaks the place of who has been silent for the longest", () => {
  const chooser = new GridChooser();
  const many = cameras(MAX_GRID_CELLS + 2);
  expect(idsOf(chooser.choose(many, []))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  chooser.choose(many, ["p1"]);
  expect(idsOf(chooser.choose(many, ["p10"]))).toEqual([1, 10, 3, 4, 5, 6, 7, 8, 9]);
  // Once shown one stays, silent or not.
  expect(idsOf(chooser.choose(many, ["p3"]))).toEqual([1, 10, 3, 4, 5, 6, 7, 8, 9]);
  const screen = { ...camera(20, "p11"), screen: true };
  const chosen = idsOf(chooser.choose([...many, screen], []));
  expect(chosen).toHaveLength(MAX_GRID_CELLS);
  expect(chosen[0]).toBe(20);
  expect(chosen).toContain(10);
});
