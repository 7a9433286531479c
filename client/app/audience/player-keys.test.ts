import { expect, test } from "vitest";
import { playerActionOf } from "./player-keys.ts";

const press = (key: string, more = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  repeat: false,
  ...more,
});

test("keys of the player mean what they mean elsewhere", () => {
  expect([" ", "k", "M", "f", "l", "ArrowLeft"].map((key) => playerActionOf(press(key), "body"))).toEqual([
    "toggle",
    "toggle",
    "mute",
    "full-screen",
    "live",
    "back",
  ]);
  expect(playerActionOf(press("q"), "body")).toBeUndefined();
  expect(playerActionOf(press("constructor"), "body")).toBeUndefined();
});

test("the browser's shortcuts stay its own, and a held key steps but does not toggle", () => {
  expect(playerActionOf(press("f", { ctrlKey: true }), "body")).toBeUndefined();
  expect(playerActionOf(press("k", { repeat: true }), "body")).toBeUndefined();
  expect(playerActionOf(press("ArrowRight", { repeat: true }), "body")).toBe("on");
});

test("what has the focus comes first", () => {
  expect(playerActionOf(press(" "), "button")).toBeUndefined();
  expect(playerActionOf(press(" "), "a")).toBeUndefined();
  expect(playerActionOf(press("ArrowLeft"), "input")).toBeUndefined();
  expect(playerActionOf(press("m"), "button")).toBe("mute");
  expect(playerActionOf(press("k"), "input")).toBe("toggle");
});
