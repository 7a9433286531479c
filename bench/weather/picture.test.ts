import { expect, it } from "vitest";
import { CALM } from "./conditions.ts";
import { drawWeather, gridStep, type Measured } from "./picture.ts";

const row = (loss: number, ours: number | null, theirs: number): Measured => ({
  conditions: { ...CALM, loss },
  ours: { frozenMsPerMinute: ours, concealedShare: ours, audioDelayP50Ms: ours, videoDelayP50Ms: ours },
  theirs: { frozenMsPerMinute: theirs, concealedShare: theirs, audioDelayP50Ms: 1, videoDelayP50Ms: 1 },
});

it("steps a scale by 1, 2, 2.5 or 5 times a power of ten", () => {
  expect([5, 6, 12, 20, 26, 1_000, 16_320].map(gridStep)).toEqual([1, 2, 2.5, 5, 10, 200, 5_000]);
});

it("draws each system's rows of random loss, and how they were made", () => {
  const others: Measured[] = [
    { ...row(10, 3, 4), conditions: { ...CALM, loss: 10, burstMs: 60 } },
    { ...row(10, 3, 4), conditions: { ...CALM, loss: 10, rttMs: 200 } },
  ];
  const svg = drawWeather([row(0, 0, 0), row(20, 50, 100), ...others], "bench <x>", "Chromium 1");
  const frozen = svg.slice(svg.indexOf("Frozen"), svg.indexOf("Concealed"));
  expect(frozen.match(/points="[^"]*"/g)).toEqual([
    'points="70.0,270.0 410.0,100.0"',
    'points="70.0,270.0 410.0,185.0"',
  ]);
  expect(svg).toContain("Made by: bench &lt;x&gt;");
  expect(svg).toContain("prefers-color-scheme:dark");
});

it("leaves out what was not measured, and does not draw nothing", () => {
  const svg = drawWeather([row(0, null, 0), row(20, 50, 100)], "bench", "Chromium 1");
  expect(svg.match(/circle class="ours"/g)).toHaveLength(4);
  expect(() => drawWeather([{ conditions: { ...CALM, burstMs: 60 } }], "bench", "")).toThrow(/random loss/);
});
