import { describe, expect, it } from "vitest";
import { MAX_EVENT_AGE_MS, MAX_EVENT_POSTS, MAX_QUEUED_EVENTS } from "../../core/wire/limits.ts";
import { type EventDelivery, type RoomEvent, roomEventSchema } from "../../core/wire/room-events.ts";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import { EventOutbox } from "./event-outbox.ts";
import { eventOf, type Happening } from "./happening.ts";

const ann = { identity: "ann", name: "Ann", admin: false };
const happening = (room: string, n: number): Happening => ({
  type: "participant-joined",
  room,
  atUs: 1_800_000_000_000_000 + n,
  participant: ann,
  about: ["ann", n],
});

/** Hashing ends in real time. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

function outboxTo(deliver: (event: RoomEvent) => EventDelivery | Promise<EventDelivery>) {
  const clock = new VirtualClock();
  const outbox = new EventOutbox({ clock, random: () => 0.5, deliver: async (event) => deliver(event) });
  /** Lets time pass in steps until something is so. */
  const until = async (condition: () => boolean, stepMs = 0): Promise<void> => {
    while (!condition()) {
      await settled();
      await clock.advance(stepMs);
    }
  };
  return { clock, outbox, until };
}

describe("events on their way", () => {
  it("come in order in each room; what fails is tried again after growing pauses, and other rooms go on", async () => {
    const seen: string[] = [];
    let isDown = true;
    const { clock, outbox, until } = outboxTo(({ room, at }) => {
      seen.push(`${room}${Date.parse(at) % 1000}`);
      return room === "a" && isDown ? "again" : "delivered";
    });
    for (const n of [1, 2, 3]) for (const room of ["a", "b"]) outbox.push(happening(room, n * 1000));
    await until(() => outbox.size === 3);
    expect(seen.filter((s) => s.startsWith("b"))).toEqual(["b1", "b2", "b3"]);
    const startedUs = clock.nowUs();
    await until(() => seen.filter((s) => s === "a1").length === 10, 500);
    // 0.375 + 0.75 + 1.5 + 3 + 6 + 12 s, then 22.5 s each.
    const tookSeconds = (clock.nowUs() - startedUs) / 1e6;
    expect(tookSeconds).toBeGreaterThan(80);
    expect(seen).not.toContain("a2");
    isDown = false;
    await until(() => outbox.size === 0, 500);
    expect(seen.slice(-3)).toEqual(["a1", "a2", "a3"]);
    expect(outbox.metrics()).toContain("tributary_events_delivered_total 6");
  });

  it("are dropped by a reason that is counted: not wanted, too old, too many", async () => {
    let answer: EventDelivery = "refused";
    const { clock, outbox, until } = outboxTo(() => answer);
    outbox.push(happening("a", 1));
    await until(() => outbox.size === 0);
    expect(outbox.dropped).toEqual({ "queue-full": 0, "too-old": 0, refused: 1 });
    answer = "again";
    for (let n = 0; n < MAX_QUEUED_EVENTS + 7; n++) outbox.push(happening("a", n));
    expect(outbox.dropped["queue-full"]).toBe(7);
    expect(outbox.size).toBe(MAX_QUEUED_EVENTS);
    const startedUs = clock.nowUs();
    await until(() => outbox.size === 0, 10_000);
    expect((clock.nowUs() - startedUs) / 1000).toBeGreaterThanOrEqual(MAX_EVENT_AGE_MS);
    expect(outbox.dropped["too-old"]).toBe(MAX_QUEUED_EVENTS);
    expect(outbox.metrics()).toContain('tributary_events_dropped_total{reason="queue-full"} 7');
  });

  it("are posted by a few rooms at a time", async () => {
    let running = 0;
    let most = 0;
    const { outbox, until } = outboxTo(async () => {
      most = Math.max(most, ++running);
      await settled();
      running--;
      return "delivered";
    });
    for (let n = 0; n < 40; n++) outbox.push(happening(`room${n}`, n));
    await until(() => outbox.size === 0);
    expect(most).toBe(MAX_EVENT_POSTS);
  });

  it("are waited for a little at the end", async () => {
    let taken = 0;
    const { clock, outbox, until } = outboxTo(async () => {
      taken++;
      return "delivered";
    });
    outbox.push(happening("a", 1));
    const ended = outbox.end();
    await until(() => taken === 1);
    await clock.until(ended);
    const stuck = outboxTo(() => new Promise(() => undefined));
    stuck.outbox.push(happening("a", 1));
    await stuck.clock.until(stuck.outbox.end());
    expect(stuck.outbox.size).toBe(1);
  });

  it("have ids by what they are about, and fit the schema", async () => {
    const track = {
      trackId: 7,
      offer: {
        kind: "audio" as const,
        source: "microphone" as const,
        codec: "opus",
        sampleRateHz: 48_000,
        channels: 1,
        frameDurationUs: 20_000,
        muted: false,
        encrypted: false,
      },
    };
    const one = await eventOf(happening("a", 1));
    expect(one).toEqual({ ...one, type: "participant-joined", room: "a", participant: ann });
    const again = await eventOf({ ...happening("a", 1), atUs: 0 });
    expect(again.id).toBe(one.id);
    const others = [
      { ...happening("a", 1), type: "participant-left" as const },
      happening("b", 1),
      happening("a", 2),
      { ...happening("a", 1), type: "track-published" as const, track },
    ];
    const events = await Promise.all(others.map(eventOf));
    expect(new Set([one.id, ...events.map(({ id }) => id)]).size).toBe(5);
    for (const event of [one, ...events]) expect(roomEventSchema.parse(event)).toEqual(event);
    expect(events[3]).toMatchObject({ track: { trackId: 7, kind: "audio", source: "microphone" } });
  });
});
