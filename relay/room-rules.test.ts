import { describe, expect, it } from "vitest";
import type { ParticipantEvent } from "../core/participant/events.ts";
import {
  KEYFRAME_REQUEST_INTERVAL_MS,
  MAX_DATA_BURST_BYTES,
  MAX_TRACKS_PER_PARTICIPANT,
} from "../core/wire/limits.ts";
import {
  CAMERA,
  MICROPHONE,
  SimulatedCluster,
  type SimulatedMember,
  unitOf,
} from "../test/sim/simulated-cluster.ts";
import type { Relay } from "./relay.ts";

type EventOf<Type> = Extract<ParticipantEvent, { type: Type }>;

const of = <Type extends ParticipantEvent["type"]>(member: SimulatedMember, type: Type): EventOf<Type>[] =>
  member.events.filter((event): event is EventOf<Type> => event.type === type);

async function cluster(): Promise<SimulatedCluster & { relay: Relay }> {
  const sim = new SimulatedCluster(7);
  return Object.assign(sim, { relay: await sim.addRelay("relay1") });
}

describe("grants", () => {
  it.each([
    {
      what: "a camera with a microphone-only token",
      grants: { publish: ["microphone"] as const },
      offer: CAMERA,
    },
    { what: "anything when hidden", grants: { hidden: true }, offer: MICROPHONE },
  ])("do not let one publish $what", async ({ grants, offer }) => {
    const sim = await cluster();
    const eve = await sim.joined({ identity: "eve", grants: { ...grants, publish: ["microphone"] } });
    await expect(sim.clock.until(eve.participant.publish(offer))).rejects.toMatchObject({
      code: "forbidden",
    });
    expect(sim.relay.metrics()).toContain("tributary_tracks 0\n");
  });

  it("are asked for subscribing, data, removing and muting others", async () => {
    const sim = await cluster();
    const ada = await sim.joined({ identity: "ada" });
    const eve = await sim.joined({ identity: "eve", grants: { subscribe: false, data: false } });
    const track = await sim.clock.until(ada.participant.publish(MICROPHONE));
    const tries = [
      () => eve.participant.subscribe(track.trackId),
      () => eve.participant.sendData("chat", new Uint8Array(1)),
      () => eve.participant.remove("ada"),
      () => eve.participant.mute(track.trackId, true),
    ];
    for (const attempt of tries) {
      await expect(sim.clock.until(attempt())).rejects.toMatchObject({ code: "forbidden" });
    }
  });
});

describe("limits and unknown things", () => {
  it("refuses more tracks than the maximum, until one is unpublished", async () => {
    const sim = await cluster();
    const ada = await sim.joined({ identity: "ada" });
    const tracks = [];
    for (let i = 0; i < MAX_TRACKS_PER_PARTICIPANT; i++) {
      tracks.push(await sim.clock.until(ada.participant.publish(MICROPHONE)));
    }
    const tooMany = ada.participant.publish(MICROPHONE);
    await expect(sim.clock.until(tooMany)).rejects.toMatchObject({ code: "too-many-tracks" });
    await sim.clock.until(tracks[0]!.unpublish());
    await sim.clock.until(ada.participant.publish(MICROPHONE));
    expect(new Set(tracks.map((track) => track.trackId)).size).toBe(MAX_TRACKS_PER_PARTICIPANT);
  });

  it("answers for tracks and people that are not there", async () => {
    const sim = await cluster();
    const ada = await sim.joined({ identity: "ada", grants: { admin: true } });
    const track = await sim.clock.until(ada.participant.publish(CAMERA));
    const bob = await sim.joined({ identity: "bob" });
    const notFound = [
      () => bob.participant.subscribe(4711),
      () => bob.participant.unsubscribe(track.trackId),
      () => bob.participant.mute(4711, true),
      () => ada.participant.remove("nobody"),
    ];
    for (const attempt of notFound) {
      await expect(sim.clock.until(attempt())).rejects.toMatchObject({ code: "not-found" });
    }
    const invalid = [
      () => ada.participant.subscribe(track.trackId),
      () => bob.participant.subscribe(track.trackId, { rendition: 2 }),
      () => ada.participant.remove("ada"),
    ];
    for (const attempt of invalid) {
      await expect(sim.clock.until(attempt())).rejects.toMatchObject({ code: "invalid" });
    }
  });

  it("bounds how much data one participant sends to the room", async () => {
    const sim = await cluster();
    const ada = await sim.joined({ identity: "ada" });
    const bob = await sim.joined({ identity: "bob" });
    const payload = new Uint8Array(30 * 1024);
    const fits = Math.floor(MAX_DATA_BURST_BYTES / (payload.length + 64));
    for (let i = 0; i < fits; i++) await sim.clock.until(ada.participant.sendData("chat", payload));
    const tooMuch = ada.participant.sendData("chat", payload);
    await expect(sim.clock.until(tooMuch)).rejects.toMatchObject({ code: "unavailable" });
    await sim.clock.advance(1_000);
    await sim.clock.until(ada.participant.sendData("chat", payload));
    expect(of(bob, "data")).toHaveLength(fits + 1);
  });
});

