import { describe, expect, it } from "vitest";
import { SendRate } from "./send-rate.ts";

const STEP_US = 250_000;

/** Encoders that make what they are told, sound of 50 kb/s, and no repair. */
function setUp(encoders: { fullBps: number; limitBps?: number }[]) {
  const encoded = encoders.map(({ fullBps, limitBps }, trackId) => ({
    trackId,
    rendition: 0,
    fullBps,
    limitBps,
    bytes: 0,
    isPaused: false,
  }));
  const bps = encoded.map(({ fullBps }) => fullBps);
  const told: number[][] = encoded.map(() => []);
  let audio = 0;
  const rate = new SendRate(() => [
    { audioBytes: audio, encoded: [] },
    { audioBytes: 0, encoded },
  ]);
  let nowUs = 0;
  const run = (rateBps: number | undefined, steps = 40) => {
    for (let step = 0; step < steps; step++) {
      nowUs += STEP_US;
      audio += 50_000 / 8 / 4;
      for (const encoder of encoded) if (!encoder.isPaused) encoder.bytes += bps[encoder.trackId]! / 8 / 4;
      rate.update(rateBps, 0, nowUs, ({ trackId, bitrateBps }) => {
        bps[trackId] = bitrateBps;
        told[trackId]!.push(bitrateBps);
      });
    }
  };
  return { encoded, bps, told, run };
}

describe("SendRate", () => {
  it("says nothing while no network sets a limit", () => {
    const { run, told } = setUp([{ fullBps: 1_000_000 }]);
    run(undefined);
    run(5_000_000);
    expect(told).toEqual([[]]);
  });

  it("leaves the encoders what sound does not need, in proportion to what they would like", () => {
    const { run, bps } = setUp([{ fullBps: 1_000_000 }, { fullBps: 500_000 }]);
    run(1_000_000);
    expect(bps[0]! / 600_000).toBeCloseTo(1, 1);
    expect(bps[1]! / 300_000).toBeCloseTo(1, 1);
  });

  it("gives what one's subscribers cannot use to the others, and lets all go when the limits are lifted", () => {
    const { run, bps, encoded } = setUp([{ fullBps: 1_000_000, limitBps: 200_000 }, { fullBps: 1_000_000 }]);
    run(1_000_000);
    expect(bps[0]).toBe(200_000);
    expect(bps[1]! / 700_000).toBeCloseTo(1, 1);
    encoded[0]!.limitBps = undefined;
    run(undefined);
    expect(bps).toEqual([1_000_000, 1_000_000]);
  });

  it("counts no encoder that makes nothing", () => {
    const { run, bps, encoded } = setUp([{ fullBps: 1_000_000 }, { fullBps: 1_000_000 }]);
    encoded[1]!.isPaused = true;
    run(600_000);
    expect(bps[0]! / 520_000).toBeCloseTo(1, 1);
  });
});
