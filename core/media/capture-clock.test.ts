import { describe, expect, it } from "vitest";
import { CaptureClock } from "./capture-clock.ts";

const WORKER_ORIGIN = 1_000_000_000;
const PAGE_ORIGIN = WORKER_ORIGIN - 500_000;

describe("CaptureClock", () => {
  it("trusts timestamps that count from a known origin, and follows a change of origin", () => {
    const clock = new CaptureClock([WORKER_ORIGIN, PAGE_ORIGIN], 10_000);
    expect(clock.map(508_364, PAGE_ORIGIN + 553_000)).toBe(PAGE_ORIGIN + 508_364);
    expect(clock.map(181_705, WORKER_ORIGIN + 182_545)).toBe(WORKER_ORIGIN + 181_705);
  });

  it("sees a change between origins that lie close together, and takes one late buffer for what it is", () => {
    const near = WORKER_ORIGIN - 310_000;
    const clock = new CaptureClock([WORKER_ORIGIN, near], 10_000);
    const errorsUs = (
      origin: number,
      fromMs: number,
      toMs: number,
      delayUs: (ms: number) => number,
    ): number[] => {
      const errors: number[] = [];
      for (let ms = fromMs; ms < toMs; ms += 10) {
        const capturedUs = WORKER_ORIGIN + ms * 1_000;
        errors.push(clock.map(capturedUs - origin, capturedUs + delayUs(ms)) - capturedUs);
      }
      return errors;
    };
    // Page first, with one buffer held up for longer than the origins are apart.
    const before = errorsUs(near, 1_000, 2_000, (ms) => (ms === 1_500 ? 350_000 : 15_000));
    expect(new Set(before)).toEqual(new Set([0]));
    const after = errorsUs(WORKER_ORIGIN, 2_000, 4_000, () => 15_000);
    expect(after.slice(31).every((error) => error === 0)).toBe(true);
  });

  it("learns an unknown origin from the buffer that was fastest", () => {
    const clock = new CaptureClock([WORKER_ORIGIN], 0);
    const uptime = 5e12;
    const delays = [9_000, 4_000, 30_000, 4_500];
    const errors = delays.map((delayUs, i) => {
      const captured = WORKER_ORIGIN + 50_000_000 + i * 33_000;
      return clock.map(uptime + i * 33_000, captured + delayUs) - captured;
    });
    // 4 ms is the least this source takes; nobody can know of it.
    expect(errors).toEqual([9_000, 4_000, 4_000, 4_000]);
  });

  it("takes the length of a buffer off when the origin is unknown", () => {
    const clock = new CaptureClock([], 10_000);
    expect(clock.map(1_000, 70_000)).toBe(60_000);
  });

  it("starts over when timestamps jump", () => {
    const clock = new CaptureClock([], 0);
    clock.map(0, 1_000_000);
    expect(clock.map(9_000_000, 1_033_000)).toBe(1_033_000);
  });

  it("follows a source whose clock drifts", () => {
    const clock = new CaptureClock([], 0);
    let error = 0;
    for (let i = 0; i < 60_000; i++) {
      const captured = 1e9 + i * 10_000;
      // 100 ppm fast.
      error = clock.map(i * 10_001, captured) - captured;
    }
    expect(Math.abs(error)).toBeLessThan(5_000);
  });
});
