/**
 * A room with one publisher and two who watch, one of them or both behind a bottleneck: camera (in three temporal layers, or none) and
 * microphone as a browser sends them, the camera's encoder at the rate that the participant says. Real participants and relay on a virtual network and clock.
 */
import { DecodeOrder } from "../../core/media/decode-order.ts";
import type { NetworkOptions } from "../../core/session/network-path.ts";
import { layeredUnitOf } from "./layered-camera.ts";
import { cameraOf, MICROPHONE, SimulatedCluster, type SimulatedMember, unitOf } from "./simulated-cluster.ts";
import { PICTURES_PER_SECOND, SimulatedEncoder } from "./simulated-encoder.ts";

export interface ViewersRun {
  seed: number;
  videoBps: number;
  layered: boolean;
  /** Round trip of each member to the relay. */
  rttMs: number;
  /** The slow viewer's downlink from the first picture on, and the other's too if `bothSlow`. */
  network: Partial<NetworkOptions>;
  bothSlow?: boolean;
  /** The slow viewer's session is one over TCP. */
  overTcp?: boolean;
  /** Second after which it carries everything. */
  liftedS: number;
  seconds: number;
}

/** What one viewer had of one second of capture. */
export interface ViewerSecond {
  /** Time that each sound took beyond the way itself. */
  queuesMs: number[];
  sounds: number;
  pictures: number;
  /** Pictures that a decoder could show. */
  shown: number;
}

export interface ViewersResult {
  slow: ViewerSecond[];
  /** Pictures and sounds of the fast viewer that are not what was sent. */
  fastFaults: number;
  sentUnits: number;
  /** Lowest rate that the publisher was told; undefined = none. */
  publisherBps: number | undefined;
  keyframes: number;
  shed: Record<string, number>;
}

export const SOUNDS_PER_SECOND = 50;
/** Sizes by place in the pattern of four, as measured of Chromium's encoder. */
const LAYER_SIZES = [1.6, 0.7, 1, 0.7];
const SOUND_BYTES = 80;
const SECOND_US = 1_000_000;
/** As in client/worker/video-receiver.ts. */
const GIVE_UP_US = 300_000;
const KEYFRAME_REQUEST_GAP_US = 400_000;

export async function runViewers(run: ViewersRun): Promise<ViewersResult> {
  const sim = new SimulatedCluster(run.seed);
  const { clock } = sim;
  const relay = await sim.addRelay("relay1");
  const network = { delayMs: run.rttMs / 2 };
  let publisherBps: number | undefined;
  const encoder = new SimulatedEncoder(run.videoBps);
  const ada = await sim.joined({
    identity: "ada",
    network,
    onEvent: (event) => {
      if (event.type === "encoder-rate") {
        encoder.toldBps = event.bitrateBps;
        publisherBps = Math.min(publisherBps ?? event.bitrateBps, event.bitrateBps);
      }
      if (event.type === "keyframe-requested") encoder.keyframeWanted = true;
    },
  });
  const slow = await sim.joined({ identity: "slow", network, overTcp: run.overTcp === true });
  const fast = await sim.joined({ identity: "fast", network });
  const camera = await clock.until(ada.participant.publish(cameraOf(run.videoBps)));
  const microphone = await clock.until(ada.participant.publish(MICROPHONE));
  for (const { participant } of [slow, fast])
    for (const { trackId } of [camera, microphone]) await clock.until(participant.subscribe(trackId));
  const startUs = clock.nowUs();
  const decoders = [slow, fast].map((viewer) => new SimulatedDecoder(viewer, camera.trackId));
  const sent = new Map<number, Uint8Array>();
  const ticks = PICTURES_PER_SECOND * SOUNDS_PER_SECOND;
  for (let tick = 0; tick < run.seconds * ticks; tick += 10) {
    const atUs = startUs + (tick * SECOND_US) / ticks;
    await clock.advance((atUs - clock.nowUs()) / 1000);
    for (const { wires } of run.bothSlow === true ? [slow, fast] : [slow]) {
      if (tick === 0) Object.assign(wires.down.options, run.network);
      if (tick === run.liftedS * ticks) wires.down.options.rateBps = 0;
    }
    for (const decoder of decoders) decoder.step(atUs);
    if (tick % SOUNDS_PER_SECOND === 0) {
      const picture = tick / SOUNDS_PER_SECOND;
      const encoded = encoder.next((since) => (run.layered ? LAYER_SIZES[since % 4]! : 1));
      const { size } = encoded;
      const unit = run.layered
        ? layeredUnitOf(picture, atUs, { size, sinceKeyframe: encoder.sinceKeyframe })
        : unitOf(picture, atUs, encoded);
      sent.set(picture, unit.bytes);
      camera.send(unit);
    }
    if (tick % PICTURES_PER_SECOND === 0)
      microphone.send(unitOf(tick / PICTURES_PER_SECOND, atUs, { size: SOUND_BYTES, audioLevel: 20 }));
  }
  await clock.advance(1_500);
  for (const decoder of decoders) decoder.step(clock.nowUs());
  const result: ViewersResult = {
    slow: secondsOf(slow, decoders[0]!, startUs, run),
    fastFaults: faultsOf(fast, camera.trackId, sent, run.seconds),
    sentUnits: sent.size,
    publisherBps,
    keyframes: encoder.keyframes,
    shed: { ...relay.forwarder.counters.shed },
  };
  await Promise.all([ada, slow, fast].map(({ participant }) => participant.leave()));
  return result;
}

