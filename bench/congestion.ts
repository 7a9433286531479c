/**
 * `npm run bench -- congestion`: a publisher behind a bottleneck that is lifted later, in a simulated room with the
 * product's participants, relay and bandwidth estimator; the encoder makes what the participant says.
 * `settledS` is when the rate is below the bottleneck for good, `backS` how long after the lift the encoder is at its full
 * rate again, `queueP95Ms` what sound waits beyond the way itself once settled; `utilisation` is video against the
 * bottleneck once settled, `soundShare` the sound that arrived. A row without a bottleneck (--rate 0) shows that loss by
 * chance does not lower the rate: `fullShare` is the share of seconds at full rate.
 * Rows with `viewer` put one of two who watch behind the bottleneck instead: `picturesPerSecond` is what that one can show of 30, `backS` how
 * long after the lift it is 30 again, `othersFaults` what the other one missed, `publisherKept` whether the publisher kept its rate.
 * Rows with `publishers` have several share the bottleneck of their uplinks, one after the other every 15 s: `leastShare` is what the one with the
 * least sends of all that is sent, from 30 s after the last has begun.
 * Where `both` who watch are behind such a bottleneck, the publisher lowers its rate instead: `publisherKbps` to so much.
 */
import { type BottleneckSecond, runBottleneck } from "../test/sim/bottleneck.ts";
import { runSharedBottleneck } from "../test/sim/shared-bottleneck.ts";
import { PICTURES_PER_SECOND } from "../test/sim/simulated-encoder.ts";
import { runViewers, SOUNDS_PER_SECOND } from "../test/sim/viewers.ts";
import { type Figures, quantile, readOptions, reportRow, type Target } from "./report.ts";

const options = readOptions({
  rate: {
    default: null,
    min: 0,
    max: 100_000,
    about: "bottleneck in kb/s, 0 = none: one row instead of the table",
  },
  full: { default: 1_000, min: 50, max: 20_000, about: "what the encoder makes without a limit, kb/s" },
  queue: { default: 400, min: 5, max: 5_000, about: "longest queue of the bottleneck, ms" },
  rtt: { default: 40, min: 1, max: 1_000, about: "round trip of each member to the relay, ms" },
  loss: { default: 0, min: 0, max: 60, about: "% of the publisher's datagrams lost by chance" },
  burst: { default: 0, min: 0, max: 500, about: "mean length of loss bursts in ms, 0 = independent losses" },
  jitter: { default: 0, min: 0, max: 200, about: "ms added at random, which reorders" },
  viewer: {
    default: null,
    min: 0,
    max: 1,
    whole: true,
    about: "with --rate, the bottleneck is a viewer's: 1 = of a camera in three layers, 0 = without layers",
  },
  both: {
    default: 0,
    min: 0,
    max: 1,
    whole: true,
    about: "with --viewer, 1 = both who watch are behind such a bottleneck",
  },
  publishers: {
    default: null,
    min: 2,
    max: 4,
    whole: true,
    about: "with --rate, so many share the bottleneck of their uplinks",
  },
  seconds: { default: 40, min: 15, max: 600, about: "time behind the bottleneck; 25 more follow without" },
  seed: { default: 1, min: 0, max: 2 ** 31, whole: true, about: "of the randomness" },
});

type Road = Record<"rate" | "full" | "queue" | "rtt" | "loss" | "burst" | "jitter", number>;

const AFTER_S = 25;
const SETTLE_S = 5;
const BASE: Road = { rate: 1_000, full: 1_000, queue: 400, rtt: 40, loss: 0, burst: 0, jitter: 0 };
const TABLE: readonly Road[] = [
  BASE,
  { ...BASE, full: 2_500 },
  { ...BASE, rate: 500 },
  { ...BASE, rate: 700, queue: 60 },
  { ...BASE, loss: 5 },
  { ...BASE, rtt: 200, jitter: 20 },
  { ...BASE, rate: 0, loss: 10 },
  { ...BASE, rate: 0, loss: 20, jitter: 20 },
  { ...BASE, rate: 0, loss: 10, burst: 60 },
];

