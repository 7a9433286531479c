import { describe, expect, it } from "vitest";
import { Resampler } from "./resampler.ts";

function convert(inputRate: number, hertz: number, seconds: number, block: number): Float32Array {
  const resampler = new Resampler(inputRate, 48_000);
  const out: number[] = [];
  const total = inputRate * seconds;
  for (let at = 0; at < total; at += block) {
    const input = Float32Array.from({ length: Math.min(block, total - at) }, (_, i) =>
      Math.sin((2 * Math.PI * hertz * (at + i)) / inputRate),
    );
    for (const sample of resampler.push(input)) out.push(sample);
  }
  return Float32Array.from(out);
}

/** Signal to noise, dB, against a sine fitted to the samples. */
function purity(samples: Float32Array, hertz: number): number {
  const from = 2_000;
  // Whole periods, or the fit itself leaks.
  const to = from + Math.floor((samples.length - 4_000) / 48) * 48;
  let cosine = 0;
  let sine = 0;
  let power = 0;
  for (let i = from; i < to; i++) {
    const angle = (2 * Math.PI * hertz * i) / 48_000;
    cosine += samples[i]! * Math.cos(angle);
    sine += samples[i]! * Math.sin(angle);
    power += samples[i]! * samples[i]!;
  }
  const signal = (2 * (cosine * cosine + sine * sine)) / (to - from);
  return 10 * Math.log10(signal / Math.max(1e-12, power - signal));
}

describe("Resampler", () => {
  it.each([
    [44_100, 441],
    [16_000, 160],
    [96_000, 960],
    [48_000, 480],
    [44_100, 1_024],
  ])("turns %i Hz in blocks of %i into clean 48 kHz", (rate, block) => {
    const samples = convert(rate, 1_000, 1, block);
    expect(Math.abs(samples.length - 48_000)).toBeLessThan(60);
    expect(purity(samples, 1_000)).toBeGreaterThan(55);
  });

  it("gives the same samples whatever the block size", () => {
    const a = convert(44_100, 440, 0.2, 441);
    const b = convert(44_100, 440, 0.2, 97);
    const length = Math.min(a.length, b.length);
    for (let i = 0; i < length; i++) expect(a[i]).toBeCloseTo(b[i]!, 6);
  });

  it("keeps what does not fit 48 kHz out of it", () => {
    const samples = convert(96_000, 30_000, 0.5, 960);
    const loudest = samples.subarray(1_000, 20_000).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(loudest).toBeLessThan(0.01);
  });

  it("refuses rates that are no rates", () => {
    expect(() => new Resampler(0, 48_000)).toThrow("sample rate 0 Hz");
    expect(() => new Resampler(44_100.5, 48_000)).toThrow(RangeError);
  });
});
