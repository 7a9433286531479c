/**
 * `npm run bench -- loss`: share of datagrams not delivered in time and overhead of repair, over simulated lossy networks.
 * The product's packetizer, links, hop recovery and depacketizer on a virtual clock: 250 datagrams a second of 1000 bytes, evenly
 * spaced, each an access unit of its own, unless --pictures says otherwise. The way back loses as much as the way there.
 * `residual` is the share of source datagrams that the decoder did not have within the budget after they were sent;
 * `overhead` is repair and NACK bytes against media bytes on the hop where they are most; `feedback` is everything sent
 * back, reports included. Each row begins 5 s after the stream, of which nothing is counted.
 */
import { LossyHops, type LossyRun } from "../test/sim/lossy-hops.ts";
import { type Figures, note, quantile, readOptions, reportRow, type Target } from "./report.ts";

const options = readOptions({
  loss: { default: null, min: 0, max: 60, about: "% lost each way: one row instead of the table" },
  burst: { default: 0, min: 0, max: 500, about: "mean length of loss bursts in ms, 0 = independent losses" },
  rtt: { default: 80, min: 0, max: 1_000, about: "round trip of each hop in ms" },
  budget: { default: 200, min: 10, max: 1_400, about: "ms from sending to playout, over all hops" },
  jitter: { default: 0, min: 0, max: 200, about: "ms added at random, which reorders" },
  hops: { default: 1, min: 1, max: 4, whole: true, about: "hops, each with this loss and round trip" },
  pictures: { default: 250, min: 5, max: 250, about: "access units a second, each sent at once" },
  seconds: { default: 200, min: 1, max: 3_600, about: "measured time of a row" },
  seed: { default: 1, min: 0, max: 2 ** 31, whole: true, about: "of the randomness" },
});

const WARM_UP_SECONDS = 5;
const RATE = 250;

interface RowPlan {
  name: string;
  lossPercent: number;
  burstMs: number;
  rttMs: number;
  budgetMs: number;
  hops?: number;
  jitterMs?: number;
  reorder?: number;
  pictures?: number;
  warmUpSeconds?: number;
  steps?: LossyRun["steps"];
  target?: { residual: number; overhead: number };
}

const BASE = { burstMs: 0, rttMs: 80, budgetMs: 200 };

const TABLE: readonly RowPlan[] = [
  { ...BASE, name: "random", lossPercent: 1, target: { residual: 0.0005, overhead: 0.03 } },
  { ...BASE, name: "random", lossPercent: 2, target: { residual: 0.0005, overhead: 0.05 } },
  { ...BASE, name: "random", lossPercent: 5, target: { residual: 0.0005, overhead: 0.12 } },
  { ...BASE, name: "random", lossPercent: 10, target: { residual: 0.001, overhead: 0.22 } },
  { ...BASE, name: "random", lossPercent: 20, target: { residual: 0.003, overhead: 0.46 } },
  { ...BASE, name: "bursty", lossPercent: 10, burstMs: 16, target: { residual: 0.008, overhead: 0.28 } },
  {
    name: "bursty",
    lossPercent: 10,
    burstMs: 16,
    rttMs: 50,
    budgetMs: 300,
    target: { residual: 0.0002, overhead: 0.18 },
  },
  {
    name: "two hops",
    lossPercent: 5,
    burstMs: 0,
    rttMs: 40,
    budgetMs: 200,
    hops: 2,
    target: { residual: 0.0005, overhead: 0.12 },
  },
  {
    ...BASE,
    name: "loss ended 5 s ago",
    lossPercent: 10,
    warmUpSeconds: 25,
    steps: [{ atSeconds: -5, network: { loss: 0 } }],
    target: { residual: 0, overhead: 0.02 },
  },
  { ...BASE, name: "jitter", lossPercent: 5, jitterMs: 20 },
  { ...BASE, name: "reordering", lossPercent: 5, reorder: 0.05 },
  {
    ...BASE,
    name: "steps 0-10-2-20-5 %",
    lossPercent: 0,
    steps: [10, 2, 20, 5].map((percent, i) => ({
      atSeconds: 10 * (i + 1),
      network: { loss: percent / 100 },
    })),
  },
  {
    ...BASE,
    name: "steps bursty, random, RTT 120, RTT 40",
    lossPercent: 10,
    burstMs: 20,
    steps: [
      { atSeconds: 15, network: { lossBurstMs: 0 } },
      { atSeconds: 30, network: { delayMs: 60 } },
      { atSeconds: 45, network: { delayMs: 20, loss: 0.05 } },
    ],
  },
  { ...BASE, name: "pictures at once", lossPercent: 10, pictures: 30 },
  { ...BASE, name: "pictures at once, bursty", lossPercent: 10, burstMs: 16, pictures: 30 },
];

async function runRow(plan: RowPlan): Promise<boolean> {
  const hops = plan.hops ?? 1;
  const pictures = plan.pictures ?? RATE;
  const simulation = new LossyHops({
    seed: options.seed,
    seconds: options.seconds,
    warmUpSeconds: plan.warmUpSeconds ?? WARM_UP_SECONDS,
    hops,
    rttMs: plan.rttMs,
    budgetMs: plan.budgetMs,
    datagramsPerSecond: RATE,
    picturesPerSecond: pictures,
    network: {
      loss: plan.lossPercent / 100,
      lossBurstMs: plan.burstMs,
      jitterMs: plan.jitterMs ?? 0,
      reorder: plan.reorder ?? 0,
      reorderMs: 15,
    },
    steps: plan.steps ?? [],
  });
  const result = await simulation.run();
  const figures: Figures = {
    residual: result.residual,
    overhead: result.overhead,
    delayP50Ms: quantile(result.delaysMs, 0.5),
    delayP99Ms: quantile(result.delaysMs, 0.99),
    feedback: result.feedback,
    datagrams: result.datagrams,
    wrongDatagrams: result.wrong,
  };
  const target: Record<string, Target> = { feedback: "<= 0.05", wrongDatagrams: "<= 0" };
  if (plan.target !== undefined) {
    target.residual = `<= ${plan.target.residual}`;
    target.overhead = `<= ${plan.target.overhead}`;
  }
  return reportRow({
    bench: "loss",
    row: {
      network: plan.name,
      loss: plan.lossPercent,
      burst: plan.burstMs,
      rtt: plan.rttMs,
      budget: plan.budgetMs,
      jitter: plan.jitterMs ?? 0,
      hops,
      pictures,
      seconds: options.seconds,
      seed: options.seed,
    },
    figures,
    target,
  });
}

async function main(): Promise<void> {
  const { loss, burst, rtt, budget, jitter, hops, pictures } = options;
  if (loss === null) {
    note("Simulated networks, each row on its own virtual clock; --loss and the other options run one row.");
    for (const plan of TABLE) await runRow(plan);
    return;
  }
  await runRow({
    name: "from options",
    lossPercent: loss,
    burstMs: burst,
    rttMs: rtt,
    budgetMs: budget,
    jitterMs: jitter,
    hops,
    pictures,
  });
}

await main();
