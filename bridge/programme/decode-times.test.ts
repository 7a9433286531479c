/** Decode times of sequences with and without B-frames. */
import { expect, it } from "vitest";
import { DecodeTimes } from "./decode-times.ts";

function decodeTimes(shown: readonly number[], ahead: number): number[] {
  const times = new DecodeTimes();
  for (const timeUs of shown.slice(0, ahead)) times.push(timeUs);
  return shown.map((_, i) => {
    if (i + ahead < shown.length) times.push(shown[i + ahead]!);
    return times.next();
  });
}

it("are the presentation times where nothing is reordered", () => {
  const shown = Array.from({ length: 50 }, (_, i) => 33_333 * i);
  expect(decodeTimes(shown, 4)).toEqual(shown);
});

it("grow steadily and are never after presentation with three B-frames", () => {
  const order = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11, 16, 14, 13, 15, 20, 18, 17, 19];
  const shown = order.map((n) => 40_000 * n);
  const decoded = decodeTimes(shown, 8);
  decoded.forEach((decodeUs, i) => {
    expect(decodeUs).toBeLessThanOrEqual(shown[i]!);
    if (i > 0) expect(decodeUs - decoded[i - 1]!).toBe(40_000);
  });
});
