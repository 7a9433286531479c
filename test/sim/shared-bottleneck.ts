/**
 * Publishers whose uplinks share one bottleneck, as in one household: each with camera and microphone, the camera's encoder at the rate that
 * its participant says, and nobody knows of the others. Real participants and relay on a virtual network and clock.
 */

import type { MemorySessionPair } from "../../core/session/memory.ts";
import { type NetworkOptions, NetworkPath } from "../../core/session/network-path.ts";
import { cameraOf, MICROPHONE, SimulatedCluster, unitOf } from "./simulated-cluster.ts";
import { PICTURES_PER_SECOND, SimulatedEncoder } from "./simulated-encoder.ts";

export interface SharedBottleneckRun {
  seed: number;
  /** What each encoder makes where nothing limits it. */
  fullBps: readonly number[];
  /** When each begins, seconds. */
  startS: readonly number[];
  /** Round trip of everybody to the relay. */
  rttMs: number;
  network: Partial<NetworkOptions>;
  seconds: number;
}

export interface SharedBottleneckResult {
  /** Bits a second that each publisher sends, sound and repair included, second by second. */
  sentBps: number[][];
  /** Time that each sound took beyond the way itself, second by second. */
  queuesMs: number[][];
  /** Sounds that came, of those that were sent. */
  soundShare: number;
}

const SOUNDS_PER_SECOND = 50;
const SOUND_BYTES = 80;
const SECOND_US = 1_000_000;

interface Publisher {
  startS: number;
  encoder: SimulatedEncoder;
  camera: { send(unit: ReturnType<typeof unitOf>): boolean };
  microphone: { trackId: number; send(unit: ReturnType<typeof unitOf>): boolean };
  session: MemorySessionPair["dialled"];
  pictures: number;
  /** Bytes sent at the end of each second. */
  sentBytes: number[];
}

export async function runSharedBottleneck(run: SharedBottleneckRun): Promise<SharedBottleneckResult> {
  const sim = new SimulatedCluster(run.seed);
  const { clock, random } = sim;
  await sim.addRelay("relay1");
  const network = { delayMs: run.rttMs / 2 };
  const up = new NetworkPath(clock, random, network);
  const viewer = await sim.joined({ identity: "viewer", network });
  const publishers: Publisher[] = [];
  for (const [index, fullBps] of run.fullBps.entries()) {
    const encoder = new SimulatedEncoder(fullBps);
    const { participant, wires } = await sim.joined({
      identity: `publisher-${index}`,
      network,
      up,
      onEvent: (event) => {
        if (event.type === "encoder-rate") encoder.toldBps = event.bitrateBps;
      },
    });
    const camera = await clock.until(participant.publish(cameraOf(fullBps)));
    const microphone = await clock.until(participant.publish(MICROPHONE));
    for (const { trackId } of [camera, microphone]) await clock.until(viewer.participant.subscribe(trackId));
    const startS = run.startS[index]!;
    publishers.push({
      startS,
      encoder,
      camera,
      microphone,
      session: wires.dialled,
      pictures: 0,
      sentBytes: [],
    });
  }
  Object.assign(up.options, run.network);
  const startUs = clock.nowUs();
  const ticks = PICTURES_PER_SECOND * SOUNDS_PER_SECOND;
  for (let tick = 0; tick < run.seconds * ticks; tick += 10) {
    const atUs = startUs + (tick * SECOND_US) / ticks;
    await clock.advance((atUs - clock.nowUs()) / 1000);
    for (const publisher of publishers) {
      if (tick % ticks === 0) publisher.sentBytes.push(publisher.session.counters.datagramBytesSent);
      if (tick < publisher.startS * ticks) continue;
      if (tick % SOUNDS_PER_SECOND === 0) sendPicture(publisher, atUs);
      if (tick % PICTURES_PER_SECOND === 0) {
        const frameId = tick / PICTURES_PER_SECOND;
        publisher.microphone.send(unitOf(frameId, atUs, { size: SOUND_BYTES, audioLevel: 20 }));
      }
    }
  }
  await clock.advance(1_500);
  const queuesMs: number[][] = Array.from({ length: run.seconds }, () => []);
  let sounds = 0;
  for (const { trackId, unit, arrivedUs } of viewer.units) {
    if (!publishers.some(({ microphone }) => microphone.trackId === trackId)) continue;
    sounds++;
    const second = Math.floor((unit.captureTimeUs - startUs) / SECOND_US);
    queuesMs[second]?.push((arrivedUs - unit.captureTimeUs) / 1000 - run.rttMs);
  }
  const sent = publishers.reduce((sum, { startS }) => sum + (run.seconds - startS) * SOUNDS_PER_SECOND, 0);
  return { sentBps: publishers.map(sentBpsOf), queuesMs, soundShare: sounds / sent };
}

function sentBpsOf({ sentBytes }: Publisher): number[] {
  return sentBytes.slice(1).map((bytes, second) => (bytes - sentBytes[second]!) * 8);
}

function sendPicture(publisher: Publisher, atUs: number): void {
  publisher.camera.send(unitOf(publisher.pictures++, atUs, publisher.encoder.next()));
}
