import { describe, expect, it } from "vitest";
import { FLAG_DISCARDABLE } from "../core/wire/datagram.ts";
import { classBitOf, LayerRates, LEVEL_ALL, LEVEL_PAUSED, maskOfLayers, maskOfLevel } from "./layer-rates.ts";

const START_US = 1_785_000_000_000_000;

describe("unit classes", () => {
  it("are left out in order: discardable units first, then layers from the top, then all", () => {
    const passing = (level: number): string =>
      [0, 1, 2]
        .flatMap((layer) => [`${layer}`, `${layer}d`])
        .filter((name) => {
          const bit = classBitOf(Number(name[0]), name.endsWith("d") ? FLAG_DISCARDABLE : 0);
          return (maskOfLevel(level) & bit) !== 0;
        })
        .join(" ");
    expect(passing(LEVEL_ALL)).toBe("0 0d 1 1d 2 2d");
    expect(passing(7)).toBe("0 1 2");
    expect(passing(1)).toBe("0 1");
    expect(passing(0)).toBe("0");
    expect(passing(LEVEL_PAUSED)).toBe("");
  });

  it("of a highest layer take its discardable units in", () => {
    expect(maskOfLayers(7)).toBe(0xffff);
    expect(maskOfLayers(0)).toBe(classBitOf(0, 0) | classBitOf(0, FLAG_DISCARDABLE));
    expect(maskOfLayers(1) & classBitOf(2, FLAG_DISCARDABLE)).toBe(0);
  });
});

describe("LayerRates", () => {
  it("tells what each class has carried in the last seconds", () => {
    const rates = new LayerRates();
    expect(rates.bps(0xffff, START_US)).toBe(0);
    let nowUs = START_US;
    for (; nowUs < START_US + 20_000_000; nowUs += 10_000) {
      rates.add(classBitOf(0, 0), 500, nowUs);
      rates.add(classBitOf(2, FLAG_DISCARDABLE), 250, nowUs);
    }
    expect(rates.bps(maskOfLevel(0), nowUs) / 400_000).toBeCloseTo(1, 2);
    expect(rates.bps(0xffff, nowUs) / 600_000).toBeCloseTo(1, 2);
    expect(rates.bps(0xffff, nowUs + 5_000_000)).toBe(0);
  });

  it("does not take the keyframe that a track begins with for its rate", () => {
    const rates = new LayerRates();
    rates.add(1, 20_000, START_US);
    expect(rates.bps(1, START_US + 100_000)).toBeLessThanOrEqual(160_000);
  });
});
