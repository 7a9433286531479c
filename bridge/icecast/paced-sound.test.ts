import { beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import { BLOCK_SAMPLES, BLOCK_US, SAMPLE_RATE_HZ } from "../programme/programme.ts";
import { FIRST_CUSHION_BLOCKS, MAX_WAITING_BLOCKS } from "./limits.ts";
import { PacedSound } from "./paced-sound.ts";

let clock: VirtualClock;
let times: number[];
let values: number[];
let paused: boolean;
let pace: PacedSound;
/** Samples pushed so far: each is its own number, so that what comes out tells what is missing. */
let pushed: number;

beforeEach(() => {
  clock = new VirtualClock();
  times = [];
  values = [];
  paused = false;
  pushed = 0;
  pace = new PacedSound({
    clock,
    onBlock({ timeUs, left }) {
      times.push(timeUs);
      values.push(left[0]!, left.at(-1)!);
      expect(timeUs).toBeLessThanOrEqual(clock.nowUs());
    },
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
    },
  });
});

function push(samples: number): void {
  const sound = Float32Array.from({ length: samples }, (_, i) => pushed + i);
  pushed += samples;
  pace.push(sound, sound);
}

const steps = (): number[] => times.slice(1).map((time, i) => time - times[i]!);

describe("PacedSound", () => {
  it("gives what comes in lumps as blocks at their time, all of it", async () => {
    for (let ms = 0; ms < 10_000; ms += 100) {
      push(4_800);
      await clock.advance(100);
    }
    expect(times.length).toBeGreaterThan(480);
    expect(steps().every((step) => step === BLOCK_US)).toBe(true);
    expect(values).toEqual(times.flatMap((_, i) => [i * BLOCK_SAMPLES, (i + 1) * BLOCK_SAMPLES - 1]));
    expect([pace.gaps, pace.skippedBlocks]).toEqual([0, 0]);
  });

  it("makes a sender wait that is faster than its sound, and loses nothing", async () => {
    let most = 0;
    for (let ms = 0; ms < 20_000; ms += 10) {
      if (!paused) push(7_000);
      most = Math.max(most, pace.waitingMs);
      await clock.advance(10);
    }
    expect(most).toBeLessThanOrEqual((MAX_WAITING_BLOCKS + 8) * 20);
    expect(steps().every((step) => step === BLOCK_US)).toBe(true);
    expect([pace.gaps, pace.skippedBlocks]).toEqual([0, 0]);
    const over = pace.finish();
    await clock.advance(6_000);
    await over;
    expect(times.length).toBe(Math.ceil(pushed / BLOCK_SAMPLES));
  });

  it("begins anew with more in hand after a sender ran dry", async () => {
    push(FIRST_CUSHION_BLOCKS * BLOCK_SAMPLES);
    await clock.advance(1_000);
    expect([times.length, pace.gaps]).toEqual([FIRST_CUSHION_BLOCKS, 1]);
    push((2 * FIRST_CUSHION_BLOCKS - 1) * BLOCK_SAMPLES);
    await clock.advance(1_000);
    expect(times.length).toBe(FIRST_CUSHION_BLOCKS);
    push(BLOCK_SAMPLES);
    expect(times.length).toBe(FIRST_CUSHION_BLOCKS + 1);
    expect(steps().filter((step) => step !== BLOCK_US)).toEqual([1_800_000 + BLOCK_US]);
  });

  it("needs no gap a second time for a page a second", async () => {
    for (let seconds = 0; seconds < 60; seconds++) {
      push(SAMPLE_RATE_HZ);
      await clock.advance(1_000);
    }
    expect(pace.gaps).toBeLessThanOrEqual(3);
  });

  it("wears a cushion down that is never needed, and a fast clock of the sender", async () => {
    push(2 * SAMPLE_RATE_HZ);
    // 1.6 % fast: crystals are a hundred times better, and would take hours to show it.
    for (let ms = 0; ms < 200_000; ms += 20) {
      push(975);
      await clock.advance(20);
    }
    expect(pace.waitingMs).toBeLessThan(1_500);
    expect(pace.skippedBlocks).toBeGreaterThan(100);
    expect([pace.gaps, paused]).toEqual([0, false]);
    expect(steps().every((step) => step === BLOCK_US)).toBe(true);
  });

  it("plays what is left when the sender is done, and nothing after it was closed", async () => {
    push(1_000);
    const over = pace.finish();
    await clock.advance(100);
    await over;
    expect(times.length).toBe(2);
    expect(values.slice(2)).toEqual([960, 0]);
    push(48_000);
    await clock.advance(100);
    expect(times.length).toBe(2);
    await pace.finish();
  });

  it("finishes at once with nothing in it", async () => {
    await pace.finish();
    expect(times).toEqual([]);
  });
});
