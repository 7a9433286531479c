import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import type { AccessUnit } from "../delivery/access-unit.ts";
import { AudioPlayout } from "./audio-playout.ts";
import { JitterBuffer, MAX_HELD_UNITS } from "./jitter-buffer.ts";

const FRAME_US = 20_000;
const FRAME_SAMPLES = 960;
const START_US = 1_000_000_000;

function unit(frameId: number, captureTimeUs: number): AccessUnit {
  return {
    frameId: frameId >>> 0,
    captureTimeUs,
    keyframe: true,
    discardable: false,
    temporalLayer: 0,
    reference: 0,
    rendition: 0,
    audioLevel: 30,
    voice: true,
    encrypted: false,
    bytes: Uint8Array.of(0xfc, frameId & 0xff, (frameId >> 8) & 0xff),
  };
}

const BOUNDS = { frameDurationUs: FRAME_US, minDelayUs: 0, maxDelayUs: 1_000_000 };

interface Replay {
  /** Ids in the order decoded. */
  played: number[];
  /** Milliseconds. */
  concealedMs: number;
  /** Delay of the sound behind the fastest arrival, ms, each 10 ms. */
  delays: number[];
  targets: number[];
  playout: AudioPlayout;
}

interface Trace {
  count: number;
  /** Transit of unit i, or undefined for a lost one. */
  transitMs(index: number): number | undefined;
  firstId?: number;
  /** Capture time of unit i since the start. */
  captureUs?(index: number): number;
  recovered?(index: number): boolean;
  isEmpty?(index: number): boolean;
  /** How much faster than our clock the speaker takes samples. */
  speakerPpm?: number;
}

