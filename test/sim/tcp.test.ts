/** Members whose network has no UDP: their media travels in order over TCP, and the delivery code knows it. */
import { describe, expect, it } from "vitest";
import { runBottleneck } from "./bottleneck.ts";
import { CAMERA, SimulatedCluster, unitOf } from "./simulated-cluster.ts";
import { runViewers, SOUNDS_PER_SECOND } from "./viewers.ts";

const SETTLED_S = 5;

function p95(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)]!;
}

describe("over TCP", () => {
  it.each([{ rateBps: 500_000 }, { rateBps: 1_000_000 }, { loss: 0.02 }, { rateBps: 800_000, loss: 0.01 }])(
    "a publisher keeps its sound and a short queue: %o",
    async (network) => {
      const seconds = await runBottleneck({
        seed: 3,
        fullBps: 1_000_000,
        rttMs: 40,
        network,
        overTcp: true,
        steps: [],
        seconds: 20,
      });
      const settled = seconds.slice(SETTLED_S);
      for (const { soundArrived, soundSent } of settled) expect(soundArrived).toBe(soundSent);
      expect(p95(settled.flatMap(({ queuesMs }) => queuesMs))).toBeLessThan(150);
      for (const { picturesArrived } of settled) expect(picturesArrived).toBeGreaterThan(10);
    },
  );

  it.each([
    { rateBps: 500_000, leastShown: 0 },
    { rateBps: 1_000_000, leastShown: 10 },
    { loss: 0.02, leastShown: 29 },
  ])("a viewer keeps its sound, and others notice nothing: %o", async ({ leastShown, ...network }) => {
    const { slow, fastFaults } = await runViewers({
      seed: 3,
      videoBps: 1_000_000,
      layered: true,
      rttMs: 40,
      network,
      overTcp: true,
      liftedS: 20,
      seconds: 20,
    });
    const settled = slow.slice(SETTLED_S);
    const sounds = settled.reduce((sum, second) => sum + second.sounds, 0);
    expect(sounds / (settled.length * SOUNDS_PER_SECOND)).toBeGreaterThanOrEqual(0.995);
    expect(p95(settled.flatMap(({ queuesMs }) => queuesMs))).toBeLessThan(150);
    const shown = settled.reduce((sum, second) => sum + second.shown, 0);
    expect(shown / settled.length).toBeGreaterThanOrEqual(leastShown);
    expect(fastFaults).toBe(0);
  });

  it("nothing is asked for and no repair is sent, though much is late; all of it comes, in order", async () => {
    const sim = new SimulatedCluster(5);
    const { clock } = sim;
    const relay = await sim.addRelay("relay1");
    const network = { delayMs: 20, loss: 0.1 };
    const ada = await sim.joined({ identity: "ada", network, overTcp: true });
    const bob = await sim.joined({ identity: "bob", network, overTcp: true });
    const camera = await clock.until(ada.participant.publish(CAMERA));
    await clock.until(bob.participant.subscribe(camera.trackId));
    for (let frame = 0; frame < 90; frame++) {
      camera.send(unitOf(frame, clock.nowUs(), { keyframe: frame === 0 }));
      await clock.advance(33);
    }
    await clock.advance(2_000);
    expect(bob.units.map(({ unit }) => unit.frameId)).toEqual(Array.from({ length: 90 }, (_, i) => i));
    expect(
      Math.max(...bob.units.map(({ unit, arrivedUs }) => arrivedUs - unit.captureTimeUs)),
    ).toBeGreaterThan(100_000);
    const spent = relay.metrics().match(/^tributary_(repairs|nacks)_sent_total\S* \d+$/gm);
    expect(spent!.length).toBeGreaterThanOrEqual(2);
    for (const line of spent!) expect(line).toMatch(/ 0$/);
  });
});
