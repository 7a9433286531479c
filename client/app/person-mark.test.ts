import { expect, test } from "vitest";
import { hueOf, initialsOf } from "./person-mark.ts";

test.each([
  ["Ada Lovelace", "AL"],
  ["ada", "A"],
  ["Grace Brewster Murray Hopper", "GH"],
  ["  (guest) 7 ", "G7"],
  ["élodie", "É"],
  ["李 小龙", "李小"],
  ["🦦", "?"],
  ["", "?"],
])("%s -> %s", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

test("a colour belongs to an identity and identities spread over the colours", () => {
  expect(hueOf("ada-1")).toBe(hueOf("ada-1"));
  const hues = new Set(Array.from({ length: 60 }, (_, index) => hueOf(`guest-${index}`)));
  expect(hues.size).toBeGreaterThanOrEqual(6);
});
