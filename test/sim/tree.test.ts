import { describe, expect, it } from "vitest";
import { CAMERA, MICROPHONE, SimulatedCluster, unitOf } from "./simulated-cluster.ts";

async function clusterOf(...relays: [string, string][]): Promise<SimulatedCluster> {
  const sim = new SimulatedCluster(1);
  for (const [id, region] of relays) await sim.addRelay(id, region);
  return sim;
}

describe("a room on several relays", () => {
  it("shows everybody to everybody, and carries a track to another relay once", async () => {
    const sim = await clusterOf(["relay1", "eu"], ["relay2", "us"]);
    const { clock } = sim;
    const ada = await sim.joined({ identity: "ada", relayId: "relay1" });
    const bob = await sim.joined({ identity: "bob", relayId: "relay2" });
    const cyd = await sim.joined({ identity: "cyd", relayId: "relay2" });
    await clock.advance(300);
    expect([...bob.participant.participants.keys()].sort()).toEqual(["ada", "cyd"]);
    expect([...ada.participant.participants.keys()].sort()).toEqual(["bob", "cyd"]);
    const track = await clock.until(ada.participant.publish(CAMERA));
    await clock.advance(100);
    expect(bob.participant.participants.get("ada")?.tracks).toHaveLength(1);
    await clock.until(bob.participant.subscribe(track.trackId));
    await clock.until(cyd.participant.subscribe(track.trackId));
    await clock.advance(200);
    for (let frameId = 0; frameId < 30; frameId++) {
      track.send(unitOf(frameId, clock.nowUs(), { keyframe: frameId === 0 }));
      await clock.advance(33);
    }
    await clock.advance(300);
    const ids = Array.from({ length: 30 }, (_, i) => i);
    expect(bob.units.map(({ unit }) => unit.frameId)).toEqual(ids);
    expect(cyd.units.map(({ unit }) => unit.frameId)).toEqual(ids);
    expect(sim.relays.get("relay1")!.rooms.get("room")!.links.size).toBe(1);
    await clock.until(bob.participant.sendData("chat", new TextEncoder().encode("hello")));
    await clock.advance(100);
    expect(ada.events.filter((e) => e.type === "data")).toHaveLength(1);
    await clock.until(ada.participant.leave());
    await clock.advance(300);
    expect(bob.events.at(-1)).toMatchObject({ type: "participant-left", identity: "ada" });
    await clock.until(bob.participant.leave());
    await clock.until(cyd.participant.leave());
    await clock.advance(3_000);
    for (const relay of sim.relays.values()) expect(relay.rooms.size).toBe(0);
    expect(await sim.directory.rooms()).toEqual([]);
    expect(sim.log).toEqual([]);
  });

  it("says what everybody can decode, wherever they are, the hidden too", async () => {
    const sim = await clusterOf(["relay1", "eu"], ["relay2", "us"]);
    const { clock } = sim;
    const ada = await sim.joined({ identity: "ada", relayId: "relay1", decodes: ["h264", "vp8", "av1"] });
    await clock.advance(500);
    expect(ada.participant.decodable).toEqual(["av1", "h264", "vp8"]);
    const bob = await sim.joined({ identity: "bob", relayId: "relay2", decodes: ["vp8", "av1"] });
    await clock.advance(1_000);
    expect(ada.participant.decodable).toEqual(["av1", "vp8"]);
    expect(bob.participant.decodable).toEqual(["av1", "vp8"]);
    const grants = { hidden: true };
    const eve = await sim.joined({ identity: "eve", relayId: "relay2", grants, decodes: ["vp8"] });
    await clock.advance(1_000);
    expect(ada.participant.decodable).toEqual(["vp8"]);
    await clock.until(eve.participant.leave());
    await clock.advance(1_000);
    expect(ada.participant.decodable).toEqual(["av1", "vp8"]);
    expect(ada.events.filter(({ type }) => type === "decodable")).toHaveLength(4);
  });

  it("lets publishers sit anywhere, and people be muted and removed from anywhere", async () => {
    const sim = await clusterOf(["relay1", "eu"], ["relay2", "us"], ["relay3", "us"]);
    const { clock } = sim;
    const ada = await sim.joined({ identity: "ada", relayId: "relay1", grants: { admin: true } });
    const bob = await sim.joined({ identity: "bob", relayId: "relay2" });
    await clock.advance(200);
    const cyd = await sim.joined({ identity: "cyd", relayId: "relay3" });
    await clock.advance(300);
    const track = await clock.until(cyd.participant.publish(MICROPHONE));
    await clock.advance(200);
    await clock.until(ada.participant.subscribe(track.trackId));
    await clock.until(bob.participant.subscribe(track.trackId));
    await clock.advance(200);
    for (let frameId = 0; frameId < 50; frameId++) {
      track.send(unitOf(frameId, clock.nowUs(), { keyframe: true, size: 80 }));
      await clock.advance(20);
    }
    await clock.advance(200);
    expect(ada.units).toHaveLength(50);
    expect(bob.units).toHaveLength(50);
    await clock.until(ada.participant.mute(track.trackId, true));
    await clock.advance(200);
    expect(bob.events.at(-1)).toMatchObject({ type: "track-muted", muted: true, by: "ada" });
    await clock.until(ada.participant.remove("cyd"));
    await clock.advance(300);
    expect(cyd.events.at(-1)).toMatchObject({ type: "closed", reason: "removed" });
    expect(bob.events.at(-1)).toMatchObject({ type: "participant-left", identity: "cyd" });
    expect([...ada.participant.participants.keys()]).toEqual(["bob"]);
  });

  it("hears once that somebody has left", async () => {
    const sim = await clusterOf(["relay1", "eu"], ["relay2", "us"], ["relay3", "us"]);
    const { clock } = sim;
    const ada = await sim.joined({ identity: "ada", relayId: "relay1" });
    const listeners = [];
    for (const relayId of ["relay1", "relay2", "relay3"])
      listeners.push(await sim.joined({ identity: `listener-${relayId}`, relayId }));
    await clock.advance(300);
    for (const { events } of listeners) events.length = 0;
    await clock.until(ada.participant.leave());
    await clock.advance(2_000);
    const left = { type: "participant-left", identity: "ada", reason: "normal" };
    for (const { events } of listeners) expect(events).toEqual([left]);
  });
});
