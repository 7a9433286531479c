import { describe, expect, it } from "vitest";
import { BlockPool } from "../core/delivery/reed-solomon/block-pool.ts";
import { MICROPHONE } from "../test/sim/simulated-cluster.ts";
import { VirtualClock } from "../test/sim/virtual-clock.ts";
import { CacheBudget } from "./gop-cache.ts";
import type { Subscription } from "./subscription.ts";
import { type Audience, Track } from "./track.ts";

function setUp() {
  const told: Audience[] = [];
  const memory = { cacheBudget: new CacheBudget(0), recoveryPool: new BlockPool({ capacity: 1 }) };
  const track = new Track(7, MICROPHONE, "ada", new VirtualClock(), memory, {
    keyframeRequested: () => undefined,
    trackWanted: () => undefined,
    renditionLimit: () => undefined,
    renditionWanted: () => undefined,
    stopReceiving: () => undefined,
    isSession: true,
    trackBudget: (_, audience) => told.push({ ...audience }),
  });
  const subscriber = (playoutDelayMs: number, rttMs: number) => {
    const outbound = { loss: 0, burstMs: 0, rttMs, reorderMs: 0 };
    const subscription = { rendition: 0, playoutDelayMs, recovery: { outbound } };
    track.addSubscription(subscription as unknown as Subscription);
    return outbound;
  };
  return { track, told, subscriber };
}

describe("what a publisher is told of its audience", () => {
  it("is the most time for repair, and the worst loss", () => {
    const { track, told, subscriber } = setUp();
    const near = subscriber(200, 20);
    const far = subscriber(200, 180);
    near.loss = 0.05;
    far.loss = 0.2;
    near.burstMs = 40;
    track.updateAudience();
    expect(told.at(-1)).toEqual({ repairWithinMs: 168, loss: 0.2, burstMs: 40 });
  });

  it("is said only when it is news", () => {
    const { track, told, subscriber } = setUp();
    const hop = subscriber(200, 20);
    const { length } = told;
    for (let i = 0; i < 20; i++) {
      hop.loss = (i % 2) * 0.015;
      hop.rttMs = 20 + (i % 3);
      track.updateAudience();
    }
    expect(told).toHaveLength(length);
    hop.loss = 0.1;
    track.updateAudience();
    expect(told).toHaveLength(length + 1);
  });
});
