/**
 * `npm run bench -- tree`: one speaker and many listeners of a room on five relays, a root and four children: delivered share, copies a link, delay that a hop adds, CPU of each relay; then a storm of joins.
 * Real processes on loopback: etcd, five relays, audiences. A few listeners are on the root, the others on its children in equal
 * parts; what the children's take longer is the hop's. Media datagrams that the root hands to links, by those published, are the copies. All of it shares this machine:
 * with two cores the delay is what a full machine gives.
 */

import process from "node:process";
import { RelayProcess } from "../test/cluster/relay-process.ts";
import { TicketOffice } from "../test/cluster/ticket-office.ts";
import { EtcdProcess } from "../test/etcd/etcd-process.ts";
import { ensureEtcd } from "../test/etcd-binary.mjs";
import { type AudienceCount, LATENCY_BUCKET_US } from "./fanout/audience-orders.ts";
import { AudienceProcess } from "./fanout/audience-process.ts";
import { cpuSecondsOf } from "./fanout/process-cpu.ts";
import { startBenchPublisher } from "./fanout/publisher.ts";
import { note, quantile, readOptions, reportRow } from "./report.ts";

const options = readOptions({
  subscribers: {
    default: null,
    min: 10,
    max: 2_000,
    whole: true,
    about: "listeners in all, instead of the table",
  },
  "at-root": { default: 40, min: 1, max: 1_000, whole: true, about: "of them on the root" },
  rate: { default: 17, min: 1, max: 1_000, whole: true, about: "units of sound a second" },
  bytes: { default: 200, min: 100, max: 1000, whole: true, about: "bytes of a datagram" },
  seconds: { default: 15, min: 2, max: 600, about: "measured time" },
  joins: { default: 500, min: 0, max: 2_000, whole: true, about: "joins of the storm; 0 = none" },
  "join-seconds": { default: 5, min: 1, max: 60, about: "time in which they come" },
});

/** The first for the delay of a hop, which the second, a full machine, hides. */
const TABLE = [100, 1_000];
const CHILDREN = 4;
/** Processes of listeners, so that they are not what is measured: one fills its core with some 500. */
const FAR_PROCESSES = 2;
const STORM_PROCESSES = 2;
/** People whose process was killed are out of the room by then. */
const GONE_LOOKS = 120;
const LOOK_MS = 500;

const relays: RelayProcess[] = [];
const audiences: AudienceProcess[] = [];
process.env.ETCD_PATH = await ensureEtcd(note);
const etcd = await EtcdProcess.start();
const office = await TicketOffice.open();

function startRelay(id: string): Promise<RelayProcess> {
  return RelayProcess.start({
    RELAY_ID: id,
    RELAY_CAPACITY: "10000",
    TRIBUTARY_TICKET_JWKS: office.jwks,
    TRIBUTARY_ETCD: etcd.url,
  });
}

async function candidates(at: readonly RelayProcess[], count: number, name: string, room: string) {
  return await Promise.all(
    Array.from({ length: count }, (_, i) =>
      office.candidateFor(at[i % at.length]!.record, `${name}-${i}`, room),
    ),
  );
}

async function metric(relay: RelayProcess, name: string): Promise<number> {
  const text = await (await fetch(new URL("metrics", relay.record.operationsUrl))).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}

/** Media datagrams that a relay has handed to subscribers and links. */
const datagramsOut = (relay: RelayProcess): Promise<number> => metric(relay, "tributary_datagrams_out_total");

