import { expect, test } from "vitest";
import { sentenceOf } from "./error-sentence.ts";

test.each([
  [new Error("the room is closed; join it again"), "The room is closed; join it again."],
  [new Error("Is it on?"), "Is it on?"],
  [new Error(""), "Something went wrong. Try again."],
  ["text", "Something went wrong. Try again."],
  [undefined, "Something went wrong. Try again."],
])("%s -> %s", (error, sentence) => {
  expect(sentenceOf(error)).toBe(sentence);
});
