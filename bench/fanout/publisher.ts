/** One participant that publishes single-datagram access units at a steady rate; lives in the benchmark's own process. */
import { joinRelay } from "../../core/participant/participant.ts";
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import { HOP_HEADER_BYTES, MEDIA_HEADER_BYTES } from "../../core/wire/datagram.ts";
import { systemClock } from "../../relay/deno/clock.ts";
import { connectSession } from "../../relay/deno/session.ts";

/** Between two looks at the clock; what is due by then goes out together. */
const TICK_MS = 2;
/** What is still on its way when sending ends gets this long to arrive. */
const SETTLE_MS = 700;

export interface BenchPublisher {
  /** Sends for `ms`; resolves to the number of datagrams that the link took. */
  runFor(ms: number): Promise<number>;
  settle(): Promise<void>;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function startBenchPublisher(
  relay: RelayCandidate,
  rate: number,
  datagramBytes: number,
): Promise<BenchPublisher> {
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
  const bytes = new Uint8Array(datagramBytes - HOP_HEADER_BYTES - MEDIA_HEADER_BYTES);
  let frameId = 0;
  function sendOne(): boolean {
    return track.send({
      frameId,
      captureTimeUs: Math.round(systemClock.nowUs()),
      // A keyframe a second, as an encoder would, so that the relay's cache works as in life.
      keyframe: frameId++ % rate === 0,
      discardable: false,
      temporalLayer: 0,
      rendition: 0,
      audioLevel: 127,
      voice: false,
      encrypted: false,
      bytes,
    });
  }
  return {
    async runFor(ms) {
      const startUs = systemClock.nowUs();
      let due = 0;
      let taken = 0;
      for (;;) {
        const elapsedMs = (systemClock.nowUs() - startUs) / 1000;
        for (; due < (Math.min(elapsedMs, ms) * rate) / 1000; due++) if (sendOne()) taken++;
        if (elapsedMs >= ms) return taken;
        await sleep(TICK_MS);
      }
    },
    settle: () => sleep(SETTLE_MS),
  };
}
