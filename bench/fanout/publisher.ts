/**
 * One participant that publishes pictures at a steady rate, each cut into datagrams of one size by the product's
 * packetizer; lives in the benchmark's own process.
 */
import { joinRelay } from "../../core/participant/participant.ts";
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import { HOP_HEADER_BYTES, MEDIA_HEADER_BYTES } from "../../core/wire/datagram.ts";
import type { TrackOffer } from "../../core/wire/room-model.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import { connectSession } from "../../relay/deno/session.ts";

/** Between two looks at the clock; what is due by then goes out. */
const TICK_MS = 2;
/** What is still on its way when sending ends gets this long to arrive. */
const SETTLE_MS = 700;

export interface BenchPublisher {
  /** Sends for `ms`; resolves to the number of datagrams that the link took. */
  runFor(ms: number): Promise<number>;
  /** The same until the signal is aborted. */
  runUntil(stop: AbortSignal): Promise<number>;
  settle(): Promise<void>;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function pictureOf(maxBitrateBps: number): TrackOffer {
  return {
    kind: "video",
    source: "camera",
    codec: "avc1.42E01F",
    frameRate: 30,
    renditions: [{ width: 640, height: 360, maxBitrateBps, temporalLayers: 1 }],
    muted: false,
    encrypted: false,
  };
}

function soundOf(framesPerSecond: number): TrackOffer {
  return {
    kind: "audio",
    source: "microphone",
    codec: "opus",
    sampleRateHz: 48_000,
    channels: 1,
    frameDurationUs: Math.min(120_000, Math.round(1_000_000 / framesPerSecond)),
    muted: false,
    encrypted: false,
  };
}

export async function startBenchPublisher(
  relay: RelayCandidate,
  shape: { rate: number; datagramBytes: number; picturesPerSecond: number; isSound?: boolean },
): Promise<BenchPublisher> {
  const { rate, datagramBytes } = shape;
  const pictureRate = Math.min(rate, shape.picturesPerSecond);
  const member = await joinRelay({
    connect: connectSession,
    clock: systemClock,
    random: Math.random,
    relay,
    client: "bench-fanout",
    onAccessUnit: () => undefined,
    onEvent: () => undefined,
  });
  const isSound = shape.isSound === true;
  const track = await member.publish(isSound ? soundOf(rate) : pictureOf(rate * datagramBytes * 8));
  const payloadBytes = datagramBytes - HOP_HEADER_BYTES - MEDIA_HEADER_BYTES;
  const longest = new Uint8Array(Math.ceil(rate / pictureRate) * payloadBytes);
  let frameId = 0;
  /** Sends one picture of `datagrams` datagrams; returns how many the link took. */
  function sendPicture(datagrams: number): number {
    const before = track.counters();
    // A keyframe every two seconds, as an encoder would, so that the relay's cache works as in life.
    const keyframe = isSound || frameId % Math.ceil(2 * pictureRate) === 0;
    track.send({
      frameId: frameId++,
      captureTimeUs: Math.round(systemClock.nowUs()),
      keyframe,
      discardable: false,
      temporalLayer: 0,
      reference: keyframe ? 0 : 1,
      rendition: 0,
      audioLevel: isSound ? 30 : 127,
      voice: isSound,
      encrypted: false,
      bytes: longest.subarray(0, datagrams * payloadBytes),
    });
    const after = track.counters();
    return after.datagrams - before.datagrams - (after.datagramsLost - before.datagramsLost);
  }
  async function run(ms: number, stop?: AbortSignal): Promise<number> {
    const startUs = systemClock.nowUs();
    let pictures = 0;
    let due = 0;
    let taken = 0;
    for (;;) {
      const elapsedMs = Math.min((systemClock.nowUs() - startUs) / 1000, ms);
      for (; pictures < (elapsedMs * pictureRate) / 1000; pictures++) {
        const next = Math.floor(((pictures + 1) * rate) / pictureRate);
        taken += sendPicture(next - due);
        due = next;
      }
      if (elapsedMs >= ms || stop?.aborted === true) return taken;
      await sleep(TICK_MS);
    }
  }
  return {
    runFor: (ms) => run(ms),
    runUntil: (stop) => run(Number.POSITIVE_INFINITY, stop),
    settle: () => sleep(SETTLE_MS),
  };
}