async function untilEmpty(): Promise<void> {
  for (let look = 0; look < GONE_LOOKS; look++) {
    const counts = await Promise.all(relays.map((relay) => metric(relay, "tributary_participants")));
    // Publishers are in this process, and stay.
    if (counts.reduce((sum, count) => sum + count, 0) <= TABLE.length) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error("the listeners are still in the room");
}

function delayMs(counts: readonly AudienceCount[], share: number): number | null {
  const total = counts.reduce((sum, { latencies }) => sum + latencies.reduce((n, of) => n + of, 0), 0);
  let before = 0;
  for (let bucket = 0; bucket < counts[0]!.latencies.length; bucket++) {
    for (const { latencies } of counts) before += latencies[bucket]!;
    if (before > 0 && before >= total * share) return ((bucket + 1) * LATENCY_BUCKET_US) / 1000;
  }
  return null;
}

async function measureTree(subscribers: number): Promise<void> {
  const { rate, bytes, seconds } = options;
  const room = `tree-of-${subscribers}`;
  const atRoot = Math.min(options["at-root"], subscribers);
  const [root, ...children] = relays as [RelayProcess, ...RelayProcess[]];
  const publisher = await startBenchPublisher(await office.candidateFor(root.record, "publisher", room), {
    rate,
    datagramBytes: bytes,
    picturesPerSecond: rate,
    isSound: true,
  });
  note(`${subscribers} listeners join ...`);
  const near = new AudienceProcess();
  const far = Array.from({ length: FAR_PROCESSES }, () => new AudienceProcess());
  audiences.push(near, ...far);
  await near.join(await candidates([root], atRoot, "near", room));
  const ways = await candidates(children, subscribers - atRoot, "far", room);
  const share = Math.ceil(ways.length / FAR_PROCESSES);
  await Promise.all(far.map((audience, i) => audience.join(ways.slice(i * share, (i + 1) * share))));
  await publisher.runFor(2_000);
  await publisher.settle();
  await Promise.all(audiences.map((audience) => audience.reset()));
  const cpuBefore = relays.map(({ pid }) => cpuSecondsOf(pid));
  const outBefore = await datagramsOut(root);
  note(`measuring for ${seconds} s ...`);
  const sent = await publisher.runFor(seconds * 1_000);
  const cpu = relays.map(({ pid }, i) => (cpuSecondsOf(pid) - cpuBefore[i]!) / seconds);
  await publisher.settle();
  const atNear = [await near.count()];
  const atFar = await Promise.all(far.map((audience) => audience.count()));
  const counts = [...atNear, ...atFar];
  const toLinks = (await datagramsOut(root)) - outBefore - sent * atRoot;
  const [nearP50, farP50] = [delayMs(atNear, 0.5), delayMs(atFar, 0.5)];
  const [nearP99, farP99] = [delayMs(atNear, 0.99), delayMs(atFar, 0.99)];
  reportRow({
    bench: "tree",
    row: { subscribers, atRoot, children: CHILDREN, rate, bytes, seconds },
    figures: {
      deliveredShare: counts.reduce((sum, { received }) => sum + received, 0) / (sent * subscribers),
      copiesPerLink: toLinks / (sent * CHILDREN),
      delayP50Ms: farP50,
      delayP99Ms: farP99,
      hopAddsP50Ms: farP50 === null || nearP50 === null ? null : farP50 - nearP50,
      hopAddsP99Ms: farP99 === null || nearP99 === null ? null : farP99 - nearP99,
      rootCoreShare: cpu[0]!,
      childCoreShare: quantile(cpu.slice(1), 0.5),
      closed: counts.reduce((sum, { closed }) => sum + closed, 0),
    },
    target: { deliveredShare: ">= 0.9999", copiesPerLink: "<= 1.01" },
  });
  for (const audience of audiences.splice(0)) await audience.end();
}

async function measureStorm(): Promise<void> {
  const { joins, "join-seconds": seconds } = options;
  note(`${joins} joins in ${seconds} s ...`);
  const storms = Array.from({ length: STORM_PROCESSES }, () => new AudienceProcess());
  audiences.push(...storms);
  const ways = await candidates(relays, joins, "storm", "storm");
  const share = Math.ceil(ways.length / STORM_PROCESSES);
  const counts = await Promise.all(
    storms.map((audience, i) =>
      audience.storm(ways.slice(i * share, (i + 1) * share), joins / seconds / STORM_PROCESSES),
    ),
  );
  const joinMs = counts.flatMap((count) => count.joinMs);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  reportRow({
    bench: "tree",
    row: { joins, seconds, relays: relays.length },
    figures: {
      joinP50Ms: quantile(joinMs, 0.5),
      joinP95Ms: quantile(joinMs, 0.95),
      joinMaxMs: quantile(joinMs, 1),
      failed,
    },
    target: { joinP95Ms: "<= 1500", failed: "<= 0" },
  });
}

try {
  // The first to have a participant is the root.
  for (let i = 0; i <= CHILDREN; i++) relays.push(await startRelay(`relay${i}`));
  for (const subscribers of options.subscribers === null ? TABLE : [options.subscribers]) {
    await measureTree(subscribers);
    await untilEmpty();
  }
  if (options.joins > 0) await measureStorm();
} finally {
  for (const audience of audiences) await audience.end();
  await Promise.all(relays.map((relay) => relay.end()));
  await etcd.stop();
}
Deno.exit(0);
