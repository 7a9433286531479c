/** What an application is told of rooms: real relays, their trees and fail-overs on a virtual clock. */
import { describe, expect, it } from "vitest";
import type { RoomEvent } from "../../core/wire/room-events.ts";
import { EventOutbox } from "../../relay/events/event-outbox.ts";
import { RoomEvents } from "../../relay/events/room-events.ts";
import { CAMERA, MICROPHONE, SimulatedCluster } from "./simulated-cluster.ts";

type Told = RoomEvent & { by: string };

/** Relays of one room that tell one application. */
async function tellingCluster(...ids: string[]) {
  const sim = new SimulatedCluster(7);
  const { clock, random } = sim;
  const told: Told[] = [];
  const watchers = new Map<string, RoomEvents>();
  for (const id of ids) {
    const relay = await sim.addRelay(id, id);
    const deliver = async (event: RoomEvent): Promise<"delivered"> => {
      told.push({ ...event, by: id });
      return "delivered";
    };
    watchers.set(id, new RoomEvents(relay.rooms, clock, new EventOutbox({ clock, random, deliver })));
  }
  /** Lets time pass until the application has been told; ids are hashed in real time. */
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    while ([...watchers.values()].some(({ outbox }) => outbox.size > 0))
      await new Promise((resolve) => setTimeout(resolve, 2));
  };
  /** What the application has after it has dropped what it knows, in short; then forgets it. */
  const known = new Set<string>();
  const news = (): string[] => {
    const fresh = told.splice(0).filter(({ id }) => !known.has(id) && known.add(id));
    return fresh.map((event) => {
      const who = "participant" in event ? ` ${event.participant.identity}` : "";
      return `${event.type}${who}${"track" in event ? ` ${event.track.source}` : ""}`;
    });
  };
  /** The relay is gone at once; nobody hears goodbye. */
  const kill = (id: string): void => {
    void watchers.get(id)?.end();
    sim.kill(id);
  };
  return { sim, clock, told, pass, news, kill, watchers };
}

describe("events of a room on one relay", () => {
  it("tell it from its beginning to its end, each thing once", async () => {
    const { sim, clock, told, pass, news } = await tellingCluster("relay1");
    const ada = await sim.joined({ identity: "ada" });
    const joinedUs = clock.nowUs();
    await pass(200);
    expect(told.every(({ room }) => room === "room")).toBe(true);
    expect(Math.abs(Date.parse(told[1]!.at) * 1000 - joinedUs)).toBeLessThan(200_000);
    expect(news()).toEqual(["room-started", "participant-joined ada"]);
    const bob = await sim.joined({ identity: "bob" });
    await sim.joined({ identity: "spy", grants: { hidden: true } });
    await clock.advance(50);
    const camera = await clock.until(ada.participant.publish(CAMERA));
    await pass(2_000);
    expect(news()).toEqual(["participant-joined bob", "track-published ada camera"]);
    await clock.until(camera.unpublish());
    await clock.until(bob.participant.publish(MICROPHONE));
    await pass(2_000);
    expect(news().sort()).toEqual(["track-published bob microphone", "track-unpublished ada camera"]);
    await clock.until(bob.participant.leave());
    await pass(2_000);
    expect(news()).toEqual(["track-unpublished bob microphone", "participant-left bob"]);
    await clock.until(ada.participant.leave());
    await pass(2_000);
    expect(news()).toEqual(["participant-left ada", "room-ended"]);
    await sim.joined({ identity: "ada" });
    await pass(2_000);
    expect(news()).toEqual(["room-started", "participant-joined ada"]);
  });

  it("see who joins again from elsewhere as somebody else, and who goes on in another session not at all", async () => {
    const { sim, pass, news } = await tellingCluster("relay1");
    const ada = await sim.joined({ identity: "ada" });
    await sim.joined({ identity: "bob" });
    await pass(500);
    news();
    await sim.clock.until(sim.move(ada));
    await pass(6_000);
    expect(news()).toEqual([]);
    await sim.joined({ identity: "ada" });
    await pass(500);
    expect(news()).toEqual(["participant-left ada", "participant-joined ada"]);
  });
});

