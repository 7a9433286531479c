/**
 * `npm run bench -- flood`: a call goes on while somebody opens ten thousand half-open connections, or sessions that never say hello.
 * A publisher and a listener are in a room of a relay in a process of its own; what the attack costs them is the share of
 * datagrams that the listener misses and the delay, before and during it. What the relay counted comes from its /metrics.
 */
import { LATENCY_BUCKET_US } from "./fanout/audience-orders.ts";
import { AudienceProcess } from "./fanout/audience-process.ts";
import { floodHalfOpen, floodSilent } from "./fanout/flood.ts";
import { startBenchPublisher } from "./fanout/publisher.ts";
import { startBenchRelay } from "./fanout/relay.ts";
import { note, readOptions, reportRow } from "./report.ts";

const options = readOptions({
  halfOpen: { default: 10_000, min: 0, max: 1e6, whole: true, about: "handshakes that are never finished" },
  silent: { default: 2_000, min: 0, max: 1e5, whole: true, about: "sessions that never say hello" },
});

/** The call: sound and a small picture. */
const CALL = { rate: 100, datagramBytes: 800, picturesPerSecond: 50 };
const CALM_MS = 3_000;

function worstMs(latencies: number[]): number {
  return ((latencies.findLastIndex((count) => count > 0) + 1) * LATENCY_BUCKET_US) / 1000;
}

/** Sum of a metric's samples whose labels contain `label`. */
function metric(text: string, name: string, label: string): number {
  let sum = 0;
  for (const line of text.split("\n")) {
    if (line.startsWith(name) && line.includes(label)) sum += Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return sum;
}

async function attack(kind: "half-open" | "silent", count: number): Promise<void> {
  note(`${count} ${kind} ...`);
  const { relay, wayFor } = await startBenchRelay();
  const audience = new AudienceProcess();
  try {
    const publisher = await startBenchPublisher(await wayFor("publisher"), CALL);
    await audience.join([await wayFor("listener")]);
    await publisher.runFor(500);
    await publisher.settle();
    await audience.reset();
    await publisher.runFor(CALM_MS);
    const calm = await audience.count();
    await audience.reset();
    const startMs = performance.now();
    const stopped = new AbortController();
    const call = publisher.runUntil(stopped.signal);
    const letIn =
      kind === "half-open"
        ? await floodHalfOpen(relay.record, count)
        : await floodSilent(relay.record, count);
    stopped.abort();
    const sent = await call;
    const seconds = (performance.now() - startMs) / 1000;
    await publisher.settle();
    const during = await audience.count();
    const metrics = await (await fetch(new URL("/metrics", relay.record.operationsUrl))).text();
    const joinStartMs = performance.now();
    const second = new AudienceProcess();
    await second.join([await wayFor("newcomer")]);
    const joinMs = performance.now() - joinStartMs;
    await second.end();
    reportRow({
      bench: "flood",
      row: { kind, count, attackSeconds: Math.round(seconds) },
      figures: {
        missedShare: 1 - during.received / sent,
        closed: during.closed,
        worstDelayCalmMs: worstMs(calm.latencies),
        worstDelayMs: worstMs(during.latencies),
        refused: metric(metrics, "tributary_http3_refused_total", "reason="),
        ...(letIn === undefined ? {} : { letIn }),
        newcomerProcessAndJoinMs: joinMs,
      },
      // A burst of whole handshakes overflows the system's UDP buffer: what it costs is reported, not promised.
      target: kind === "half-open" ? { missedShare: "<= 0", closed: "<= 0" } : { closed: "<= 0" },
    });
  } finally {
    await audience.end();
    await relay.end();
  }
}

if (options.halfOpen > 0) await attack("half-open", options.halfOpen);
if (options.silent > 0) await attack("silent", options.silent);
Deno.exit(0);
