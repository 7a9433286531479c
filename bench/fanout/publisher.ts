/**
 * One participant that publishes pictures at a steady rate, each cut into datagrams of one size by the product's
 * packetizer; lives in the benchmark's own process.
 */
import { joinRelay } from "../../core/participant/participant.ts";
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import { HOP_HEADER_BYTES, MEDIA_HEADER_BYTES } from "../../core/wire/datagram.ts";
import { systemClock } from "../../relay/deno/clock.ts";
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

export async function startBenchPublisher(
  relay: RelayCandidate,
  shape: { rate: number; datagramBytes: number; picturesPerSecond: number },
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
  const track = await member.publish({
    kind: "video",
    source: "camera",
    codec: "avc1.42E01F",
    frameRate: 30,
    renditions: [{ width: 640, height: 360, maxBitrateBps: rate * datagramBytes * 8, temporalLayers: 1 }],
    muted: false,
    encrypted: false,
  });
  const payloadBytes = datagramBytes - HOP_HEADER_BYTES - MEDIA_HEADER_BYTES;
  const longest = new Uint8Array(Math.ceil(rate / pictureRate) * payloadBytes);
  let frameId = 0;
  /** Sends one picture of `datagrams` datagrams; returns how many the link took. */
  function sendPicture(datagrams: number): number {
    const before = track.counters();
    // A keyframe every two seconds, as an encoder would, so that the relay's cache works as in life.
    const keyframe = frameId % Math.ceil(2 * pictureRate) === 0;
    track.send({
      frameId: frameId++,
      captureTimeUs: Math.round(systemClock.nowUs()),
      keyframe,
      discardable: false,
      temporalLayer: 0,
      reference: keyframe ? 0 : 1,
      rendition: 0,
      audioLevel: 127,
      voice: false,
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
