import { describe, expect, it } from "vitest";
import {
  CAMERA,
  MICROPHONE,
  SimulatedCluster,
  type SimulatedMember,
  unitOf,
} from "../test/sim/simulated-cluster.ts";

async function cluster(): Promise<SimulatedCluster> {
  const made = new SimulatedCluster(1);
  await made.addRelay("relay1");
  return made;
}

/** Ada's camera, which Bob watches. */
async function watchedCamera() {
  const sim = await cluster();
  const { clock } = sim;
  const ada = await sim.joined({ identity: "ada" });
  const bob = await sim.joined({ identity: "bob" });
  const track = await clock.until(ada.participant.publish(CAMERA));
  await clock.until(bob.participant.subscribe(track.trackId));
  return { sim, clock, ada, track };
}

const typesOf = (member: SimulatedMember): string[] => member.events.map((event) => event.type);

describe("a room on one relay", () => {
  it("joins, publishes, subscribes, forwards and ends", async () => {
    const sim = await cluster();
    const { clock } = sim;
    const network = { delayMs: 10 };
    const ada = await sim.joined({ identity: "ada", network });
    const bob = await sim.joined({ identity: "bob", network });
    expect([...bob.participant.participants.keys()]).toEqual(["ada"]);
    await clock.advance(50);
    expect(typesOf(ada)).toEqual(["participant-joined"]);
    const track = await clock.until(ada.participant.publish(CAMERA));
    await clock.advance(50);
    expect(bob.participant.participants.get("ada")?.tracks).toMatchObject([{ trackId: track.trackId }]);
    await clock.until(bob.participant.subscribe(track.trackId));
    await clock.advance(50);
    expect(ada.events.filter((e) => e.type === "track-wanted").map((e) => e.wanted)).toEqual([false, true]);
    expect(ada.events.filter((e) => e.type === "keyframe-requested")).toHaveLength(1);
    for (let frameId = 0; frameId < 30; frameId++) {
      track.send(unitOf(frameId, clock.nowUs(), { keyframe: frameId === 0 }));
      await clock.advance(33);
    }
    await clock.advance(100);
    expect(bob.units.map(({ unit }) => unit.frameId)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(bob.units[7]!.unit.bytes).toEqual(unitOf(7, 0).bytes);
    await clock.until(ada.participant.leave());
    await clock.advance(50);
    expect(bob.events.at(-1)).toEqual({ type: "participant-left", identity: "ada", reason: "normal" });
    await clock.until(bob.participant.leave());
    await clock.advance(50);
    expect(sim.relays.get("relay1")!.rooms.size).toBe(0);
    expect(await sim.directory.rooms()).toEqual([]);
    expect(sim.log).toEqual([]);
  });

  it("shows a late joiner the cached GOP, in order and without holes", async () => {
    const { sim, clock, ada, track } = await watchedCamera();
    let frameId = 0;
    const play = async (frames: number): Promise<void> => {
      for (let i = 0; i < frames; i++, frameId++) {
        track.send(unitOf(frameId, clock.nowUs(), { keyframe: frameId % 100 === 0, size: 1000 }));
        await clock.advance(33);
      }
    };
    await play(150);
    const eve = await sim.joined({ identity: "eve" });
    await clock.until(eve.participant.subscribe(track.trackId));
    const subscribedUs = clock.nowUs();
    await play(30);
    expect(eve.units.map(({ unit }) => unit.frameId)).toEqual(Array.from({ length: 80 }, (_, i) => 100 + i));
    expect(eve.units[0]!.unit.keyframe).toBe(true);
    const caughtUp = eve.units.find(({ unit }) => unit.frameId === 149)!;
    expect((caughtUp.arrivedUs - subscribedUs) / 1000).toBeLessThan(150);
    // A whole GOP was there, so nobody had to be asked for a keyframe.
    expect(ada.events.filter((e) => e.type === "keyframe-requested")).toHaveLength(1);
  });

  it.each([true, false])(
    "waits for a keyframe where the GOP is long, but not for ever: comes %s",
    async (comes) => {
      const { sim, clock, ada, track } = await watchedCamera();
      let frameId = 0;
      const play = async (frames: number): Promise<void> => {
        for (let i = 0; i < frames; i++, frameId++) {
          const asked = ada.events.filter((e) => e.type === "keyframe-requested").length > 1;
          const keyframe = frameId === 0 || (comes && asked && frameId === 60);
          track.send(unitOf(frameId, clock.nowUs(), { keyframe, size: 5000 }));
          await clock.advance(33);
        }
      };
      await play(58);
      const eve = await sim.joined({ identity: "eve" });
      await clock.until(eve.participant.subscribe(track.trackId));
      await play(70);
      const ids = eve.units.map(({ unit }) => unit.frameId);
      expect(ids[0]).toBe(comes ? 60 : 0);
      expect(ids.at(-1)).toBe(127);
      expect(ids).toHaveLength(comes ? 68 : 128);
      expect(ada.events.filter((e) => e.type === "keyframe-requested")).toHaveLength(2);
    },
  );

  it("tells who speaks", async () => {
    const sim = await cluster();
    const { clock } = sim;
    const ada = await sim.joined({ identity: "ada" });
    const bob = await sim.joined({ identity: "bob" });
    const track = await clock.until(ada.participant.publish(MICROPHONE));
    const talk = async (level: number, frames: number, from: number): Promise<void> => {
      for (let i = 0; i < frames; i++) {
        track.send(unitOf(from + i, clock.nowUs(), { audioLevel: level, size: 100 }));
        await clock.advance(20);
      }
    };
    await talk(20, 50, 0);
    await talk(90, 10, 50);
    await talk(20, 10, 60);
    const heard = bob.events
      .filter((e) => e.type === "speakers")
      .map((e) => e.speakers.map((s) => s.identity));
    expect(heard).toEqual([["ada"]]);
    // Also to whoever comes while nothing changes.
    const eve = await sim.joined({ identity: "eve" });
    const news = eve.events.filter((e) => e.type === "speakers");
    expect(news.map((e) => e.speakers.map((s) => s.identity))).toEqual([["ada"]]);
    await talk(100, 100, 70);
    const after = bob.events
      .filter((e) => e.type === "speakers")
      .map((e) => e.speakers.map((s) => s.identity));
    expect(after).toEqual([["ada"], []]);
  });
});
