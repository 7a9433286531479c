import { describe, expect, it } from "vitest";
import { every } from "../../core/clock.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import { MICROPHONE, SimulatedCluster, type SimulatedMember, unitOf } from "./simulated-cluster.ts";

const FRAME_MS = 20;

/** Ada speaks on one relay, others listen on each of three; whoever is told to go away moves to the relay that is given. */
async function call(rootId: string, awayMs: number) {
  const sim = new SimulatedCluster(3);
  const { clock } = sim;
  sim.networkBetween = () => ({ delayMs: 15 });
  for (const id of ["relay1", "relay2", "relay3"]) await sim.addRelay(id, id);
  const members = new Map<string, SimulatedMember>();
  const elsewhere = { relay1: "relay2", relay2: "relay3", relay3: "relay1" } as Record<string, string>;
  const events: string[] = [];
  const join = async (identity: string, relayId: string, delayMs = 10): Promise<SimulatedMember> => {
    const onEvent = (event: ParticipantEvent): void => {
      if (event.type === "go-away") {
        const member = members.get(identity)!;
        void sim.move(member, { relayId: elsewhere[member.wish.relayId!]! });
      } else if (!["track-wanted", "speakers", "decodable"].includes(event.type))
        events.push(`${identity} ${event.type}`);
    };
    const member = await sim.joined({ identity, relayId, network: { delayMs }, onEvent });
    members.set(identity, member);
    return member;
  };
  // Who comes first is on the root.
  const ids = [rootId, ...["relay1", "relay2", "relay3"].filter((id) => id !== rootId)];
  for (const id of ids) await join(`listener-${id}`, id);
  await clock.advance(500);
  const ada = await join("ada", "relay1", awayMs);
  const track = await clock.until(ada.participant.publish(MICROPHONE));
  await clock.advance(500);
  for (const member of members.values())
    if (member !== ada) await clock.until(member.participant.subscribe(track.trackId));
  await clock.advance(500);
  let frameId = 0;
  const speaking = every(clock, FRAME_MS, () =>
    track.send(unitOf(frameId++, clock.nowUs(), { keyframe: true, size: 60 })),
  );
  await clock.advance(1_000);
  events.length = 0;
  return { sim, clock, members, ada, events, speaking, frames: () => frameId };
}

describe("a relay that drains", () => {
  it.each(
    ["relay1", "relay2", "relay3"].flatMap((rootId) => [10, 50, 100].map((ms) => [rootId, ms] as const)),
  )(
    "loses no frame of a speaker on it while %s is the root and the speaker is %i ms away, and ends when all have moved",
    async (rootId, awayMs) => {
      const { sim, clock, members, events, speaking, frames } = await call(rootId, awayMs);
      const relay = sim.relays.get("relay1")!;
      let isDrained = false;
      void relay.drain(20_000).then(() => {
        isDrained = true;
      });
      await clock.advance(8_000);
      speaking.cancel();
      await clock.advance(1_000);
      expect(isDrained).toBe(true);
      for (const [identity, { units }] of members) {
        if (identity === "ada") continue;
        const heard = units.map(({ unit }) => unit.frameId);
        expect([identity, heard]).toEqual([identity, Array.from({ length: frames() }, (_, i) => i)]);
        const gaps = units.slice(1).map((unit, i) => unit.arrivedUs - units[i]!.arrivedUs);
        // A longer way may delay everything that follows once.
        expect(Math.max(...gaps) / 1000).toBeLessThanOrEqual(FRAME_MS + 60);
      }
      // Nobody saw anybody leave, join or lose a track.
      expect(events).toEqual([]);
    },
  );
});
