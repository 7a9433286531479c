import { describe, expect, it } from "vitest";
import { CALM, compare, impairmentOf, isPlainLoss, ownTarget, ROWS, ratioTarget } from "./conditions.ts";

describe("roads", () => {
  it("are the ones of the table", () => {
    expect(ROWS).toHaveLength(10);
    expect(ROWS.filter(isPlainLoss).map(({ loss, rttMs }) => [loss, rttMs])).toEqual([
      [0, 80],
      [2, 80],
      [5, 80],
      [10, 80],
      [20, 80],
      [0, 40],
      [10, 200],
    ]);
  });

  it("halve the round trip and know shares and bits a second", () => {
    const impairment = impairmentOf({ ...CALM, loss: 10, rateKbps: 1_000 });
    expect(impairment).toMatchObject({ delayMs: 40, loss: 0.1, rateBps: 1_000_000, queueMs: 400 });
  });
});

describe("what is asked", () => {
  it.each([
    [0, "<= 0.001"],
    [5, "<= 0.001"],
    [7.5, "<= 0.002"],
    [10, "<= 0.003"],
    [20, "<= 0.012"],
    [21, undefined],
  ])("at %d %% of loss conceals at most this", (loss, bound) => {
    expect(ownTarget({ ...CALM, loss }).concealedShare).toBe(bound);
  });

  it("is the whole picture up to a tenth of loss, and a short queue at a bottleneck", () => {
    expect(ownTarget({ ...CALM, loss: 10 }).pictureWidth).toBe(">= 640");
    expect(ownTarget({ ...CALM, loss: 11 }).pictureWidth).toBeUndefined();
    expect(ownTarget({ ...CALM, rateKbps: 1_000 })).toMatchObject({ queueP95Ms: "<= 150" });
    expect(ownTarget({ ...CALM, outageS: 3 })).toEqual({ recoveredMs: "<= 2000" });
  });

  it("is a fifth of WebRTC's frozen time, half of it in bursts, and no more delay when all is well", () => {
    expect(ratioTarget({ ...CALM, loss: 5 }).frozenMsPerMinute).toBe("<= 0.2");
    expect(ratioTarget({ ...CALM, loss: 2 }).frozenMsPerMinute).toBeUndefined();
    expect(ratioTarget({ ...CALM, loss: 10, burstMs: 60 })).toMatchObject({
      frozenMsPerMinute: "<= 0.5",
      concealedShare: "<= 0.5",
    });
    expect(ratioTarget(CALM)).toEqual({ audioBufferOverMs: "<= 0", videoBufferOverMs: "<= 0" });
    expect(ratioTarget({ ...CALM, jitterMs: 20 }).audioBufferOverMs).toBe("<= 30");
  });
});

describe("ours beside theirs", () => {
  it("are ratios, and differences of the buffers", () => {
    const ours = { frozenMsPerMinute: 500, concealedShare: 0.001, audioBufferMs: 70, videoBufferMs: 60 };
    const theirs = { frozenMsPerMinute: 2_000, concealedShare: 0.01, audioBufferMs: 50, videoBufferMs: 90 };
    const found = compare(ours, theirs);
    expect(found.frozenMsPerMinute).toBe(0.25);
    expect(found.concealedShare).toBeCloseTo(0.1);
    expect(found.audioBufferOverMs).toBe(20);
    expect(found.videoBufferOverMs).toBe(-30);
    expect(found.audioDelayP50Ms).toBeNull();
  });

  it("give nothing a ratio of 0, and something beside nothing none", () => {
    expect(compare({ concealedShare: 0 }, { concealedShare: 0 }).concealedShare).toBe(0);
    expect(compare({ concealedShare: 0.1 }, { concealedShare: 0 }).concealedShare).toBeNull();
    expect(compare({ concealedShare: null }, { concealedShare: 0.1 }).concealedShare).toBeNull();
  });
});
