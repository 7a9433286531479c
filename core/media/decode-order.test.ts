import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import type { AccessUnit } from "../delivery/access-unit.ts";
import { DecodeOrder, MAX_WAITING_UNITS } from "./decode-order.ts";

function unit(frameId: number, keyframe = false): AccessUnit {
  return {
    frameId: frameId >>> 0,
    captureTimeUs: 0,
    keyframe,
    discardable: false,
    temporalLayer: 0,
    reference: keyframe ? 0 : 1,
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

  it("does not go back to a keyframe that was brought back after a later one was decoded", () => {
    const order = new DecodeOrder();
    expect(feed(order, unit(0, true), unit(60, true), unit(62))).toEqual([0, 60]);
    order.giveUp(0, () => expect.unreachable());
    expect(feed(order, unit(30, true), unit(31), unit(90, true))).toEqual([90]);
    order.reset();
    expect(feed(order, unit(1, true))).toEqual([1]);
  });

  it("ignores duplicates", () => {
    const order = new DecodeOrder();
    expect(feed(order, unit(1, true), unit(3), unit(3), unit(1), unit(2))).toEqual([1, 2, 3]);
    expect(order.dropped).toMatchObject({ duplicate: 1, late: 1 });
  });
});

/** Units of three temporal layers, as Chromium's encoder makes them (L1T3): 0 2 1 2 | 0 2 1 2 from the keyframe on. */
function layered(frameId: number, first = 0): AccessUnit {
  const phase = ((frameId - first) >>> 0) % 4;
  const keyframe = frameId === first;
  return {
    ...unit(frameId, keyframe),
    captureTimeUs: ((frameId - first) >>> 0) * 1000,
    temporalLayer: [0, 2, 1, 2][phase]!,
    discardable: phase % 2 === 1,
    reference: keyframe ? 0 : [4, 1, 2, 1][phase]!,
  };
}

describe("DecodeOrder with temporal layers", () => {
  const ids = (...from: number[]): AccessUnit[] => from.map((id) => layered(id));
  const collect = (out: number[]) => (ready: AccessUnit) => void out.push(ready.frameId);

  it("holds up what does not need the missing unit only until it is due", () => {
    const order = new DecodeOrder();
    expect(feed(order, ...ids(0, 1, 2, 4, 5))).toEqual([0, 1, 2]);
    expect(order.heldUpCaptureUs).toBe(4000);
    const out: number[] = [];
    order.release(3999, 0, collect(out));
    expect(out).toEqual([]);
    order.release(4000, 0, collect(out));
    expect(out).toEqual([4, 5]);
    expect(order.needsKeyframe).toBe(false);
    expect(feed(order, ...ids(3, 6, 7))).toEqual([6, 7]);
    expect(order.dropped).toEqual({ late: 1, duplicate: 0, "no-reference": 0 });
  });

  it("takes the missing unit when it comes before that", () => {
    const order = new DecodeOrder();
    expect(feed(order, ...ids(0, 1, 2, 4, 5, 3))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("skips what needs the skipped unit, and nothing else", () => {
    const order = new DecodeOrder();
    const out: number[] = feed(order, ...ids(0, 1, 3, 4, 5));
    order.release(10_000, 0, collect(out));
    out.push(...feed(order, ...ids(6, 7, 8)));
    expect(out).toEqual([0, 1, 4, 5, 6, 7, 8]);
    expect(order.dropped["no-reference"]).toBe(1);
  });

  it("waits for a missing unit of the base layer as long as it may, then for a keyframe", () => {
    const order = new DecodeOrder();
    const out: number[] = feed(order, ...ids(0, 1, 2, 3, 5, 6, 7, 8, 9));
    expect(order.heldUpCaptureUs).toBeUndefined();
    order.release(Number.POSITIVE_INFINITY, 0, collect(out));
    expect(out).toEqual([0, 1, 2, 3]);
    expect(order.needsKeyframe).toBe(false);
    order.giveUp(0, collect(out));
    expect(order.needsKeyframe).toBe(true);
    expect(feed(order, ...ids(10), layered(12, 12), layered(13, 12))).toEqual([12, 13]);
  });

  it.each([0, 0xffff_fffd])("plays the base layer alone, from id %i on", (first) => {
    const order = new DecodeOrder();
    const out: number[] = [];
    for (let i = 0; i < 40; i += 4) {
      order.push(layered((first + i) >>> 0, first), i * 1000, collect(out));
      order.release(i * 1000, i * 1000, collect(out));
    }
    expect(out).toEqual(Array.from({ length: 10 }, (_, i) => (first + 4 * i) >>> 0));
    expect(order.dropped).toEqual({ late: 0, duplicate: 0, "no-reference": 0 });
  });

  it("asks for a keyframe when the base layer needs what was skipped", () => {
    const order = new DecodeOrder();
    const out = feed(order, ...ids(0, 2));
    order.release(2000, 0, collect(out));
    out.push(...feed(order, ...ids(3), { ...unit(4), reference: 3 }));
    expect(out).toEqual([0, 2, 3]);
    expect(order.needsKeyframe).toBe(true);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    "emits in order and only what is decodable, seed %i",
    (seed) => {
      const random = seededRandom(seed);
      const order = new DecodeOrder();
      const decoded = new Set<number>();
      let last = -1;
      const emit = (ready: AccessUnit): void => {
        expect(ready.frameId).toBeGreaterThan(last);
        if (!ready.keyframe) expect(decoded).toContain(ready.frameId - ready.reference);
        decoded.add(ready.frameId);
        last = ready.frameId;
      };
      const units = Array.from({ length: 400 }, (_, id) => layered(id, id - (id % 100)))
        .filter((one) => random() > (one.temporalLayer === 0 ? 0.01 : 0.2))
        .map((one) => ({ one, at: one.frameId + random() * (random() < 0.1 ? 20 : 3) }))
        .sort((a, b) => a.at - b.at);
      for (const { one, at } of units) {
        order.push({ ...one, captureTimeUs: one.frameId * 1000 }, at * 1000, emit);
        order.release((at - 5) * 1000, at * 1000, emit);
        const sinceUs = order.blockedSinceUs;
        if (sinceUs !== undefined && at * 1000 - sinceUs > 12_000) order.giveUp(at * 1000, emit);
      }
      expect(decoded.size).toBeGreaterThan(40);
    },
  );
});
