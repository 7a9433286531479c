import { describe, expect, it } from "vitest";
import type { AccessUnit } from "../delivery/access-unit.ts";
import { DecodeOrder, MAX_WAITING_UNITS } from "./decode-order.ts";

function unit(frameId: number, keyframe = false): AccessUnit {
  return {
    frameId: frameId >>> 0,
    captureTimeUs: 0,
    keyframe,
    discardable: false,
    temporalLayer: 0,
    rendition: 0,
    audioLevel: 127,
    voice: false,
    encrypted: false,
    bytes: Uint8Array.of(0),
  };
}

function feed(order: DecodeOrder, ...units: AccessUnit[]): number[] {
  const out: number[] = [];
  for (const each of units) order.push(each, 0, (ready) => out.push(ready.frameId));
  return out;
}

describe("DecodeOrder", () => {
  it("waits for a keyframe, then hands units out as they come", () => {
    const order = new DecodeOrder();
    expect(order.needsKeyframe).toBe(true);
    expect(feed(order, unit(4), unit(5, true), unit(6), unit(7))).toEqual([5, 6, 7]);
    expect(order.dropped["no-reference"]).toBe(1);
  });

  it.each([10, 0xffff_fffe])("puts units in order, from id %i on", (first) => {
    const order = new DecodeOrder();
    const ids = feed(order, unit(first, true), unit(first + 2), unit(first + 3), unit(first + 1));
    expect(ids).toEqual([0, 1, 2, 3].map((i) => (first + i) >>> 0));
  });

  it("says since when it is held up, and gives up to a waiting keyframe", () => {
    const order = new DecodeOrder();
    feed(order, unit(1, true));
    order.push(unit(3), 500, () => expect.unreachable("unit 2 is missing"));
    expect(order.blockedSinceUs).toBe(500);
    const out: number[] = [];
    order.giveUp(900, (ready) => out.push(ready.frameId));
    expect(out).toEqual([]);
    expect(order.needsKeyframe).toBe(true);
    expect(order.blockedSinceUs).toBeUndefined();
  });

  it("jumps to a keyframe at once, whatever is missing before it", () => {
    const order = new DecodeOrder();
    expect(feed(order, unit(1, true), unit(3), unit(4), unit(6, true), unit(7))).toEqual([1, 6, 7]);
    expect(feed(order, unit(5))).toEqual([]);
    expect(order.dropped).toMatchObject({ late: 1, "no-reference": 2 });
  });

  it("holds a bounded number of units", () => {
    const order = new DecodeOrder();
    feed(order, unit(1, true));
    const later = Array.from({ length: MAX_WAITING_UNITS + 1 }, (_, i) => unit(3 + i));
    expect(feed(order, ...later)).toEqual([]);
    expect(order.needsKeyframe).toBe(true);
  });

  it("ignores duplicates", () => {
    const order = new DecodeOrder();
    expect(feed(order, unit(1, true), unit(3), unit(3), unit(1), unit(2))).toEqual([1, 2, 3]);
    expect(order.dropped).toMatchObject({ duplicate: 1, late: 1 });
  });
});
