import { describe, expect, it } from "vitest";
import { evenWorth, soundWorth } from "./cheapest-delay.ts";
import { DelayHistogram } from "./delay-histogram.ts";
import { FreezeMeter } from "./freeze-meter.ts";
import { PlayoutClock } from "./playout-clock.ts";
import { RateMeter } from "./rate-meter.ts";
import { SlidingMedian } from "./sliding-median.ts";

/** Renders `frames` frames at 30 a second after `fromUs`; returns the time of the last. */
function render(meter: FreezeMeter, fromUs: number, frames: number): number {
  for (let i = 1; i <= frames; i++) meter.push(fromUs + i * 33_333);
  return fromUs + frames * 33_333;
}

describe("FreezeMeter", () => {
  it("counts a gap of three frame durations and 150 ms more than the average", () => {
    const meter = new FreezeMeter();
    let nowUs = render(meter, 0, 40) + 180_000;
    meter.push(nowUs);
    expect(meter.count).toBe(0);
    nowUs = render(meter, nowUs, 40) + 200_000;
    meter.push(nowUs);
    expect(meter.count).toBe(1);
    expect(meter.totalMs).toBe(200);
  });

  it("does not count a mute", () => {
    const meter = new FreezeMeter();
    const nowUs = render(meter, 0, 40);
    meter.pause();
    meter.push(nowUs + 60_000_000);
    expect(meter.count).toBe(0);
  });
});

describe("DelayHistogram", () => {
  it("covers the quantile of relative delay, whatever the clocks' offset", () => {
    const histogram = new DelayHistogram(0.95);
    for (let i = 0; i < 1_000; i++) {
      const captureUs = i * 20_000;
      histogram.push(captureUs, captureUs - 7e9 + (i % 10 === 0 ? 42_000 : 0));
    }
    expect(histogram.baseUs).toBe(-7e9);
    expect(histogram.targetUs()).toBe(45_000);
  });

  it("waits less where each millisecond must bring more", () => {
    const histogram = new DelayHistogram(1, evenWorth(15_000));
    for (let i = 0; i < 1_000; i++) histogram.push(i * 20_000, i * 20_000 + (i % 20 === 0 ? 62_000 : 0));
    expect(histogram.targetUs()).toBe(65_000);
    expect(histogram.targetUs(evenWorth(10_000))).toBe(5_000);
    expect(histogram.targetUs(evenWorth(10_000), 30_000)).toBe(65_000);
  });

  it("leaves out what does not count for the wait", () => {
    const histogram = new DelayHistogram(0.95);
    for (let i = 0; i < 1_000; i++) {
      const late = i % 10 === 5;
      expect(histogram.push(i * 20_000, i * 20_000 + (late ? 42_000 : 0), !late)).toBe(late ? 42_000 : 0);
    }
    expect(histogram.targetUs()).toBe(5_000);
  });

  it("forgets soon what was late while a stream began", () => {
    const histogram = new DelayHistogram(1, soundWorth);
    const targets: number[] = [];
    for (let i = 0; i < 400; i++) {
      histogram.push(i * 20_000, i * 20_000 + (i >= 20 && i < 24 ? 70_000 : 0));
      targets.push(histogram.targetUs());
    }
    expect(targets[30]).toBe(75_000);
    expect(targets[220]).toBe(5_000);
  });

  it("takes a longer road for the new base after the old one is forgotten", () => {
    const histogram = new DelayHistogram(0.95);
    for (let i = 0; i < 1_000; i++) histogram.push(i * 20_000, i * 20_000 + (i < 100 ? 10_000 : 90_000));
    expect(histogram.baseUs).toBe(90_000);
    expect(histogram.targetUs()).toBe(5_000);
  });
});

describe("PlayoutClock", () => {
  it("smooths small changes, takes large ones over, and goes stale", () => {
    const clock = new PlayoutClock();
    expect(clock.captureAt(0)).toBeUndefined();
    clock.note(1_000, 51_000);
    clock.note(2_000, 60_000);
    expect(clock.delayUs(60_000)).toBe(51_000);
    clock.note(3_000, 253_000);
    expect(clock.captureAt(260_000)).toBe(10_000);
    expect(clock.captureAt(800_000)).toBeUndefined();
  });
});

describe("RateMeter", () => {
  it("gives the rate of the last seconds", () => {
    const meter = new RateMeter();
    for (let i = 0; i < 300; i++) meter.push(1, 5e9 + i * 33_333);
    expect(meter.perSecond(5e9 + 10_000_000)).toBeCloseTo(30, 0);
    expect(meter.perSecond(5e9 + 60_000_000)).toBe(0);
  });
});

describe("SlidingMedian", () => {
  it("is the middle of the last values", () => {
    const median = new SlidingMedian(3);
    expect(median.median()).toBeUndefined();
    for (const value of [9, 100, 1, 2, 3]) median.push(value);
    expect(median.median()).toBe(2);
  });
});