describe("data messages", () => {
  it("reach everybody else, or those who are named", async () => {
    const sim = await cluster();
    const [ada, bob, eve] = [
      await sim.joined({ identity: "ada" }),
      await sim.joined({ identity: "bob" }),
      await sim.joined({ identity: "eve" }),
    ];
    await sim.clock.until(ada.participant.sendData("chat", Uint8Array.of(1)));
    await sim.clock.until(ada.participant.sendData("chat", Uint8Array.of(2), ["eve", "nobody", "eve"]));
    await sim.clock.advance(10);
    expect(of(ada, "data")).toEqual([]);
    expect(of(bob, "data").map((e) => [e.from, ...e.payload])).toEqual([["ada", 1]]);
    expect(of(eve, "data").map((e) => [e.from, ...e.payload])).toEqual([
      ["ada", 1],
      ["ada", 2],
    ]);
  });
});

describe("muting", () => {
  it("stops a track at the relay, by its owner or an admin; only the owner unmutes", async () => {
    const sim = await cluster();
    const { clock } = sim;
    const ada = await sim.joined({ identity: "ada" });
    const bob = await sim.joined({ identity: "bob", grants: { admin: true } });
    const track = await clock.until(ada.participant.publish(MICROPHONE));
    await clock.until(bob.participant.subscribe(track.trackId));
    const say = async (frameId: number): Promise<void> => {
      track.send(unitOf(frameId, clock.nowUs(), { size: 80 }));
      await clock.advance(20);
    };
    await say(0);
    await clock.until(bob.participant.mute(track.trackId, true));
    await say(1);
    await expect(clock.until(bob.participant.mute(track.trackId, false))).rejects.toMatchObject({
      code: "forbidden",
    });
    await clock.until(track.setMuted(false));
    await say(2);
    expect(bob.units.map(({ unit }) => unit.frameId)).toEqual([0, 2]);
    expect(sim.relay.forwarder.counters.dropped.muted).toBe(1);
    expect(of(ada, "track-muted").map((e) => [e.muted, e.by])).toEqual([
      [true, "bob"],
      [false, "ada"],
    ]);
    const eve = await sim.joined({ identity: "eve" });
    expect(eve.participant.participants.get("ada")?.tracks[0]?.offer.muted).toBe(false);
  });
});

describe("removal and takeover", () => {
  it("closes a removed participant's session, and its token does not come back", async () => {
    const sim = await cluster();
    const ada = await sim.joined({ identity: "ada", grants: { admin: true } });
    const eve = await sim.joined({ identity: "eve" });
    await sim.clock.until(ada.participant.remove("eve"));
    await sim.clock.advance(20);
    expect(eve.events.at(-1)).toMatchObject({ type: "closed", reason: "removed", final: true });
    expect(of(ada, "participant-left")).toMatchObject([{ identity: "eve", reason: "removed" }]);
    await expect(sim.joined({ identity: "eve" })).rejects.toMatchObject({ reason: "removed" });
    expect(await sim.directory.isBanned("room", "token-of-eve")).toBe(true);
    // Another token of the same person is the application's to give or not.
    await sim.joined({ identity: "eve", token: "another" });
    await sim.joined({ identity: "eve", room: "elsewhere" });
  });

  it("knows bans that the directory heard of elsewhere", async () => {
    const sim = await cluster();
    const untilSeconds = sim.clock.nowUs() / 1e6 + 60;
    await sim.directory.ban({ room: "room", token: "token-of-eve", untilSeconds });
    await expect(sim.joined({ identity: "eve" })).rejects.toMatchObject({ reason: "removed" });
    await sim.clock.advance(61_000);
    await sim.joined({ identity: "eve" });
  });

  it("closes the older session of an identity; others see it leave, then join", async () => {
    const sim = await cluster();
    const ada = await sim.joined({ identity: "ada" });
    const older = await sim.joined({ identity: "bob" });
    const track = await sim.clock.until(older.participant.publish(MICROPHONE));
    await sim.clock.until(ada.participant.subscribe(track.trackId));
    const newer = await sim.joined({ identity: "bob" });
    await sim.clock.advance(50);
    expect(older.events.at(-1)).toMatchObject({ type: "closed", reason: "identity-taken-over", final: true });
    expect(ada.events.slice(-2)).toMatchObject([
      { type: "participant-left", identity: "bob", reason: "identity-taken-over" },
      { type: "participant-joined", participant: { identity: "bob", tracks: [] } },
    ]);
    expect([...newer.participant.participants.keys()]).toEqual(["ada"]);
    expect(sim.relay.metrics()).toContain("tributary_subscriptions 0\n");
    expect(sim.relay.metrics()).toContain("tributary_participants 2\n");
  });
});

describe("hidden participants", () => {
  it("see and are not seen", async () => {
    const sim = await cluster();
    const ada = await sim.joined({ identity: "ada" });
    const ghost = await sim.joined({ identity: "ghost", grants: { hidden: true } });
    const bob = await sim.joined({ identity: "bob" });
    await sim.clock.until(ghost.participant.leave());
    await sim.clock.advance(20);
    expect(ada.events.map((e) => e.type)).toEqual(["participant-joined"]);
    expect([...bob.participant.participants.keys()]).toEqual(["ada"]);
    expect(ghost.events.map((e) => e.type).slice(0, 1)).toEqual(["participant-joined"]);
  });
});

