import { expect, test } from "vitest";
import { deviceProblem } from "./device-problems.ts";

test("each known failure says what to do, in words of its own", () => {
  const names = [
    "NotAllowedError",
    "NotFoundError",
    "NotReadableError",
    "OverconstrainedError",
    "AbortError",
  ];
  const sentences = names.map((name) => deviceProblem("camera", new DOMException("", name)));
  expect(new Set(sentences).size).toBe(names.length);
  for (const sentence of sentences) expect(sentence).toMatch(/camera.*\. \w+/);
});

test("anything else still gets a sentence", () => {
  for (const odd of [undefined, "x", new Error("boom"), new DOMException("", "toString")]) {
    expect(deviceProblem("microphone", odd)).toContain("microphone could not be started");
  }
});
