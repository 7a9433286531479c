import { expect, it } from "vitest";
import { VirtualClock } from "../../../test/sim/virtual-clock.ts";
import type { Clock } from "../../clock.ts";
import { SilenceWatch } from "./silence-watch.ts";

const AS_USUAL_MS = 200;

class Road {
  readonly clock = new VirtualClock();
  heardUs = 0;
  isOverTcp = false;
  alarms = 0;
  checks = 0;
  readonly watch: SilenceWatch;

  constructor(clock?: Clock) {
    this.watch = new SilenceWatch(
      clock ?? this.clock,
      () => this.heardUs,
      () => this.isOverTcp,
      () => {
        this.checks++;
        if (this.watch.isSilent) this.alarms++;
      },
    );
  }

  /** The relay speaks every `everyMs`. */
  async pass(durationMs: number, everyMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += everyMs) {
      await this.clock.advance(everyMs);
      this.heardUs = this.clock.nowUs();
    }
  }
}

it("silence is noticed within half a second, and a relay that speaks now and then is not silent", async () => {
  const road = new Road();
  await road.pass(60_000, AS_USUAL_MS);
  expect(road.alarms).toBe(0);
  await road.clock.advance(600);
  expect(road.alarms).toBeGreaterThan(0);
  road.watch.stop();
  expect(road.clock.waiting).toBe(0);
});

it("a relay that was never heard, or is another one now, has its time as well", async () => {
  const road = new Road();
  await road.clock.advance(400);
  expect(road.watch.isSilent).toBe(false);
  await road.clock.advance(400);
  expect(road.watch.isSilent).toBe(true);
  road.watch.restart();
  expect(road.watch.isSilent).toBe(false);
});

it("after a sign of change silence counts sooner, for a while", async () => {
  const road = new Road();
  await road.pass(1_000, AS_USUAL_MS);
  await road.clock.advance(350);
  expect(road.watch.isSilent).toBe(false);
  road.watch.suspect();
  expect(road.watch.isSilent).toBe(true);
  await road.pass(2_000, AS_USUAL_MS);
  expect(road.watch.isSilent).toBe(false);
  await road.pass(2_000, AS_USUAL_MS);
  await road.clock.advance(350);
  expect(road.watch.isSilent).toBe(false);
});

it("after false alarms a longer silence is borne, for some time", async () => {
  const road = new Road();
  await road.pass(1_000, AS_USUAL_MS);
  await road.clock.advance(500);
  expect(road.watch.isSilent).toBe(true);
  road.watch.noteFalseAlarm();
  expect(road.watch.isSilent).toBe(false);
  for (let i = 0; i < 10; i++) road.watch.noteFalseAlarm();
  await road.clock.advance(1_100);
  expect(road.watch.isSilent).toBe(true);
  await road.pass(120_000, AS_USUAL_MS);
  await road.clock.advance(500);
  expect(road.watch.isSilent).toBe(true);
});

it("when this thread was busy, one check is left out, and no more than one", async () => {
  // Timers come late, as on a thread that is busy or slowed down.
  let lateMs = 0;
  const inner = new VirtualClock();
  const clock: Clock = {
    nowUs: () => inner.nowUs(),
    after: (delayMs, task) => inner.after(delayMs + lateMs, task),
  };
  const road = new Road(clock);
  await inner.advance(1_000);
  const before = road.checks;
  lateMs = 900;
  await inner.advance(4_000);
  expect(road.checks - before).toBeLessThan(4);
  expect(road.checks - before).toBeGreaterThan(1);
});

it("over TCP a lost segment that is lost again is waited for", async () => {
  const road = new Road();
  road.isOverTcp = true;
  await road.pass(2_000, AS_USUAL_MS);
  await road.clock.advance(1_000);
  expect(road.alarms).toBe(0);
  await road.clock.advance(400);
  expect(road.alarms).toBeGreaterThan(0);
});
