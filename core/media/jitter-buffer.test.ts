import { describe, expect, it } from "vitest";
import type { AccessUnit } from "../delivery/access-unit.ts";
import { JitterBuffer, MAX_HELD_UNITS, type Playout } from "./jitter-buffer.ts";

const FRAME_US = 20_000;
const START_US = 1_000_000_000;

function unit(frameId: number, captureTimeUs: number): AccessUnit {
  return {
    frameId: frameId >>> 0,
    captureTimeUs,
    keyframe: true,
    discardable: false,
    temporalLayer: 0,
    rendition: 0,
    audioLevel: 30,
    voice: true,
    encrypted: false,
    bytes: Uint8Array.of(1),
  };
}

function newBuffer(): JitterBuffer {
  return new JitterBuffer({ frameDurationUs: FRAME_US, minDelayUs: 0, maxDelayUs: 1_000_000 });
}

interface Replay {
  played: number[];
  concealed: number;
  /** Delay of each played unit behind the fastest arrival, ms. */
  delays: number[];
  buffer: JitterBuffer;
}

/** Plays a trace: `transitMs(i)` of unit i, or undefined for a lost one. Time-stretch is taken to work. */
function replay(count: number, transitMs: (index: number) => number | undefined, firstId = 0): Replay {
  const buffer = newBuffer();
  const arrivals: { atUs: number; unit: AccessUnit }[] = [];
  for (let i = 0; i < count; i++) {
    const transit = transitMs(i);
    const captureUs = START_US + i * FRAME_US;
    if (transit !== undefined) {
      arrivals.push({ atUs: captureUs + transit * 1000, unit: unit(firstId + i, captureUs) });
    }
  }
  arrivals.sort((a, b) => a.atUs - b.atUs);
  const result: Replay = { played: [], concealed: 0, delays: [], buffer };
  let speakerUs = START_US;
  while (speakerUs < START_US + count * FRAME_US) {
    while (arrivals.length > 0 && arrivals[0]!.atUs <= speakerUs) {
      const arrival = arrivals.shift()!;
      buffer.push(arrival.unit, arrival.atUs);
    }
    speakerUs += lengthOf(buffer.pull(speakerUs), result);
  }
  return result;
}

function lengthOf(next: Playout, result: Replay): number {
  if (next.kind === "silence") return 5_000;
  if (next.kind === "conceal") {
    result.concealed++;
    return FRAME_US;
  }
  result.played.push(next.unit.frameId);
  result.delays.push(result.buffer.delayMs);
  if (next.stretch === "shorter") return FRAME_US - 5_000;
  return next.stretch === "longer" ? FRAME_US + 5_000 : FRAME_US;
}

/** Repeatable numbers in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x100000000;
  };
}

describe("JitterBuffer", () => {
  it.each([0, 65_530, 0xffff_fff0])(
    "plays a clean network in order with nothing concealed, from id %i",
    (firstId) => {
      const { played, concealed, delays } = replay(500, () => 30, firstId);
      expect(concealed).toBe(0);
      expect(played.length).toBeGreaterThan(490);
      played.forEach((id, i) => {
        expect(id).toBe((played[0]! + i) >>> 0);
      });
      expect(Math.max(...delays.slice(100))).toBeLessThan(25);
    },
  );

  it("plays units in order that came out of order", () => {
    const { played, concealed } = replay(300, (i) => (i % 10 === 5 ? 55 : 30));
    const sorted = [...played].sort((a, b) => a - b);
    expect(played).toEqual(sorted);
    // It learns to wait; only the first few are missed.
    expect(concealed).toBeLessThan(5);
  });

  it("conceals each lost unit once and goes on with the next", () => {
    const { played, concealed } = replay(500, (i) => (i > 100 && i % 20 === 0 ? undefined : 30));
    expect(concealed).toBe(19);
    expect(played.length + concealed).toBeGreaterThan(490);
  });

  it("waits longer on a jittery network, and loses little to lateness", () => {
    const random = seeded(7);
    const { concealed, delays } = replay(1_000, () => 40 + random() * 60);
    expect(concealed).toBeLessThan(40);
    const late = delays.slice(300);
    const mean = late.reduce((sum, delay) => sum + delay, 0) / late.length;
    expect(mean).toBeGreaterThan(40);
    expect(mean).toBeLessThan(85);
  });

  it("comes back down after the network calmed", () => {
    const random = seeded(3);
    const { delays } = replay(1_500, (i) => 30 + (i < 300 ? random() * 100 : 0));
    expect(Math.max(...delays.slice(200, 300))).toBeGreaterThan(70);
    expect(Math.max(...delays.slice(-300))).toBeLessThan(30);
  });

  it("plays on after a pause of the network, without the delay that it brought", () => {
    const { played, delays } = replay(1_000, (i) => (i >= 300 && i < 350 ? (350 - i) * 20 + 30 : 30));
    expect(played.at(-1)).toBeGreaterThan(990);
    expect(delays.at(-1)).toBeLessThan(40);
  });

  it("is silent, not lossy, while the publisher is muted", () => {
    const buffer = newBuffer();
    for (let i = 0; i < 5; i++) buffer.push(unit(i, START_US + i * FRAME_US), START_US + i * FRAME_US);
    const nowUs = START_US + 25_000;
    expect(buffer.pull(nowUs).kind).toBe("unit");
    buffer.setPaused(true);
    const kinds = new Set<string>();
    for (let i = 1; i <= 20; i++) kinds.add(buffer.pull(nowUs + i * FRAME_US).kind);
    expect(kinds).toEqual(new Set(["unit", "silence"]));
  });

  it("holds a bounded number of units and counts what it drops", () => {
    const buffer = newBuffer();
    for (let i = 0; i < 3 * MAX_HELD_UNITS; i++) buffer.push(unit(i, START_US + i * FRAME_US), START_US);
    expect(buffer.heldUnits).toBe(MAX_HELD_UNITS);
    expect(buffer.dropped.overflow).toBe(2 * MAX_HELD_UNITS);
    buffer.push(unit(3 * MAX_HELD_UNITS - 1, START_US), START_US);
    expect(buffer.dropped.duplicate).toBe(1);
  });

  it("starts over when the numbering does", () => {
    const buffer = newBuffer();
    for (let i = 0; i < 5; i++)
      buffer.push(unit(50_000 + i, START_US + i * FRAME_US), START_US + i * FRAME_US);
    expect(buffer.pull(START_US + 100_000).kind).toBe("unit");
    buffer.push(unit(3, START_US + 200_000), START_US + 200_000);
    expect(buffer.pull(START_US + 260_000)).toMatchObject({ kind: "unit", unit: { frameId: 3 } });
  });
});
