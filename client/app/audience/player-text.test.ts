import { expect, test } from "vitest";
import { clockText, latencyText, type Quality, qualityText, sizeText, spokenTime } from "./player-text.ts";

test.each([
  [0, "0:00", "0 seconds"],
  [7.9, "0:07", "7 seconds"],
  [61, "1:01", "1 minute 1 second"],
  [3723, "1:02:03", "1 hour 2 minutes 3 seconds"],
  [7200, "2:00:00", "2 hours"],
  [Number.NaN, "0:00", "0 seconds"],
  [Number.POSITIVE_INFINITY, "0:00", "0 seconds"],
])("%d seconds are %s", (seconds, shown, spoken) => {
  expect(clockText(seconds)).toBe(shown);
  expect(spokenTime(seconds)).toBe(spoken);
});

test.each([
  [0, "0.0 s"],
  [1_940, "1.9 s"],
  [9_940, "9.9 s"],
  [9_960, "10 s"],
  [89_000, "89 s"],
  [150_000, "3 min"],
  [7_200_000, "2 h"],
])("%d ms behind are %s", (ms, text) => expect(latencyText(ms)).toBe(text));

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 kB"],
  [840_000, "840 kB"],
  [999_600, "1.0 MB"],
  [1_240_000_000, "1.2 GB"],
  [5e15, "5000 TB"],
])("%d bytes are %s", (bytes, text) => expect(sizeText(bytes)).toBe(text));

test("quality says what is known and nothing else, and breaks between figures only", () => {
  const shown = (quality: Quality) => qualityText(quality).replaceAll("\u00A0", "~");
  expect(shown({ width: 1280, height: 720, framesPerSecond: 29.97, bitrateBps: 1_240_000 })).toBe(
    "1280~×~720 · 30~fps · 1.2~Mb/s",
  );
  expect(shown({ width: 640, height: 360, framesPerSecond: 0, bitrateBps: 0 })).toBe("640~×~360");
  expect(shown({ width: 0, height: 0, framesPerSecond: 30, bitrateBps: 128_400 })).toBe(
    "Sound~only · 128~kb/s",
  );
});
