/**
 * Speech from encoder to ear on a virtual clock: libopus, audio redundancy, the real packetizer, a network that loses,
 * the real depacketizer, the real playout.
 */
import { Depacketizer } from "../../core/delivery/depacketizer.ts";
import { Packetizer } from "../../core/delivery/packetizer.ts";
import { type RedundantFrame, writeRedundantPayload } from "../../core/wire/redundancy.ts";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { Impairment, NO_IMPAIRMENT } from "../../test/udp-proxy/impairment.ts";
import type { Figures } from "../report.ts";
import { audioUnit, type Delivery, Listener } from "./listener.ts";
import { decodeClean, encodeSpeech, openDecoder } from "./opus-codec.ts";
import { synthesiseSpeech } from "./speech.ts";

const FRAME_US = 20_000;
const MAX_DATAGRAM_BYTES = 1_200;

export interface VoiceCall {
  /** Of the network. */
  seed: number;
  /** Share lost, 0..1. */
  loss: number;
  /** Mean length of a loss burst, 0 = each datagram by itself. */
  burstMs: number;
  rttMs: number;
  jitterMs: number;
  /** Frames back of which each datagram carries a copy. */
  distances: readonly number[];
}

/** What is said: Opus frames of 20 ms, and their samples for who loses none. */
export interface EncodedSpeech {
  frames: Uint8Array[];
  clean: Float32Array;
}

export async function prepareSpeech(seconds: number, seed: number): Promise<EncodedSpeech> {
  const frames = await encodeSpeech(synthesiseSpeech(seconds, seed));
  return { frames, clean: await decodeClean(frames) };
}

/** Runs it; `redundantShare` is what the copies add to the bytes. */
export async function runVoiceCall(call: VoiceCall, { frames, clean }: EncodedSpeech): Promise<Figures> {
  const { deliveries, lostDatagrams, sentBytes } = transport(call, frames);
  const decoder = await openDecoder();
  const listener = new Listener(decoder, clean);
  listener.listen(deliveries, frames.length * FRAME_US);
  decoder.free();
  const plainBytes = frames.reduce((sum, frame) => sum + frame.length, 0);
  return {
    ...listener.figures(),
    lostUnitShare: 1 - deliveries.length / frames.length,
    lostDatagramShare: lostDatagrams / frames.length,
    redundantShare: sentBytes / plainBytes - 1,
  };
}

function transport(
  call: VoiceCall,
  frames: readonly Uint8Array[],
): { deliveries: Delivery[]; lostDatagrams: number; sentBytes: number } {
  const { loss, burstMs, jitterMs, rttMs, seed } = call;
  const path = new Impairment(
    { ...NO_IMPAIRMENT, delayMs: rttMs / 2, jitterMs, loss, burstMs, reorder: true },
    seededRandom(seed + 1),
  );
  const packetizer = new Packetizer(1);
  const depacketizer = new Depacketizer();
  const inFlight: { atUs: number; datagram: Uint8Array }[] = [];
  let lostDatagrams = 0;
  let sentBytes = 0;
  frames.forEach((primary, frame) => {
    const payload = writeRedundantPayload({ primary, redundant: copiesFor(frames, frame, call.distances) });
    sentBytes += payload.length;
    const captureUs = frame * FRAME_US;
    packetizer.push(audioUnit(frame, captureUs, payload), MAX_DATAGRAM_BYTES, true, (datagram) => {
      // Encoded when the frame is full.
      const fate = path.decide(datagram.length, (captureUs + FRAME_US) / 1000);
      if ("lost" in fate) lostDatagrams++;
      else inFlight.push({ atUs: fate.arrivesMs * 1000, datagram: datagram.slice() });
    });
  });
  inFlight.sort((a, b) => a.atUs - b.atUs);
  const deliveries: Delivery[] = [];
  for (const { atUs, datagram } of inFlight) {
    depacketizer.push(datagram, (unit) => deliveries.push({ atUs, unit }));
  }
  return { deliveries, lostDatagrams, sentBytes };
}

function copiesFor(
  frames: readonly Uint8Array[],
  frame: number,
  distances: readonly number[],
): RedundantFrame[] {
  return [...distances]
    .sort((a, b) => b - a)
    .filter((distance) => distance <= frame)
    .map((distance) => ({ distance, ageUs: distance * FRAME_US, bytes: frames[frame - distance]! }));
}