/** Plays a trace through buffer and playout, with a decoder whose sound may be stretched anywhere. */
function replay(trace: Trace): Replay {
  const { count, transitMs, firstId = 0, captureUs = (i) => i * FRAME_US } = trace;
  const playout = new AudioPlayout(BOUNDS);
  const result: Replay = { played: [], concealedMs: 0, delays: [], targets: [], playout };
  playout.decoder = {
    decode(bytes) {
      result.played.push(bytes[1]! | (bytes[2]! << 8));
      return new Float32Array(FRAME_SAMPLES);
    },
    conceal: (samples) => new Float32Array(samples),
    decodeFec: (_bytes, samples) => new Float32Array(samples),
  };
  const arrivals: { atUs: number; unit: AccessUnit }[] = [];
  for (let i = 0; i < count; i++) {
    const transit = transitMs(i);
    if (transit === undefined) continue;
    const capturedUs = START_US + captureUs(i);
    const arrived = unit(firstId + i, capturedUs);
    if (trace.recovered?.(i)) arrived.recovered = true;
    if (trace.isEmpty?.(i)) arrived.bytes = arrived.bytes.subarray(0, 1);
    arrivals.push({ atUs: capturedUs + transit * 1000, unit: arrived });
  }
  arrivals.sort((a, b) => a.atUs - b.atUs);
  const endUs = START_US + captureUs(count);
  let speakerUs = START_US;
  while (speakerUs < endUs) {
    while (arrivals.length > 0 && arrivals[0]!.atUs <= speakerUs) {
      const arrival = arrivals.shift()!;
      playout.push(arrival.unit, arrival.atUs);
    }
    const block = playout.next(speakerUs);
    const samples = block?.length ?? 240;
    speakerUs += ((samples / 48_000) * 1e6) / (1 + (trace.speakerPpm ?? 0) / 1e6);
    if (block === undefined) continue;
    result.delays.push(playout.jitter.delayMs);
    result.targets.push(playout.jitter.targetMs);
  }
  result.concealedMs = playout.counters.concealed / 48;
  return result;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe("JitterBuffer", () => {
  it.each([0, 65_530, 0xffff_fff0])(
    "plays a clean network in order with nothing concealed, from id %i",
    (firstId) => {
      const { played, concealedMs, delays, playout } = replay({ count: 500, transitMs: () => 30, firstId });
      expect(concealedMs).toBe(0);
      expect(playout.underruns).toBe(0);
      expect(played.length).toBeGreaterThan(490);
      played.forEach((id, i) => {
        expect(id).toBe((played[0]! + i) & 0xffff);
      });
      expect(Math.max(...delays.slice(200))).toBeLessThan(25);
    },
  );

  it("plays units in order that came out of order", () => {
    const { played, concealedMs } = replay({ count: 300, transitMs: (i) => (i % 10 === 5 ? 55 : 30) });
    expect(played).toEqual([...played].sort((a, b) => a - b));
    // It learns to wait; only the first few are missed.
    expect(concealedMs).toBeLessThan(100);
  });

  it("conceals each lost unit once and goes on with the next", () => {
    const transitMs = (i: number): number | undefined => (i > 100 && i % 20 === 0 ? undefined : 30);
    const { played, concealedMs } = replay({ count: 500, transitMs });
    expect(concealedMs).toBe(19 * 20);
    expect(played.length).toBeGreaterThan(470);
  });

  it("waits longer on a jittery network, and loses little to lateness", () => {
    const random = seededRandom(7);
    const { concealedMs, delays } = replay({ count: 1_000, transitMs: () => 40 + random() * 60 });
    expect(concealedMs).toBeLessThan(400);
    expect(mean(delays.slice(600))).toBeGreaterThan(40);
    expect(mean(delays.slice(600))).toBeLessThan(85);
  });

  it("comes back down after the network calmed, no faster than sound can be stretched", () => {
    const random = seededRandom(3);
    const { delays, targets } = replay({
      count: 1_500,
      transitMs: (i) => 30 + (i < 300 ? random() * 100 : 0),
    });
    expect(Math.max(...delays.slice(400, 600))).toBeGreaterThan(70);
    expect(Math.max(...delays.slice(-400))).toBeLessThan(30);
    // 50 units are a second.
    for (let i = 100; i < targets.length; i++) expect(targets[i]!).toBeGreaterThan(targets[i - 50]! - 85);
  });

  it("accounts for how long units wait, from the arrival of each", () => {
    const { playout, delays } = replay({ count: 1_000, transitMs: (i) => (i % 2 === 0 ? 30 : 48) });
    const { waitedMs, emittedUnits } = playout.jitter;
    expect(emittedUnits).toBeGreaterThan(990);
    // Every second one has been on its way for 18 ms of what it is held back.
    expect(Math.abs(waitedMs / emittedUnits + 9 - mean(delays))).toBeLessThan(3);
  });

  it("waits for what repair brings back while the loss lasts, and not after", () => {
    // Every 40th unit is late by 50 ms: far too few for the quantile of all units.
    const brought = (i: number): boolean => i > 100 && i < 1_000 && i % 40 === 0;
    const transitMs = (i: number): number => (brought(i) ? 80 : 30);
    const { concealedMs, targets, playout } = replay({ count: 2_500, transitMs });
    expect(targets[1_900]).toBeGreaterThan(50);
    // Only the first two, from which it learned, and what joining them cost.
    expect(concealedMs).toBeLessThanOrEqual(60);
    expect(playout.jitter.targetMs).toBeLessThan(15);
  });

  it("counts copies from before its time as no loss", () => {
    const { targets } = replay({
      count: 200,
      transitMs: (i) => (i < 3 ? 30 + (3 - i) * 20 : 30),
      recovered: (i) => i < 3,
    });
    expect(Math.max(...targets)).toBeLessThanOrEqual(50);
    expect(targets.at(-1)).toBeLessThan(50);
  });

  it("plays on after a pause of the network, without the delay that it brought", () => {
    const { played, delays } = replay({
      count: 1_000,
      transitMs: (i) => (i >= 300 && i < 350 ? (350 - i) * 20 + 30 : 30),
    });
    expect(played.at(-1)).toBeGreaterThan(990);
    expect(delays.at(-1)).toBeLessThan(40);
  });

  it.each([true, false])(
    "starts after an outage with what is new, not with what waited: repaired: %s",
    (recovered) => {
      const { played, delays, playout } = replay({
        count: 400,
        // 700 ms in which nothing came; the last 250 ms of it come at once, the oldest first.
        transitMs: (i) => {
          if (i < 200 || i >= 235) return 30;
          return i < 223 ? undefined : (235 - i) * 20 + 30 + (i - 223);
        },
        recovered: (i) => recovered && i >= 223 && i < 235,
      });
      expect(played.filter((id) => id >= 200 && id < 233)).toEqual([]);
      expect(played.at(-1)).toBeGreaterThan(390);
      expect(Math.max(...delays.slice(-300))).toBeLessThan(60);
      expect(playout.jitter.targetMs).toBeLessThan(40);
    },
  );

  it.each([
    [true, 0],
    [false, 10 * 210],
  ])(
    "takes a gap in capture time for silence on purpose; announced by an empty frame: %s",
    (announced, mostMs) => {
      // Ten frames of silence that were never sent, again and again.
      const captureUs = (i: number): number => (i + Math.floor(i / 50) * 10) * FRAME_US;
      const isEmpty = (i: number): boolean => announced && i % 50 === 49;
      const { playout, concealedMs } = replay({ count: 500, transitMs: () => 30, captureUs, isEmpty });
      expect(concealedMs).toBeLessThanOrEqual(mostMs);
      expect(playout.counters.played / 48).toBeGreaterThan(500 * 20);
      expect(playout.jitter.delayMs).toBeLessThan(40);
    },
  );

  it.each([-300, 300])(
    "keeps its delay when the speaker runs %i ppm fast, by changes of 0.5 % at most",
    (ppm) => {
      const { playout, delays, concealedMs } = replay({
        count: 12_000,
        transitMs: () => 30,
        speakerPpm: ppm,
      });
      const { stretchedIn, stretchedOut, forDrift } = playout.counters;
      expect(concealedMs).toBeLessThanOrEqual(20);
      // The speaker ran away by this much in 240 s.
      const driftedMs = Math.abs(ppm) * 0.24;
      expect((ppm > 0 ? stretchedIn : stretchedOut) / 48).toBeGreaterThan(driftedMs - 25);
      // Where the limits did not do it already.
      if (ppm > 0) expect(forDrift / 48).toBeGreaterThan(driftedMs / 3);
      expect(Math.max(...delays.slice(2_000)) - Math.min(...delays.slice(2_000))).toBeLessThan(20);
      expect(Math.abs(playout.jitter.pace.driftPpm + ppm)).toBeLessThan(30);
    },
  );

  it("keeps to the bounds that the application sets, at once upwards", () => {
    const buffer = new JitterBuffer(BOUNDS);
    const push = (i: number): void => buffer.push(unit(i, START_US + i * FRAME_US), START_US + i * FRAME_US);
    for (let i = 0; i < 50; i++) push(i);
    expect(buffer.targetMs).toBeLessThan(20);
    buffer.setBounds(150_000, 1_000_000);
    push(50);
    expect(buffer.targetMs).toBe(150);
    buffer.setBounds(0, 60_000);
    push(51);
    expect(buffer.targetMs).toBe(60);
  });

  it("is silent, not lossy, while the publisher is muted", () => {
    const buffer = new JitterBuffer(BOUNDS);
    for (let i = 0; i < 5; i++) buffer.push(unit(i, START_US + i * FRAME_US), START_US + i * FRAME_US);
    const nowUs = START_US + 25_000;
    expect(buffer.pull(nowUs).kind).toBe("unit");
    buffer.setPaused(true);
    const kinds = new Set<string>();
    for (let i = 1; i <= 20; i++) kinds.add(buffer.pull(nowUs + i * FRAME_US).kind);
    expect(kinds).toEqual(new Set(["unit", "silence"]));
  });

  it("holds a bounded number of units and counts what it drops", () => {
    const buffer = new JitterBuffer(BOUNDS);
    for (let i = 0; i < 3 * MAX_HELD_UNITS; i++) buffer.push(unit(i, START_US + i * FRAME_US), START_US);
    expect(buffer.heldUnits).toBe(MAX_HELD_UNITS);
    expect(buffer.dropped.overflow).toBe(2 * MAX_HELD_UNITS);
    buffer.push(unit(3 * MAX_HELD_UNITS - 1, START_US), START_US);
    expect(buffer.dropped.duplicate).toBe(1);
  });

  it("starts over when the numbering does", () => {
    const buffer = new JitterBuffer(BOUNDS);
    for (let i = 0; i < 5; i++)
      buffer.push(unit(50_000 + i, START_US + i * FRAME_US), START_US + i * FRAME_US);
    expect(buffer.pull(START_US + 100_000).kind).toBe("unit");
    buffer.push(unit(3, START_US + 200_000), START_US + 200_000);
    expect(buffer.pull(START_US + 260_000)).toMatchObject({ kind: "unit", unit: { frameId: 3 } });
  });
});