describe("keyframe requests", () => {
  it("of many become few, and none is lost", async () => {
    const sim = await cluster();
    const { clock } = sim;
    const ada = await sim.joined({ identity: "ada" });
    const track = await clock.until(ada.participant.publish(CAMERA));
    const others = [];
    for (let i = 0; i < 10; i++) {
      const other = await sim.joined({ identity: `viewer-${i}` });
      await clock.until(other.participant.subscribe(track.trackId));
      others.push(other);
    }
    await clock.advance(20);
    expect(of(ada, "keyframe-requested")).toHaveLength(1);
    await clock.advance(KEYFRAME_REQUEST_INTERVAL_MS);
    expect(of(ada, "keyframe-requested")).toHaveLength(2);
    for (const { participant } of others) participant.requestKeyframe(track.trackId, 1);
    await clock.advance(20);
    // Nobody receives rendition 1 so far, but each may be about to change to it.
    expect(of(ada, "keyframe-requested").map((e) => e.rendition)).toEqual([0, 0, 1]);
    await clock.advance(10 * KEYFRAME_REQUEST_INTERVAL_MS);
    const renditions = of(ada, "keyframe-requested").map((e) => e.rendition);
    expect(renditions).toEqual([0, 0, 1, 1]);
  });
});

describe("subscriptions", () => {
  it("choose a rendition and the highest temporal layer", async () => {
    const sim = await cluster();
    const { clock } = sim;
    const ada = await sim.joined({ identity: "ada" });
    const bob = await sim.joined({ identity: "bob" });
    const eve = await sim.joined({ identity: "eve" });
    const track = await clock.until(ada.participant.publish(CAMERA));
    await clock.until(bob.participant.subscribe(track.trackId, { maxTemporalLayer: 0 }));
    await clock.until(eve.participant.subscribe(track.trackId, { rendition: 1 }));
    const play = async (from: number, count: number): Promise<void> => {
      for (let frameId = from; frameId < from + count; frameId++) {
        for (const rendition of [0, 1]) {
          const keyframe = frameId % 10 === 0;
          const temporalLayer = frameId % 2;
          track.send(unitOf(frameId, clock.nowUs(), { rendition, keyframe, temporalLayer, size: 500 }));
        }
        await clock.advance(33);
      }
    };
    await play(0, 10);
    expect(bob.units.map(({ unit }) => [unit.frameId, unit.rendition])).toEqual(
      [0, 2, 4, 6, 8].map((frameId) => [frameId, 0]),
    );
    expect(eve.units.map(({ unit }) => unit.rendition)).toEqual(new Array(10).fill(1));
    await clock.until(eve.participant.subscribe(track.trackId, { rendition: 0 }));
    await play(10, 5);
    // The cached GOP of the other rendition first, so that the change shows a picture at once.
    const after = eve.units.slice(10).map(({ unit }) => [unit.frameId, unit.rendition]);
    expect(after).toEqual(Array.from({ length: 15 }, (_, i) => [i, 0]));
    await clock.until(eve.participant.unsubscribe(track.trackId));
    const before = eve.units.length;
    await play(15, 3);
    expect(eve.units).toHaveLength(before);
  });

  it("tell the publisher when nobody wants a track, and keep no old picture for later", async () => {
    const sim = await cluster();
    const { clock } = sim;
    const ada = await sim.joined({ identity: "ada" });
    const bob = await sim.joined({ identity: "bob" });
    const track = await clock.until(ada.participant.publish(CAMERA));
    await clock.until(bob.participant.subscribe(track.trackId));
    track.send(unitOf(0, clock.nowUs(), { keyframe: true }));
    await clock.advance(20);
    await clock.until(bob.participant.leave());
    await clock.advance(60_000);
    expect(of(ada, "track-wanted").map((e) => e.wanted)).toEqual([false, true, false]);
    const eve = await sim.joined({ identity: "eve" });
    await clock.until(eve.participant.subscribe(track.trackId));
    await clock.advance(50);
    expect(eve.units).toEqual([]);
    expect(of(ada, "keyframe-requested")).toHaveLength(2);
  });

  it("end with the track", async () => {
    const sim = await cluster();
    const ada = await sim.joined({ identity: "ada", network: { delayMs: 10 } });
    const bob = await sim.joined({ identity: "bob" });
    const track = await sim.clock.until(ada.participant.publish(MICROPHONE));
    await sim.clock.until(bob.participant.subscribe(track.trackId));
    const unpublished = track.unpublish();
    await sim.clock.advance(5);
    track.send(unitOf(0, 0, { size: 10 }));
    await sim.clock.until(unpublished);
    await sim.clock.advance(20);
    expect(of(bob, "track-unpublished")).toHaveLength(1);
    expect(sim.relay.forwarder.counters.dropped["unknown-track"]).toBe(1);
    expect(sim.relay.metrics()).toContain("tributary_subscriptions 0\n");
  });
});
