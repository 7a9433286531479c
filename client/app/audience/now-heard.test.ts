import { expect, test } from "vitest";
import { listenersText, speakingText } from "./now-heard.ts";

test.each([
  [[], "Nobody is speaking"],
  [["Ada"], "Ada is speaking"],
  [["Ada", "Bob"], "Ada and Bob are speaking"],
  [["Ada", "Bob", "Cem"], "Ada, Bob and Cem are speaking"],
])("%j is said as %j", (names, text) => expect(speakingText(names)).toBe(text));

test("people are counted", () => {
  expect(listenersText(1)).toBe("1 person listens");
  expect(listenersText(12)).toBe("12 people listen");
});