/** Seconds until `isGood` holds for the rest; null when it never does. */
function goodFrom(
  seconds: readonly BottleneckSecond[],
  isGood: (second: BottleneckSecond) => boolean,
): number | null {
  let from = seconds.length;
  while (from > 0 && isGood(seconds[from - 1]!)) from--;
  return from === seconds.length ? null : from + 1;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

async function runRow(road: Road): Promise<void> {
  const fullBps = road.full * 1_000;
  const rateBps = road.rate * 1_000;
  const seconds = await runBottleneck({
    seed: options.seed,
    fullBps,
    rttMs: road.rtt,
    network: {
      rateBps,
      queueMs: road.queue,
      loss: road.loss / 100,
      lossBurstMs: road.burst,
      jitterMs: road.jitter,
    },
    steps: [{ atSeconds: options.seconds, network: { rateBps: 0 } }],
    seconds: options.seconds + AFTER_S,
  });
  const behind = seconds.slice(0, options.seconds);
  const settled = behind.slice(SETTLE_S);
  const after = seconds.slice(options.seconds);
  const queuesMs = settled.flatMap((second) => second.queuesMs);
  const sent = settled.reduce((sum, { soundSent }) => sum + soundSent, 0);
  const figures: Figures = {
    soundShare: settled.reduce((sum, { soundArrived }) => sum + soundArrived, 0) / sent,
    picturesPerSecond: mean(settled.map(({ picturesArrived }) => picturesArrived)),
    queueP50Ms: quantile(queuesMs, 0.5),
    queueP95Ms: quantile(queuesMs, 0.95),
    videoKbps: mean(settled.map(({ videoBps }) => videoBps)) / 1_000,
  };
  const target: Record<string, Target> = {};
  if (road.rate > 0) {
    figures.settledS = goodFrom(behind, ({ videoBps }) => videoBps < rateBps);
    figures.backS = goodFrom(after, ({ videoBps }) => videoBps === fullBps);
    figures.utilisation = mean(settled.map(({ videoBps }) => videoBps)) / rateBps;
    Object.assign(target, {
      soundShare: ">= 0.995",
      settledS: "<= 5",
      queueP95Ms: "<= 150",
      backS: "<= 15",
    } satisfies Record<string, Target>);
  } else {
    figures.fullShare = mean(settled.map(({ videoBps }) => (videoBps === fullBps ? 1 : 0)));
    target.fullShare = ">= 0.8";
  }
  reportRow({
    bench: "congestion",
    row: { ...road, seconds: options.seconds, seed: options.seed },
    figures,
    target,
  });
}

/** A viewer behind the bottleneck, with layers or without. */
const VIEWER_TABLE = [
  { rate: 1_000, viewer: 1, both: 0 },
  { rate: 700, viewer: 1, both: 0 },
  { rate: 500, viewer: 1, both: 0 },
  { rate: 300, viewer: 1, both: 0 },
  { rate: 500, viewer: 0, both: 0 },
  { rate: 1_000, viewer: 1, both: 1 },
  { rate: 500, viewer: 1, both: 1 },
  { rate: 300, viewer: 0, both: 1 },
];

async function runViewerRow(
  road: Pick<Road, "rate" | "full" | "queue" | "rtt">,
  viewer: number,
  both: number,
): Promise<void> {
  const liftedS = Math.round(options.seconds);
  const seconds = liftedS + AFTER_S;
  const { slow, fastFaults, publisherBps } = await runViewers({
    seed: options.seed,
    videoBps: road.full * 1_000,
    layered: viewer === 1,
    rttMs: road.rtt,
    network: { rateBps: road.rate * 1_000, queueMs: road.queue },
    bothSlow: both === 1,
    liftedS,
    seconds,
  });
  const settled = slow.slice(SETTLE_S, liftedS);
  const queuesMs = settled.flatMap((second) => second.queuesMs);
  const after = slow.slice(liftedS);
  let backS = after.length;
  while (backS > 0 && after[backS - 1]!.shown === PICTURES_PER_SECOND) backS--;
  reportRow({
    bench: "congestion",
    row: { ...road, viewer, both, seconds: liftedS, seed: options.seed },
    figures: {
      soundShare: mean(settled.map(({ sounds }) => sounds)) / SOUNDS_PER_SECOND,
      picturesPerSecond: mean(settled.map(({ shown }) => shown)),
      queueP50Ms: quantile(queuesMs, 0.5),
      queueP95Ms: quantile(queuesMs, 0.95),
      backS: backS === after.length ? null : backS + 1,
      ...(both === 1
        ? { publisherKbps: (publisherBps ?? 0) / 1_000 }
        : { othersFaults: fastFaults, publisherKept: publisherBps === undefined ? 1 : 0 }),
    },
    target: {
      soundShare: ">= 0.995",
      queueP95Ms: "<= 150",
      backS: "<= 15",
      ...(both === 1 ? { picturesPerSecond: ">= 29" } : { othersFaults: "<= 0", publisherKept: ">= 1" }),
    },
  });
}

/** One after the other, a household's calls begin. */
const START_EVERY_S = 15;
const LATE_S = 30;
const SHARED_S = 45;
const SHARED_TABLE = [
  { ...BASE, publishers: 2 },
  { ...BASE, rate: 2_000, full: 1_500, publishers: 2 },
  { ...BASE, rate: 1_500, full: 1_500, rtt: 80, queue: 200, publishers: 2 },
  { ...BASE, queue: 60, publishers: 2 },
  { ...BASE, loss: 5, publishers: 2 },
];

async function runSharedRow(road: Road, publishers: number): Promise<void> {
  const startS = Array.from({ length: publishers }, (_, index) => index * START_EVERY_S);
  const fromS = startS.at(-1)! + LATE_S;
  const seconds = fromS + SHARED_S;
  const { sentBps, queuesMs, soundShare } = await runSharedBottleneck({
    seed: options.seed,
    fullBps: startS.map(() => road.full * 1_000),
    startS,
    rttMs: road.rtt,
    network: {
      rateBps: road.rate * 1_000,
      queueMs: road.queue,
      loss: road.loss / 100,
      lossBurstMs: road.burst,
      jitterMs: road.jitter,
    },
    seconds,
  });
  // Each one's seconds count from its own start.
  const late = sentBps.map((bps, index) => mean(bps.slice(fromS - startS[index]!)));
  const all = late.reduce((sum, bps) => sum + bps, 0);
  const waited = queuesMs.slice(SETTLE_S).flat();
  reportRow({
    bench: "congestion",
    row: { ...road, publishers, seconds, seed: options.seed },
    figures: {
      leastShare: Math.min(...late) / all,
      utilisation: all / (road.rate * 1_000),
      soundShare,
      queueP50Ms: quantile(waited, 0.5),
      queueP95Ms: quantile(waited, 0.95),
    },
    target: {
      queueP95Ms: "<= 150",
      soundShare: ">= 0.995",
      ...(publishers === 2 ? ({ leastShare: ">= 0.4" } satisfies Record<string, Target>) : {}),
    },
  });
}

if (options.rate === null) {
  for (const road of TABLE) await runRow(road);
  for (const { rate, viewer, both } of VIEWER_TABLE)
    await runViewerRow({ rate, full: 1_000, queue: 400, rtt: 40 }, viewer, both);
  for (const { publishers, ...road } of SHARED_TABLE) await runSharedRow(road, publishers);
} else if (options.viewer !== null) {
  const { rate, full, queue, rtt } = options;
  await runViewerRow({ rate, full, queue, rtt }, options.viewer, options.both);
} else {
  const { rate, full, queue, rtt, loss, burst, jitter } = options;
  const road = { rate, full, queue, rtt, loss, burst, jitter };
  if (options.publishers === null) await runRow(road);
  else await runSharedRow(road, options.publishers);
}
