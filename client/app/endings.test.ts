import { expect, test } from "vitest";
import { CLOSE_CODES, type CloseReason } from "../../core/wire/close-codes.ts";
import { endingOf } from "./endings.ts";

test("every close reason has a title and a sentence", () => {
  for (const reason of Object.keys(CLOSE_CODES) as CloseReason[]) {
    const ending = endingOf(reason, "");
    expect(ending.title).not.toBe("");
    expect(ending.text).toMatch(/\.$/);
  }
});

test("joining again is not offered where it cannot succeed", () => {
  expect(endingOf("removed", "").againLabel).toBe("");
  expect(endingOf("room-closed", "").againLabel).toBe("");
  expect(endingOf("lost", "No answer for 10 s.")).toMatchObject({
    text: "No answer for 10 s.",
    againLabel: "Join again",
  });
});
