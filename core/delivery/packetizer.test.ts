import { describe, expect, it } from "vitest";
import { datagramFault, HOP_HEADER_BYTES, writeHopHeader } from "../wire/datagram.ts";
import type { AccessUnit } from "./access-unit.ts";
import { Depacketizer } from "./depacketizer.ts";
import { AccessUnitTooLargeError, Packetizer } from "./packetizer.ts";

function unit(frameId: number, bytes: number): AccessUnit {
  return {
    frameId,
    captureTimeUs: 1_785_000_000_000_000 + frameId * 33_333,
    keyframe: frameId === 0,
    discardable: frameId % 2 === 1,
    temporalLayer: frameId % 3,
    reference: Math.min(frameId, 7),
    rendition: 1,
    audioLevel: 127,
    voice: false,
    encrypted: false,
    bytes: Uint8Array.from({ length: bytes }, (_, i) => (frameId * 31 + i) & 0xff),
  };
}

function packetize(units: AccessUnit[], limit = 1000): Uint8Array[] {
  const packetizer = new Packetizer(9);
  const datagrams: Uint8Array[] = [];
  for (const one of units) {
    packetizer.push(one, limit, false, (datagram) => {
      const copy = datagram.slice();
      writeHopHeader(copy, 0, 0x10, datagrams.length, 0);
      datagrams.push(copy);
    });
  }
  return datagrams;
}

function depacketize(datagrams: Uint8Array[], depacketizer = new Depacketizer()): AccessUnit[] {
  const units: AccessUnit[] = [];
  for (const datagram of datagrams) depacketizer.push(datagram, (one) => units.push(one));
  return units;
}

describe("packetizer and depacketizer", () => {
  it.each([0, 1, 965, 966, 967, 1932, 1933, 62_000, 150_000])(
    "carry an access unit of %i bytes unchanged",
    (bytes) => {
      const sent = [unit(0, bytes)];
      const datagrams = packetize(sent);
      for (const datagram of datagrams) {
        expect(datagram.length).toBeLessThanOrEqual(1000);
        expect(datagramFault(datagram)).toBeUndefined();
      }
      expect(depacketize(datagrams)).toEqual(sent);
    },
  );

  it("keep to a smaller hop limit", () => {
    const datagrams = packetize([unit(0, 5000)], 400);
    for (const datagram of datagrams) expect(datagram.length).toBeLessThanOrEqual(400);
    expect(depacketize(datagrams)).toEqual([unit(0, 5000)]);
  });

  it.each([0, 1, 0xfffffffe, 0xffffffff])("carry units over frame id %i, shuffled and doubled", (first) => {
    const sent = [0, 1, 2, 3].map((i) => unit((first + i) >>> 0, 3000 + i));
    const datagrams = packetize(sent);
    const shuffled = [...datagrams, ...datagrams].sort(
      (a, b) => a[20 + (a.length % 7)]! - b[20 + (b.length % 7)]!,
    );
    const depacketizer = new Depacketizer();
    const got = depacketize(shuffled, depacketizer).sort((a, b) => a.captureTimeUs - b.captureTimeUs);
    expect(got).toEqual(sent.sort((a, b) => a.captureTimeUs - b.captureTimeUs));
    expect(depacketizer.dropped.duplicate).toBe(datagrams.length);
  });

  it("cut a large unit into blocks of equal size, and say where each ends", () => {
    const places = packetize([unit(0, 966 * 65)]).map((d) => [
      d[HOP_HEADER_BYTES + 21],
      d[HOP_HEADER_BYTES + 22],
      d[HOP_HEADER_BYTES + 23]! & 0x10,
    ]);
    expect(places[31]).toEqual([0, 31, 0]);
    expect(places[32]).toEqual([0, 32, 0x10]);
    expect(places[33]).toEqual([1, 0, 0]);
    expect(places[64]).toEqual([1, 31, 0x10]);
  });

  it("refuse a unit over the limit with a sentence", () => {
    expect(() => packetize([unit(0, 1_500_001)])).toThrow(AccessUnitTooLargeError);
  });
});

describe("depacketizer bounds", () => {
  it("abandons the oldest open unit, by count, and never holds more", () => {
    const depacketizer = new Depacketizer();
    const halves = Array.from({ length: 100 }, (_, i) => packetize([unit(i, 1500)])[0]!);
    expect(depacketize(halves, depacketizer)).toEqual([]);
    expect(depacketizer.dropped.abandoned).toBe(36);
  });

  it("counts fragments that contradict each other", () => {
    const depacketizer = new Depacketizer();
    depacketize([packetize([unit(5, 1500)])[0]!, packetize([unit(5, 2500)])[1]!], depacketizer);
    expect(depacketizer.dropped.inconsistent).toBe(1);
  });

  it("drops what is far behind the newest unit as late", () => {
    const depacketizer = new Depacketizer();
    depacketize([packetize([unit(1000, 10)])[0]!, packetize([unit(10, 10)])[0]!], depacketizer);
    expect(depacketizer.dropped.late).toBe(1);
  });
});
