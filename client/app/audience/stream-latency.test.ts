import { expect, test } from "vitest";
import { ClockOffset, ShownLatency } from "./stream-latency.ts";

const header = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toUTCString();
const NOON = Date.UTC(2026, 5, 1, 12);

test("the clock's offset is found from headers of whole seconds", () => {
  for (const aheadMs of [-42_000, 0, 3_500]) {
    const clock = new ClockOffset();
    for (let i = 0; i < 60; i++) {
      const serverMs = NOON + i * 217;
      clock.look(header(serverMs), null, serverMs + aheadMs + 40);
    }
    // 40 ms on the way, and at most one step of 217 ms past a full second.
    expect(clock.offsetMs - aheadMs).toBeGreaterThanOrEqual(40);
    expect(clock.offsetMs - aheadMs).toBeLessThan(100);
  }
});

test("a clock that is set while the page is open is noticed", () => {
  const clock = new ClockOffset();
  const see = (looks: number, aheadMs: number) => {
    for (let i = 0; i < looks; i++) clock.look(header(NOON + i * 211), null, NOON + i * 211 + aheadMs);
  };
  see(100, -5_000);
  see(480, 60_000);
  expect(clock.offsetMs).toBeGreaterThanOrEqual(60_000);
});

test("cached and broken headers say nothing", () => {
  const clock = new ClockOffset();
  clock.look(header(NOON), "12", NOON + 90_000);
  clock.look("yesterday", null, NOON);
  clock.look(null, null, NOON);
  clock.look(new Date(0).toUTCString(), null, NOON);
  expect(clock.offsetMs).toBe(0);
  clock.look(header(NOON), "0", NOON + 7_000);
  expect(clock.offsetMs).toBe(7_000);
});

test("what is shown is the median of the last five, never below zero", () => {
  const clock = new ClockOffset();
  const shown = new ShownLatency();
  expect(shown.latencyMs).toBeNull();
  for (const latency of [9_000, 2_000, 2_100, 2_050, 30_000, 2_020]) shown.look(NOON, NOON + latency, clock);
  expect(shown.latencyMs).toBe(2_050);
  shown.clear();
  shown.look(NOON, NOON - 500, clock);
  shown.look(Number.NaN, NOON, clock);
  expect(shown.latencyMs).toBe(0);
});
