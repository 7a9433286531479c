import { describe, expect, it } from "vitest";
import { HISTORY_SAMPLES, join, longer, shorter } from "./time-stretch.ts";

const LIMITS = { most: 720, leastLikeness: 0.9, quietPower: 1e-8 };

function voice(hertz: number, length = 1_440, from = 0): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const angle = (2 * Math.PI * hertz * (i + from)) / 48_000;
    return 0.3 * Math.sin(angle) + 0.15 * Math.sin(2 * angle) + 0.1 * Math.sin(3 * angle);
  });
}

function noise(length: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x80000000 - 1;
  });
}

function largestStep(samples: Float32Array): number {
  let most = 0;
  for (let i = 1; i < samples.length; i++) most = Math.max(most, Math.abs(samples[i]! - samples[i - 1]!));
  return most;
}

describe.each([75, 130, 200, 310])("a voice at %i Hz", (hertz) => {
  const period = 48_000 / hertz;

  it("gets shorter by whole periods, without a click", () => {
    const samples = voice(hertz);
    const out = shorter(samples, LIMITS)!;
    const cut = samples.length - out.length;
    expect(cut).toBeGreaterThanOrEqual(120);
    expect(cut).toBeLessThanOrEqual(720);
    expect(Math.abs(cut / period - Math.round(cut / period))).toBeLessThan(0.05);
    expect(largestStep(out)).toBeLessThan(1.2 * largestStep(samples));
    expect(out[0]).toBe(samples[0]);
    expect(out.at(-1)).toBe(samples.at(-1));
  });

  it("gets longer by whole periods, without a click where it follows on", () => {
    const history = voice(hertz, HISTORY_SAMPLES);
    const samples = voice(hertz, 480, HISTORY_SAMPLES);
    const out = longer(history, samples, LIMITS)!;
    const added = out.length - samples.length;
    expect(added).toBeGreaterThanOrEqual(120);
    expect(Math.abs(added / period - Math.round(added / period))).toBeLessThan(0.05);
    const heard = Float32Array.from([...history, ...out]);
    expect(largestStep(heard)).toBeLessThan(1.2 * largestStep(history));
    expect(out.at(-1)).toBe(samples.at(-1));
  });

  it("is changed by no more than it may be", () => {
    const samples = voice(hertz);
    expect(shorter(samples, { ...LIMITS, most: 119 })).toBeUndefined();
    const out = shorter(samples, { ...LIMITS, most: 400 });
    if (out !== undefined) expect(samples.length - out.length).toBeLessThanOrEqual(400);
  });

  it("is joined in step after concealment", () => {
    const ongoing = voice(hertz, 240, 333);
    const out = join(ongoing, voice(hertz, 960), 720);
    expect(largestStep(out)).toBeLessThan(1.2 * largestStep(voice(hertz)));
    expect(out[0]).toBeCloseTo(ongoing[0]!);
  });
});

it("changes background wherever it is, and leaves loud noise alone", () => {
  expect(shorter(new Float32Array(960), LIMITS)!.length).toBeLessThan(960);
  const loud = noise(1_440);
  expect(shorter(loud, LIMITS)).toBeUndefined();
  expect(longer(loud.subarray(0, 720), loud.subarray(720), LIMITS)).toBeUndefined();
  const background = loud.map((sample) => sample / 1_000);
  expect(shorter(background, { ...LIMITS, quietPower: 1e-5 })!.length).toBeLessThan(1_440);
});
