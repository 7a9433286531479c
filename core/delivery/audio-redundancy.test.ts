import { describe, expect, it } from "vitest";
import { readRedundantPayload } from "../wire/redundancy.ts";
import type { AccessUnit } from "./access-unit.ts";
import { AudioRedundancy } from "./audio-redundancy.ts";

const CALM = { loss: 0.05, burstMs: 0, rttMs: 80, reorderMs: 0 };
const BURSTY = { ...CALM, burstMs: 20 };

function unit(frameId: number, bytes = 60): AccessUnit {
  return {
    frameId: frameId >>> 0,
    captureTimeUs: 1_785_000_000_000_000 + frameId * 20_000,
    keyframe: true,
    discardable: false,
    temporalLayer: 0,
    reference: 0,
    rendition: 0,
    audioLevel: 30,
    voice: true,
    encrypted: false,
    bytes: new Uint8Array(bytes).fill(frameId),
  };
}

/** Distances of the copies in the payload of the last of `frameIds`. */
function distances(frameIds: number[], hop = CALM, maxBytes = 900): number[] {
  const redundancy = new AudioRedundancy();
  const payloads = frameIds.map((frameId) => redundancy.wrap(unit(frameId), maxBytes, hop));
  const last = payloads.at(-1);
  if (last === undefined) return [];
  const read = readRedundantPayload(last)!;
  const newest = frameIds.at(-1)!;
  expect(read.primary).toEqual(unit(newest).bytes);
  for (const { distance, ageUs, bytes } of read.redundant) {
    expect(bytes).toEqual(unit(newest - distance).bytes);
    expect(ageUs).toBe(distance * 20_000);
  }
  return read.redundant.map(({ distance }) => distance);
}

describe("audio redundancy", () => {
  it("carries the last two frames", () => expect(distances([1, 2, 3, 4])).toEqual([1, 2]));
  it("carries only the last one while nothing is lost", () =>
    expect(distances([1, 2, 3, 4], { ...CALM, loss: 0 })).toEqual([1]));
  it("carries a third where two copies are not enough", () =>
    expect(distances([1, 2, 3, 4], { ...CALM, loss: 0.2 })).toEqual([1, 2, 3]));
  it("serves the hops behind the relay too", () => {
    const redundancy = new AudioRedundancy();
    redundancy.setBeyond({ loss: 0.22, burstMs: 0 });
    const payloads = [1, 2, 3, 4, 5].map((frameId) => redundancy.wrap(unit(frameId), 900, CALM));
    expect(readRedundantPayload(payloads[4]!)!.redundant.map(({ distance }) => distance)).toEqual([
      1, 2, 3, 4,
    ]);
  });
  it("reaches over bursts", () => expect(distances([1, 2, 3, 4, 5, 6, 7, 8], BURSTY)).toEqual([1, 3, 5]));
  it("has nothing to carry at first", () => expect(distances([1])).toEqual([]));
  it("leaves out what was not sent", () => expect(distances([1, 2, 4])).toEqual([2]));
  it("keeps to the datagram", () => expect(distances([1, 2, 3], CALM, 150)).toEqual([1]));
});
