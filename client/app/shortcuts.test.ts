import { expect, test } from "vitest";
import { actionOf } from "./shortcuts.ts";

const press = (key: string, more = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  repeat: false,
  ...more,
});

test("letters act in either case", () => {
  expect(actionOf(press("m"), false)).toBe("microphone");
  expect(actionOf(press("V", { shiftKey: true }), false)).toBe("camera");
  expect(actionOf(press("?"), false)).toBe("help");
});

test("typing, the browser's own shortcuts and held keys do nothing", () => {
  expect(actionOf(press("m"), true)).toBeUndefined();
  expect(actionOf(press("s", { ctrlKey: true }), false)).toBeUndefined();
  expect(actionOf(press("c", { metaKey: true }), false)).toBeUndefined();
  expect(actionOf(press("m", { repeat: true }), false)).toBeUndefined();
  expect(actionOf(press("constructor"), false)).toBeUndefined();
});

test("Escape closes even while typing", () => {
  expect(actionOf(press("Escape"), true)).toBe("close");
});