describe("events of a room on several relays", () => {
  it("are told by the root alone, wherever they happen", async () => {
    const { sim, clock, told, pass, news } = await tellingCluster("relay1", "relay2", "relay3");
    const ada = await sim.joined({ identity: "ada", relayId: "relay1" });
    const bob = await sim.joined({ identity: "bob", relayId: "relay2" });
    const cyd = await sim.joined({ identity: "cyd", relayId: "relay3" });
    await clock.advance(500);
    await clock.until(cyd.participant.publish(CAMERA));
    await pass(2_000);
    expect(new Set(told.map(({ by }) => by))).toEqual(new Set(["relay1"]));
    expect(news()).toEqual([
      "room-started",
      "participant-joined ada",
      "participant-joined bob",
      "participant-joined cyd",
      "track-published cyd camera",
    ]);
    await clock.until(sim.move(bob, { relayId: "relay3" }));
    await pass(6_000);
    expect(news()).toEqual([]);
    await clock.until(cyd.participant.leave());
    await clock.advance(100);
    await clock.until(ada.participant.leave());
    await clock.advance(100);
    await clock.until(bob.participant.leave());
    await pass(4_000);
    expect(news()).toEqual([
      "track-unpublished cyd camera",
      "participant-left cyd",
      "participant-left ada",
      "participant-left bob",
      "room-ended",
    ]);
  });

  it("go on after the root has died: nobody joins again, who was on it and does not come back has left", async () => {
    const { sim, clock, told, pass, news, kill } = await tellingCluster("relay1", "relay2", "relay3");
    const ada = await sim.joined({ identity: "ada", relayId: "relay1" });
    await sim.joined({ identity: "bob", relayId: "relay2" });
    await sim.joined({ identity: "cyd", relayId: "relay3" });
    await sim.joined({ identity: "dan", relayId: "relay1" });
    await clock.advance(500);
    await clock.until(ada.participant.publish(CAMERA));
    await pass(12_000);
    news();
    kill("relay1");
    await clock.until(sim.move(ada, { relayId: "relay3" }));
    await pass(15_000);
    expect(news()).toEqual(["participant-left dan"]);
    const after = await sim.joined({ identity: "eve", relayId: "relay2" });
    await pass(1_000);
    expect(new Set(told.map(({ by }) => by)).has("relay1")).toBe(false);
    expect(news()).toEqual(["participant-joined eve"]);
    await clock.until(after.participant.leave());
    await pass(1_000);
    expect(news()).toEqual(["participant-left eve"]);
  });
});

describe("events in doubt", () => {
  it("a participant who was taken for lost and was not has left and joined, under new ids, and leaves in the end", async () => {
    const { sim, told, pass, news } = await tellingCluster("relay1", "relay2");
    await sim.joined({ identity: "ada", relayId: "relay1" });
    const bob = await sim.joined({ identity: "bob", relayId: "relay2" });
    await pass(1_000);
    news();
    for (let round = 0; round < 2; round++) {
      sim.partition((from) => from !== "");
      await pass(10_000);
      sim.partition(() => false);
      await pass(15_000);
      const root = told.filter(({ by }) => by === told[0]?.by);
      expect(root.length).toBeGreaterThan(0);
      const last = new Map<string, string>();
      for (const event of told) if ("participant" in event) last.set(event.participant.identity, event.type);
      for (const type of last.values()) expect(type).toBe("participant-joined");
      const ids = told.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      news();
    }
    await sim.clock.until(bob.participant.leave());
    await pass(2_000);
    expect(news()).toEqual(["participant-left bob"]);
  });

  it("when all relays of a room are lost at once, those who go on elsewhere have not joined again", async () => {
    const { sim, clock, pass, news, kill } = await tellingCluster("relay1", "relay2");
    const ada = await sim.joined({ identity: "ada", relayId: "relay1" });
    const bob = await sim.joined({ identity: "bob", relayId: "relay1" });
    await clock.until(ada.participant.publish(CAMERA));
    await pass(1_000);
    news();
    kill("relay1");
    await clock.until(sim.move(ada, { relayId: "relay2" }));
    await clock.until(sim.move(bob, { relayId: "relay2" }));
    await pass(20_000);
    expect(news()).toEqual([]);
    await clock.until(bob.participant.leave());
    await pass(1_000);
    expect(news()).toEqual(["participant-left bob"]);
    await sim.joined({ identity: "bob", relayId: "relay2" });
    await pass(1_000);
    expect(news()).toEqual(["participant-joined bob"]);
  });

  it("a new root tells what happened just before again, with the same ids", async () => {
    const { sim, told, pass, news, kill } = await tellingCluster("relay1", "relay2");
    await sim.joined({ identity: "ada", relayId: "relay1" });
    await sim.joined({ identity: "bob", relayId: "relay2" });
    await pass(300);
    const before = told.map(({ id, type }) => ({ id, type }));
    kill("relay1");
    told.splice(0);
    await pass(3_000);
    const again = told.filter(({ by, type }) => by === "relay2" && type === "participant-joined");
    expect(again.length).toBeGreaterThan(0);
    for (const { id } of again) expect(before.map((event) => event.id)).toContain(id);
    expect(news().length).toBeGreaterThan(0);
  });
});
