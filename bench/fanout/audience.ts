/**
 * Child of bench/fanout.deno.ts: a process full of real participants that subscribe to everything and count what
 * arrives. One JSON order a line on standard input, one JSON answer a line on standard output.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { joinRelay } from "../../core/participant/participant.ts";
import type { Participant, RelayCandidate } from "../../core/participant/participant-api.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import { connectSession } from "../../relay/deno/session.ts";
import {
  type AudienceCount,
  type AudienceOrder,
  LATENCY_BUCKET_US,
  LATENCY_BUCKETS,
  type StormCount,
} from "./audience-orders.ts";

/** Joins that run at once; more would measure the join storm instead. */
const JOINS_AT_ONCE = 10;
const LOOK_MS = 20;
const MAX_LOOKS = 500;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

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

function enter(relay: RelayCandidate): Promise<Participant> {
  return joinRelay({
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
}

async function join(relay: RelayCandidate): Promise<void> {
  const member = await enter(relay);
  for (const trackId of await tracksOf(member)) {
    await member.subscribe(trackId);
    subscriptions.push({ member, trackId });
  }
}

/** A relay that has just been attached to the room's tree hears of others a moment later. */
async function tracksOf(member: Participant): Promise<number[]> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const tracks = [...member.participants.values()].flatMap((participant) => participant.tracks);
    if (tracks.length > 0) return tracks.map(({ trackId }) => trackId);
    await pause(LOOK_MS);
  }
  throw new Error(`${member.identity} sees no track`);
}

async function storm(relays: RelayCandidate[], perSecond: number): Promise<StormCount> {
  const joinMs: number[] = [];
  let failed = 0;
  const startUs = systemClock.nowUs();
  await Promise.all(
    relays.map(async (relay, at) => {
      await pause((at * 1_000) / perSecond - (systemClock.nowUs() - startUs) / 1_000);
      const beforeUs = systemClock.nowUs();
      try {
        await enter(relay);
        joinMs.push((systemClock.nowUs() - beforeUs) / 1_000);
      } catch {
        failed++;
      }
    }),
  );
  return { joinMs, failed };
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
  if (order.order === "storm") return await storm(order.relays, order.perSecond);
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
