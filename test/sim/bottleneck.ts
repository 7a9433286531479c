/**
 * A room whose publisher sits behind a bottleneck: camera and microphone as a browser sends them, the camera's encoder
 * at the rate that the participant says. Real participants and relay on a virtual network and clock.
 */
import type { NetworkOptions } from "../../core/session/network-path.ts";
import { cameraOf, MICROPHONE, SimulatedCluster, unitOf } from "./simulated-cluster.ts";
import { PICTURES_PER_SECOND, SimulatedEncoder } from "./simulated-encoder.ts";

export interface BottleneckRun {
  seed: number;
  /** What the encoder makes where nothing limits it. */
  fullBps: number;
  /** Round trip of either member to the relay. */
  rttMs: number;
  /** The publisher's uplink from the first picture on. */
  network: Partial<NetworkOptions>;
  /** Its session is one over TCP. */
  overTcp?: boolean;
  /** Changes of it, seconds after the first picture. */
  steps: readonly { atSeconds: number; network: Partial<NetworkOptions> }[];
  seconds: number;
}

/** One second of the run. */
export interface BottleneckSecond {
  /** What the encoder was told to make at its end. */
  videoBps: number;
  /** Time that each sound took beyond the way itself. */
  queuesMs: number[];
  soundSent: number;
  soundArrived: number;
  picturesArrived: number;
}

const SOUNDS_PER_SECOND = 50;

export async function runBottleneck(run: BottleneckRun): Promise<BottleneckSecond[]> {
  const sim = new SimulatedCluster(run.seed);
  const { clock } = sim;
  await sim.addRelay("relay1");
  const encoder = new SimulatedEncoder(run.fullBps);
  const ada = await sim.joined({
    identity: "ada",
    network: { delayMs: run.rttMs / 2 },
    overTcp: run.overTcp === true,
    onEvent: (event) => {
      if (event.type === "encoder-rate") encoder.toldBps = event.bitrateBps;
    },
  });
  const bob = await sim.joined({ identity: "bob", network: { delayMs: run.rttMs / 2 } });
  const camera = await clock.until(ada.participant.publish(cameraOf(run.fullBps)));
  const microphone = await clock.until(ada.participant.publish(MICROPHONE));
  for (const { trackId } of [camera, microphone]) await clock.until(bob.participant.subscribe(trackId));
  Object.assign(ada.wires.up.options, run.network);
  const startUs = clock.nowUs();
  const told: number[] = [];
  const steps = [...run.steps];
  const ticks = PICTURES_PER_SECOND * SOUNDS_PER_SECOND;
  for (let tick = 0; tick < run.seconds * ticks; tick += 10) {
    const atUs = startUs + (tick * 1_000_000) / ticks;
    await clock.advance((atUs - clock.nowUs()) / 1000);
    while (steps[0] !== undefined && steps[0].atSeconds * ticks <= tick)
      Object.assign(ada.wires.up.options, steps.shift()!.network);
    if (tick % SOUNDS_PER_SECOND === 0) {
      camera.send(unitOf(tick / SOUNDS_PER_SECOND, atUs, encoder.next()));
    }
    if (tick % PICTURES_PER_SECOND === 0)
      microphone.send(unitOf(tick / PICTURES_PER_SECOND, atUs, { size: 80, audioLevel: 20 }));
    if (tick % ticks === ticks - 10) told.push(encoder.bps);
  }
  await clock.advance(1_500);
  const seconds = told.map((bps, second) => {
    const fromUs = startUs + second * 1_000_000;
    const inSecond = bob.units.filter(
      ({ unit }) => unit.captureTimeUs >= fromUs && unit.captureTimeUs < fromUs + 1_000_000,
    );
    const sounds = inSecond.filter(({ trackId }) => trackId === microphone.trackId);
    return {
      videoBps: bps,
      queuesMs: sounds.map(({ unit, arrivedUs }) => (arrivedUs - unit.captureTimeUs) / 1000 - run.rttMs),
      soundSent: SOUNDS_PER_SECOND,
      soundArrived: sounds.length,
      picturesArrived: inSecond.length - sounds.length,
    };
  });
  await Promise.all([ada.participant.leave(), bob.participant.leave()]);
  return seconds;
}
