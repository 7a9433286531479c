/**
 * Fills one direction of a hop with probes for a short while, at a rate that doubles in steps for as long as no queue
 * builds up: how much arrives tells what the road carries, without flooding it. docs/wire.md, "Diagnosis".
 */
import { type Clock, every, type Timer } from "../clock.ts";
import { DATAGRAM_PROBE, HOP_HEADER_BYTES } from "../wire/datagram.ts";
import { MAX_MEDIA_DATAGRAM_BYTES } from "../wire/limits.ts";
import type { Link } from "./link.ts";

/** The first step is an eighth of the highest rate. */
const STEPS = 4;
const TICK_MS = 10;
/** A queue above this that lasts is the road's limit: the rate rises no more. So at most about twice of what the road carries is sent. */
export const FULL_QUEUE_MS = 60;
/** A machine that was busy for a moment looks like a queue, and is over sooner. */
const LASTS_US = 100_000;
/** Beyond this a late timer is not made up for. */
const MAX_OWED_BYTES = 10_000;

export interface LoadPlan {
  /** Rate of the last step, bits a second of datagrams. */
  maxBps: number;
  durationMs: number;
}

export interface LoadSent {
  datagrams: number;
  bytes: number;
}

/** Starts at once; `onDone` is called once, unless the returned timer is cancelled before. */
export function sendProbeLoad(
  clock: Clock,
  link: Link,
  plan: LoadPlan,
  onDone: (sent: LoadSent) => void,
): Timer {
  const datagramBytes = Math.min(MAX_MEDIA_DATAGRAM_BYTES, link.session.maxDatagramBytes);
  const body = new Uint8Array(datagramBytes - HOP_HEADER_BYTES);
  const sent: LoadSent = { datagrams: 0, bytes: 0 };
  const startUs = clock.nowUs();
  let lastUs = startUs;
  let calmUs = startUs;
  let stepEndsUs = startUs + (plan.durationMs * 1000) / STEPS;
  let rateBps = plan.maxBps / 2 ** (STEPS - 1);
  let owedBytes = 0;
  const timer = every(clock, TICK_MS, () => {
    const nowUs = clock.nowUs();
    if (nowUs - startUs >= plan.durationMs * 1000) {
      timer.cancel();
      return onDone(sent);
    }
    if (link.bandwidth.newestQueueMs <= FULL_QUEUE_MS) calmUs = nowUs;
    if (nowUs >= stepEndsUs) {
      stepEndsUs += (plan.durationMs * 1000) / STEPS;
      if (nowUs - calmUs < LASTS_US) rateBps = Math.min(plan.maxBps, rateBps * 2);
    }
    owedBytes = Math.min(MAX_OWED_BYTES, owedBytes + ((nowUs - lastUs) * rateBps) / 8_000_000);
    lastUs = nowUs;
    for (; owedBytes >= datagramBytes; owedBytes -= datagramBytes) {
      if (link.send(DATAGRAM_PROBE, body, 0, true, nowUs) !== undefined) continue;
      sent.datagrams++;
      sent.bytes += datagramBytes;
    }
  });
  return timer;
}
