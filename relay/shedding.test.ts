import { describe, expect, it } from "vitest";
import type { BandwidthEstimator, CongestionState } from "../core/delivery/congestion/bandwidth-estimator.ts";
import { FLAG_DISCARDABLE } from "../core/wire/datagram.ts";
import { classBitOf, LayerRates, LEVEL_ALL, LEVEL_PAUSED } from "./layer-rates.ts";
import type { Padding } from "./padding.ts";
import { Shedding } from "./shedding.ts";
import type { Subscription } from "./subscription.ts";

const REPORT_US = 50_000;

/** Cameras of 400, 250 and 350 kb/s by layer, or of 1 Mb/s without layers, and one sound of 60 kb/s. */
function setUp(cameras: ("layered" | "plain")[]) {
  const state = {
    bandwidth: {
      rateBps: undefined as number | undefined,
      limitBps: undefined as number | undefined,
      state: "free" as CongestionState,
      decreases: 0,
      hasQueue: true,
      newestQueueMs: 0,
    },
    nowUs: 1_785_000_000_000_000,
    paddingBps: 0,
  };
  const rendition = (kbps: [number, number][]) => ({
    kbps,
    rates: new LayerRates(),
    fullBps: 1_000_000,
    // A track that somebody else wants whole.
    limit: { isKnown: false, expected: (bps: number) => bps },
  });
  const tracks = [
    { isAudio: true, ...rendition([[classBitOf(0, 0), 60]]) },
    ...cameras.map((kind) => ({
      isAudio: false,
      ...rendition(
        kind === "plain"
          ? [[classBitOf(0, 0), 1_000]]
          : [
              [classBitOf(0, 0), 400],
              [classBitOf(1, 0), 250],
              [classBitOf(2, FLAG_DISCARDABLE), 350],
            ],
      ),
    })),
  ];
  const levels: number[] = tracks.map(() => LEVEL_ALL);
  const subscriptions = new Map(
    tracks.map((track, id) => {
      const fake = {
        track: { isAudio: track.isAudio, renditions: [track], updateLimit: () => undefined },
        link: { nowUs: () => state.nowUs },
        rendition: 0,
        wishMask: 0xffff,
        paced: false,
        setLevel: (level: number) => {
          levels[id] = level;
        },
      };
      return [id, fake as unknown as Subscription];
    }),
  );
  const padding = {
    start: (bps: number) => {
      state.paddingBps = bps;
    },
    stop: () => {
      state.paddingBps = 0;
    },
  } as unknown as Padding;
  const shedding = new Shedding(
    state.bandwidth as unknown as BandwidthEstimator,
    subscriptions,
    padding,
    () => 0,
  );
  const run = (ms: number): void => {
    for (let passed = 0; passed < ms * 1_000; passed += REPORT_US) {
      state.nowUs += REPORT_US;
      for (const { rates, kbps } of tracks)
        for (const [bit, rate] of kbps) rates.add(bit, (rate * REPORT_US) / 8_000, state.nowUs);
      shedding.update(state.nowUs);
    }
  };
  const congest = (limitBps: number): void => {
    Object.assign(state.bandwidth, { rateBps: limitBps * 0.85, limitBps, state: "congested" });
    state.bandwidth.decreases++;
    run(50);
    state.bandwidth.state = "free";
  };
  run(5_000);
  return { state, shedding, run, congest, levels, subscriptions };
}