/** What a viewer's decoder can show; asks for a keyframe where it can show nothing more. */
class SimulatedDecoder {
  readonly trackId: number;
  /** Capture times of what was shown. */
  readonly shownUs: number[] = [];
  readonly #viewer: SimulatedMember;
  readonly #order = new DecodeOrder();
  #taken = 0;
  #askedUs = 0;

  constructor(viewer: SimulatedMember, trackId: number) {
    this.#viewer = viewer;
    this.trackId = trackId;
  }

  step(nowUs: number): void {
    const show = ({ captureTimeUs }: { captureTimeUs: number }): void =>
      void this.shownUs.push(captureTimeUs);
    for (const { trackId, unit, arrivedUs } of this.#viewer.units.slice(this.#taken)) {
      if (trackId === this.trackId) this.#order.push(unit, arrivedUs, show);
    }
    this.#taken = this.#viewer.units.length;
    this.#order.release(nowUs - GIVE_UP_US, nowUs, show);
    if (!this.#order.needsKeyframe || nowUs - this.#askedUs < KEYFRAME_REQUEST_GAP_US) return;
    this.#askedUs = nowUs;
    this.#viewer.participant.requestKeyframe(this.trackId, 0);
  }
}

function faultsOf(
  viewer: SimulatedMember,
  cameraId: number,
  sent: ReadonlyMap<number, Uint8Array>,
  seconds: number,
): number {
  const missing = new Map(sent);
  let sounds = 0;
  let wrong = 0;
  for (const { trackId, unit } of viewer.units) {
    if (trackId !== cameraId) {
      sounds++;
      continue;
    }
    const bytes = missing.get(unit.frameId);
    missing.delete(unit.frameId);
    if (bytes === undefined || Buffer.compare(bytes, unit.bytes) !== 0) wrong++;
  }
  return wrong + missing.size + Math.abs(seconds * SOUNDS_PER_SECOND - sounds);
}

function secondsOf(
  viewer: SimulatedMember,
  decoder: SimulatedDecoder,
  startUs: number,
  run: ViewersRun,
): ViewerSecond[] {
  const seconds: ViewerSecond[] = Array.from({ length: run.seconds }, () => ({
    queuesMs: [],
    sounds: 0,
    pictures: 0,
    shown: 0,
  }));
  const secondOf = (captureUs: number): ViewerSecond | undefined =>
    seconds[Math.floor((captureUs - startUs) / SECOND_US)];
  for (const captureUs of decoder.shownUs) {
    const second = secondOf(captureUs);
    if (second !== undefined) second.shown++;
  }
  for (const { trackId, unit, arrivedUs } of viewer.units) {
    const second = secondOf(unit.captureTimeUs);
    if (second === undefined) continue;
    if (trackId === decoder.trackId) {
      second.pictures++;
    } else {
      second.sounds++;
      second.queuesMs.push((arrivedUs - unit.captureTimeUs) / 1000 - run.rttMs);
    }
  }
  return seconds;
}
