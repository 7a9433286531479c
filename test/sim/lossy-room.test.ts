/** A real room over lossy networks: what a subscriber has in time of a camera and a microphone, relay and participants at work. */
import { describe, expect, it } from "vitest";
import type { NetworkOptions } from "../../core/session/network-path.ts";
import { CAMERA, MICROPHONE, SimulatedCluster, type SimulatedMember, unitOf } from "./simulated-cluster.ts";

const SECONDS = 30;
const WARM_UP_UNITS = 150;
/** After capture; two hops of 20 ms each way are in it. */
const PLAYOUT_MS = 240;

interface Heard {
  video: number;
  audio: number;
}

async function shareInTime(network: Partial<NetworkOptions>, seed = 1): Promise<Heard> {
  const sim = new SimulatedCluster(seed);
  const { clock } = sim;
  await sim.addRelay("relay1");
  const ada = await sim.joined({ identity: "ada", network: { delayMs: 20 } });
  const bob = await sim.joined({ identity: "bob", network: { delayMs: 20 } });
  const camera = await clock.until(ada.participant.publish(CAMERA));
  const microphone = await clock.until(ada.participant.publish(MICROPHONE));
  for (const { trackId } of [camera, microphone]) {
    await clock.until(bob.participant.subscribe(trackId, { playoutDelayMs: PLAYOUT_MS - 40 }));
  }
  for (const { wires } of [ada, bob]) {
    Object.assign(wires.up.options, network);
    Object.assign(wires.down.options, network);
  }
  const startUs = clock.nowUs();
  for (let tick = 0; tick < SECONDS * 150; tick++) {
    const captureUs = startUs + (tick * 1_000_000) / 150;
    await clock.advance((captureUs - clock.nowUs()) / 1000);
    if (tick % 5 === 0) camera.send(unitOf(tick / 5, captureUs, { size: 6_000, keyframe: tick === 0 }));
    if (tick % 3 === 0) microphone.send(unitOf(tick / 3, captureUs, { size: 80, audioLevel: 20 }));
  }
  await clock.advance(1_000);
  const heard = {
    video: inTime(bob, camera.trackId, SECONDS * 30),
    audio: inTime(bob, microphone.trackId, SECONDS * 50),
  };
  await Promise.all([ada.participant.leave(), bob.participant.leave()]);
  return heard;
}

/** Share of units after the first few that came, once and whole, before their playout. */
function inTime({ units }: SimulatedMember, ofTrack: number, sent: number): number {
  const seen = new Set<number>();
  for (const { trackId, unit, arrivedUs } of units) {
    if (trackId !== ofTrack || unit.frameId < WARM_UP_UNITS) continue;
    expect(seen.has(unit.frameId), `unit ${unit.frameId} came twice`).toBe(false);
    if (arrivedUs - unit.captureTimeUs <= PLAYOUT_MS * 1000) seen.add(unit.frameId);
  }
  return seen.size / (sent - WARM_UP_UNITS);
}

describe("a call with losses on both ways of both hops", () => {
  it("is whole without loss", async () => {
    expect(await shareInTime({})).toEqual({ video: 1, audio: 1 });
  });

  it.each([0.05, 0.1])("is nearly whole at %f", async (loss) => {
    const heard = await shareInTime({ loss });
    // Unrepaired, (1 - loss) ^ 14 of the pictures would come.
    expect(heard.video).toBeGreaterThan(0.99);
    expect(heard.audio).toBeGreaterThan(0.998);
  });

  it("is nearly whole in bursts", async () => {
    const heard = await shareInTime({ loss: 0.05, lossBurstMs: 16 });
    expect(heard.video).toBeGreaterThan(0.97);
    expect(heard.audio).toBeGreaterThan(0.98);
  });
});