describe("Shedding", () => {
  it("leaves nothing out while no limit is known, and paces nothing", () => {
    const { shedding, levels, subscriptions } = setUp(["layered"]);
    expect(levels).toEqual([LEVEL_ALL, LEVEL_ALL]);
    expect(shedding.paceBps).toBeUndefined();
    expect(subscriptions.get(1)!.paced).toBe(false);
  });

  it.each([
    { limitBps: 1_300_000, level: LEVEL_ALL },
    { limitBps: 1_000_000, level: 7 },
    { limitBps: 700_000, level: 0 },
    { limitBps: 500_000, level: 0 },
    { limitBps: 400_000, level: LEVEL_PAUSED },
  ])("sends what fits: %o", ({ limitBps, level }) => {
    const { congest, levels, subscriptions } = setUp(["layered"]);
    congest(limitBps);
    expect(levels).toEqual([LEVEL_ALL, level]);
    expect([subscriptions.get(0)!.paced, subscriptions.get(1)!.paced]).toEqual([false, true]);
  });

  it("shares alike, and leaves the last subscribed out when no layers are left", () => {
    const { congest, levels } = setUp(["layered", "layered", "layered"]);
    congest(2_400_000);
    expect(levels.slice(1)).toEqual([7, 7, 7]);
    congest(1_400_000);
    expect(levels.slice(1)).toEqual([0, 0, 0]);
    congest(1_000_000);
    expect(levels.slice(1)).toEqual([0, 0, LEVEL_PAUSED]);
    congest(300_000);
    expect(levels.slice(1)).toEqual([LEVEL_PAUSED, LEVEL_PAUSED, LEVEL_PAUSED]);
  });

  it("tries with padding before it sends more, until all is sent", () => {
    const { congest, run, levels, state } = setUp(["layered"]);
    congest(500_000);
    run(1_600);
    expect(levels[1]).toBe(0);
    // 710 kb/s and a tenth more, less the 460 that are sent.
    expect(state.paddingBps / 321_000).toBeCloseTo(1, 1);
    run(1_600);
    expect(state.paddingBps).toBe(0);
    expect(levels[1]).toBe(1);
    run(6_000);
    expect(levels[1]).toBe(LEVEL_ALL);
    run(20_000);
    expect(state.paddingBps).toBe(0);
  });

  it("gives a try up when a queue grows, and waits longer for the next", () => {
    const { congest, run, levels, state } = setUp(["layered"]);
    congest(500_000);
    const starts: number[] = [];
    for (let ms = 0; ms < 60_000; ms += 50) {
      const before = state.paddingBps;
      state.bandwidth.newestQueueMs = state.paddingBps > 0 ? 50 : 0;
      run(50);
      if (before === 0 && state.paddingBps > 0) starts.push(ms);
      expect(levels[1]).toBe(0);
    }
    const pauses = starts.slice(1).map((start, i) => start - starts[i]!);
    expect(pauses[0]).toBeLessThan(4_000);
    expect(Math.max(...pauses)).toBeLessThan(7_000);
    expect(starts.length).toBeLessThan(13);
  });

  it.each([
    { queuesMs: [18, 16, 18, 16, 18], isOver: false },
    { queuesMs: [0, 17, 24, 24, 24], isOver: true },
  ])("gives a try up at a short queue only while it grows: %o", ({ queuesMs, isOver }) => {
    const { congest, run, state } = setUp(["layered"]);
    congest(500_000);
    run(1_600);
    expect(state.paddingBps).toBeGreaterThan(0);
    for (const queueMs of queuesMs) {
      state.bandwidth.newestQueueMs = queueMs;
      run(50);
    }
    expect(state.paddingBps === 0).toBe(isOver);
  });

  it("goes back to what held when a step up was too much after all", () => {
    const { congest, run, levels } = setUp(["layered"]);
    congest(700_000);
    run(3_200);
    expect(levels[1]).toBe(1);
    congest(700_000);
    expect(levels[1]).toBe(0);
  });

  it("leaves one layer out while the estimator tries whether that lowers the loss, and gives it back", () => {
    const { congest, run, levels, state } = setUp(["layered"]);
    state.bandwidth.hasQueue = false;
    congest(1_000_000);
    expect(levels[1]).toBe(7);
    run(1_000);
    expect(levels[1]).toBe(7);
    state.bandwidth.rateBps = 100_000_000;
    run(100);
    expect(levels[1]).toBe(LEVEL_ALL);
  });

  it("leaves no picture out for loss", () => {
    const { congest, levels, state } = setUp(["plain"]);
    state.bandwidth.hasQueue = false;
    congest(500_000);
    expect(levels[1]).toBe(LEVEL_ALL);
  });

  it("resumes several pictures in ever larger steps", () => {
    const { congest, run, levels } = setUp(Array.from({ length: 8 }, () => "plain"));
    congest(200_000);
    expect(levels.slice(1).every((level) => level === LEVEL_PAUSED)).toBe(true);
    run(20_000);
    expect(levels.slice(1).every((level) => level === LEVEL_ALL)).toBe(true);
  });
});
