/**
 * Child of bench/fanout.deno.ts: a process full of real participants that subscribe to everything and count what
 * arrives. One JSON order a line on standard input, one JSON answer a line on standard output.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { joinRelay } from "../../core/participant/participant.ts";
import type { Participant, RelayCandidate } from "../../core/participant/participant-api.ts";
import { systemClock } from "../../relay/deno/clock.ts";
import { connectSession } from "../../relay/deno/session.ts";
import {
  type AudienceCount,
  type AudienceOrder,
  LATENCY_BUCKET_US,
  LATENCY_BUCKETS,
} from "./audience-orders.ts";

/** Joins that run at once; more would measure the join storm instead. */
const JOINS_AT_ONCE = 10;

const latencies = new Uint32Array(LATENCY_BUCKETS);
const subscriptions: { member: Participant; trackId: number }[] = [];
let closed = 0;
let receivedBefore = 0;
let lostBefore = 0;

function onAccessUnit(_trackId: number, unit: AccessUnit, arrivedUs: number): void {
  const bucket = Math.floor((arrivedUs - unit.captureTimeUs) / LATENCY_BUCKET_US);
  latencies[Math.max(0, Math.min(LATENCY_BUCKETS - 1, bucket))]!++;
}

/** Datagrams of tracks that have arrived, or are known to be missing, since the start. */
function countNow(field: "datagrams" | "datagramsLost"): number {
  let sum = 0;
  for (const { member, trackId } of subscriptions) sum += member.trackCounters(trackId)?.[field] ?? 0;
  return sum;
}

async function join(relay: RelayCandidate): Promise<void> {
  const member = await joinRelay({
    connect: connectSession,
    clock: systemClock,
    random: Math.random,
    relay,
    client: "bench-fanout",
    onAccessUnit,
    onEvent: (event) => {
      if (event.type === "closed" || event.type === "interrupted") closed++;
    },
    timeoutMs: 20_000,
  });
  for (const participant of member.participants.values()) {
    for (const track of participant.tracks) {
      await member.subscribe(track.trackId);
      subscriptions.push({ member, trackId: track.trackId });
    }
  }
}

async function joinAll(relays: RelayCandidate[]): Promise<void> {
  for (let at = 0; at < relays.length; at += JOINS_AT_ONCE) {
    await Promise.all(relays.slice(at, at + JOINS_AT_ONCE).map(join));
  }
}

async function obey(order: AudienceOrder): Promise<unknown> {
  if (order.order === "join") {
    await joinAll(order.relays);
    return { joined: subscriptions.length };
  }
  if (order.order === "reset") {
    latencies.fill(0);
    receivedBefore = countNow("datagrams");
    lostBefore = countNow("datagramsLost");
    return {};
  }
  const { user, system } = process.cpuUsage();
  const count: AudienceCount = {
    received: countNow("datagrams") - receivedBefore,
    lost: countNow("datagramsLost") - lostBefore,
    latencies: [...latencies],
    closed,
    cpuSeconds: (user + system) / 1e6,
  };
  return count;
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await obey(JSON.parse(line) as AudienceOrder);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
