import { expect, it } from "vitest";
import { unitOf } from "../../test/sim/simulated-cluster.ts";
import { GapMeter } from "./gap-meter.ts";

/** Units `[frame id, made at, arrived at]` in ms. */
function measure(meter: GapMeter, units: [number, number, number][], keyframe = true): boolean[] {
  return units.map(([id, madeMs, arrivedMs]) =>
    meter.push(unitOf(id, madeMs * 1000, { keyframe }), arrivedMs * 1000),
  );
}

it("a publisher that is late is no gap, a network that is late and a lost unit are", () => {
  const late = new GapMeter(false);
  measure(late, [
    [0, 0, 10],
    [1, 20, 30],
    [2, 80, 90],
  ]);
  expect(late.longestMs(100_000)).toBe(0);
  measure(late, [[3, 100, 125]]);
  expect(late.longestMs(130_000)).toBe(15);
  measure(late, [[5, 140, 165]]);
  expect(late.longestMs(170_000)).toBe(20);
  expect(late.lost).toBe(1);
});

it("what comes again or too late changes nothing; silence that goes on counts", () => {
  const meter = new GapMeter(false);
  measure(meter, [
    [0, 0, 10],
    [1, 20, 30],
    [0, 0, 31],
    [2, 40, 50],
  ]);
  expect(meter.longestMs(60_000)).toBe(0);
  expect(meter.longestMs(550_000)).toBe(500);
});

it("a picture without the one before it cannot be used, and the gap lasts until a keyframe", () => {
  const meter = new GapMeter(true);
  expect(measure(meter, [[0, 0, 10]])).toEqual([true]);
  expect(
    measure(
      meter,
      [
        [1, 33, 43],
        [3, 99, 109],
        [4, 132, 142],
      ],
      false,
    ),
  ).toEqual([true, false, false]);
  expect(measure(meter, [[5, 165, 175]])).toEqual([true]);
  expect(meter.longestMs(180_000)).toBeCloseTo(175 - 43 - 132 / 4);
});
