import { describe, expect, it } from "vitest";
import { longer, shorter } from "./time-stretch.ts";

function voice(hertz: number, length = 960): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const angle = (2 * Math.PI * hertz * i) / 48_000;
    return 0.3 * Math.sin(angle) + 0.15 * Math.sin(2 * angle) + 0.1 * Math.sin(3 * angle);
  });
}

function largestStep(samples: Float32Array): number {
  let most = 0;
  for (let i = 1; i < samples.length; i++) most = Math.max(most, Math.abs(samples[i]! - samples[i - 1]!));
  return most;
}

describe.each([130, 200, 310])("a voice at %i Hz", (hertz) => {
  it("gets shorter by whole periods, without a click", () => {
    const samples = voice(hertz);
    const out = shorter(samples)!;
    const cut = samples.length - out.length;
    expect(cut).toBeGreaterThanOrEqual(120);
    expect(cut).toBeLessThanOrEqual(384);
    const period = 48_000 / hertz;
    expect(Math.abs(cut / period - Math.round(cut / period))).toBeLessThan(0.05);
    expect(largestStep(out)).toBeLessThan(1.2 * largestStep(samples));
    expect(out.at(-1)).toBe(samples.at(-1));
  });

  it("gets longer by whole periods, without a click", () => {
    const samples = voice(hertz);
    const out = longer(samples)!;
    expect(out.length - samples.length).toBeGreaterThanOrEqual(120);
    expect(largestStep(out)).toBeLessThan(1.2 * largestStep(samples));
    expect(out.at(-1)).toBe(samples.at(-1));
  });
});

it("stretches silence and leaves noise alone", () => {
  expect(shorter(new Float32Array(960))!.length).toBeLessThan(960);
  let state = 1;
  const noise = Float32Array.from({ length: 960 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x80000000 - 1;
  });
  expect(shorter(noise)).toBeUndefined();
  expect(longer(noise)).toBeUndefined();
});
