import { describe, expect, it } from "vitest";
import { FLAG_DISCARDABLE } from "../core/wire/datagram.ts";
import { emptyForwardCounters } from "./forward-counters.ts";
import { classBitOf, LayerRates, LEVEL_ALL, LEVEL_PAUSED } from "./layer-rates.ts";
import { type SubscribedTrack, type Subscriber, Subscription } from "./subscription.ts";

const NOT_QUEUED = { "shed-overflow": 0, "shed-withdrawn": 0 };

const WISH = { rendition: 0, maxTemporalLayer: 7, playoutDelayMs: 200 };
const BASE = classBitOf(0, 0);
const MIDDLE = classBitOf(1, 0);
const TOP = classBitOf(2, FLAG_DISCARDABLE);

function setUp(wish = WISH) {
  const counters = emptyForwardCounters();
  let keyframeRequests = 0;
  const rendition = { history: {}, rates: new LayerRates(), hasChanges: false };
  const track = {
    trackId: 1,
    isAudio: false,
    renditions: [rendition],
    requestKeyframe: () => keyframeRequests++,
  } as unknown as SubscribedTrack;
  const subscriber = {
    identity: "bob",
    link: {},
    recovery: { addSender: () => ({}), removeSender: () => undefined },
    pacer: { cancel: () => undefined },
  } as unknown as Subscriber;
  const subscription = new Subscription(track, wish, subscriber, counters);
  const passes = (frameId: number, bit: number): boolean =>
    (subscription.passes & bit) !== 0 || subscription.allows(frameId, bit);
  return { subscription, rendition, counters, passes, requests: () => keyframeRequests };
}

describe("Subscription", () => {
  it("gets less from the next unit on, and the rest of units that have begun", () => {
    const { subscription, rendition, passes } = setUp();
    subscription.setLevel(0);
    expect(rendition.hasChanges).toBe(true);
    expect(passes(9, TOP)).toBe(true);
    expect(subscription.begin(10, TOP, false)).toBe(true);
    expect([passes(10, TOP), passes(9, TOP), passes(8, MIDDLE), passes(11, BASE)]).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(passes(1_000, TOP)).toBe(false);
    expect(passes(9, TOP)).toBe(false);
  });

  it("gets more from a unit of the base layer on", () => {
    const { subscription, passes } = setUp();
    subscription.setLevel(0);
    subscription.begin(10, TOP, false);
    subscription.setLevel(LEVEL_ALL);
    expect(subscription.begin(11, MIDDLE, false)).toBe(false);
    expect(passes(11, MIDDLE)).toBe(false);
    expect(subscription.begin(13, BASE, false)).toBe(true);
    expect([passes(13, BASE), passes(14, TOP), passes(15, MIDDLE)]).toEqual([true, true, true]);
    expect(passes(12, TOP)).toBe(false);
  });

  it("goes on after a pause with a keyframe, which it asks for once", () => {
    const { subscription, passes, requests } = setUp();
    subscription.setLevel(LEVEL_PAUSED);
    subscription.begin(10, BASE, false);
    expect(passes(10, BASE)).toBe(false);
    subscription.setLevel(0);
    subscription.setLevel(1);
    expect(requests()).toBe(1);
    expect(subscription.begin(14, BASE, false)).toBe(false);
    expect(passes(14, BASE)).toBe(false);
    expect(subscription.begin(17, BASE, true)).toBe(true);
    expect([passes(17, BASE), passes(19, MIDDLE), passes(18, TOP)]).toEqual([true, true, false]);
  });

  it("never gets more than it asked for, and counts only what it asked for as left out", () => {
    const { subscription, counters, passes } = setUp({ ...WISH, maxTemporalLayer: 1 });
    expect([passes(1, MIDDLE), passes(2, TOP)]).toEqual([true, false]);
    subscription.countShed(TOP);
    subscription.setLevel(0);
    subscription.begin(3, BASE, false);
    subscription.countShed(MIDDLE);
    subscription.setLevel(LEVEL_PAUSED);
    subscription.begin(4, BASE, false);
    subscription.countShed(BASE);
    expect(counters.shed).toEqual({
      "shed-discardable": 0,
      "shed-layer": 1,
      "shed-picture": 1,
      ...NOT_QUEUED,
    });
    subscription.setLevel(LEVEL_ALL);
    subscription.change({ ...WISH, maxTemporalLayer: 0 });
    subscription.begin(5, BASE, true);
    expect([passes(5, BASE), passes(6, MIDDLE)]).toEqual([true, false]);
  });
});
