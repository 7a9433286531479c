/** Temporal layers across a relay: who asks for fewer gets fewer, and misses nothing by it. */
import { describe, expect, it } from "vitest";
import type { NetworkOptions } from "../../core/session/network-path.ts";
import { LAYERED_CAMERA, layeredUnitOf } from "./layered-camera.ts";
import { SimulatedCluster, type SimulatedMember } from "./simulated-cluster.ts";

const PICTURES = 300;

interface Layered {
  bob: SimulatedMember;
  trackId: number;
  /** NACKs that the relay had from bob. */
  nacks: number;
}

async function watch(maxTemporalLayer: number, network: Partial<NetworkOptions>): Promise<Layered> {
  const sim = new SimulatedCluster(7);
  const { clock } = sim;
  const relay = await sim.addRelay("relay1");
  const ada = await sim.joined({ identity: "ada", network: { delayMs: 20 } });
  const bob = await sim.joined({ identity: "bob", network: { delayMs: 20 } });
  Object.assign(bob.wires.down.options, network);
  const { trackId, send } = await clock.until(ada.participant.publish(LAYERED_CAMERA)).then((track) => ({
    trackId: track.trackId,
    send: track.send.bind(track),
  }));
  await clock.until(bob.participant.subscribe(trackId, { maxTemporalLayer, playoutDelayMs: 250 }));
  for (let picture = 0; picture < PICTURES; picture++) {
    send(layeredUnitOf(picture, clock.nowUs(), { size: picture % 4 === 0 ? 5_000 : 2_500 }));
    await clock.advance(33);
  }
  await clock.advance(1_000);
  const { repair } = relay.rooms.get("room")!.members.get("bob")!.subscriptions.get(trackId)!;
  return { bob, trackId, nacks: repair.counters.nacks };
}

describe("a subscriber of fewer layers", () => {
  it.each([
    { maxTemporalLayer: 0, units: 75 },
    { maxTemporalLayer: 1, units: 150 },
    { maxTemporalLayer: 7, units: 300 },
  ])(
    "asks for nothing and counts nothing as lost on a clean link: %o",
    async ({ maxTemporalLayer, units }) => {
      const { bob, trackId, nacks } = await watch(maxTemporalLayer, {});
      expect(bob.units).toHaveLength(units);
      expect(bob.units.every(({ unit }) => unit.temporalLayer <= maxTemporalLayer)).toBe(true);
      expect(nacks).toBe(0);
      expect(bob.participant.linkStats().datagramsLostInbound).toBe(0);
      expect(bob.participant.trackCounters(trackId)?.datagramsLost).toBe(0);
    },
  );

  it.each([{ loss: 0.05 }, { loss: 0.1, lossBurstMs: 40 }])(
    "has its losses made good as others have: %o",
    async (network) => {
      const { bob } = await watch(0, network);
      expect(bob.units.length).toBeGreaterThanOrEqual(73);
    },
  );
});
