/**
 * A random network and a random stream from a seed, through the delivery code of LossyHops, and what must hold whatever they
 * are. A seed that fails is a finding: run it again by itself.
 */
import type { Random } from "../../core/clock.ts";
import type { NetworkOptions } from "../../core/session/network-path.ts";
import { LossyHops, type LossyResult, type LossyRun, type Settlement } from "./lossy-hops.ts";
import { seededRandom } from "./seeded-random.ts";

const WARM_UP_SECONDS = 2;
const MEASURED_SECONDS = 6;
/** NACKs and reports, relative to media bytes. */
const MAX_FEEDBACK = 0.05;
/** Below this many bits a second reports alone are more than that share, and nobody minds. */
const LEAST_BPS_FOR_FEEDBACK = 200_000;
/** What RepairBudget allows: a share of the media, and so many bytes that were saved up before; and NACKs. */
const MAX_REPAIR = 0.6;
const MAX_REPAIR_BURST_BYTES = 96 * 1024;
const DATAGRAM_BYTES = 1_000;
/** Histories keep this many symbols of a node at most. */
const MAX_HELD_SYMBOLS = 2_000;

export interface SeedOutcome extends LossyResult, Settlement {
  seed: number;
  run: LossyRun;
  /** One sentence for each invariant that does not hold. */
  faults: string[];
}

function between(random: Random, from: number, to: number): number {
  return from + random() * (to - from);
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!;
}

function randomNetwork(random: Random): Partial<NetworkOptions> {
  const isBursty = random() < 0.4;
  return {
    loss: random() < 0.15 ? 0 : between(random, 0, 0.3),
    lossBurstMs: isBursty ? between(random, 5, 80) : 0,
    jitterMs: random() < 0.5 ? between(random, 0, 40) : 0,
    jitterReorders: random() < 0.5,
    reorder: random() < 0.3 ? between(random, 0, 0.1) : 0,
    reorderMs: between(random, 1, 40),
    duplicate: random() < 0.3 ? between(random, 0, 0.1) : 0,
  };
}

/** Changes in the middle: another network, another delay, an outage, a bottleneck. */
function randomSteps(random: Random): LossyRun["steps"] {
  const steps: { atSeconds: number; network: Partial<NetworkOptions> }[] = [];
  if (random() < 0.5) {
    steps.push({ atSeconds: between(random, 0, MEASURED_SECONDS), network: randomNetwork(random) });
  }
  if (random() < 0.3) {
    const delayMs = between(random, 2, 150);
    steps.push({ atSeconds: between(random, 0, MEASURED_SECONDS), network: { delayMs } });
  }
  if (random() < 0.3) {
    const atSeconds = between(random, 0, MEASURED_SECONDS - 2);
    steps.push({ atSeconds, network: { down: true } });
    steps.push({ atSeconds: atSeconds + between(random, 0.05, 1.5), network: { down: false } });
  }
  if (random() < 0.3) {
    const atSeconds = between(random, 0, MEASURED_SECONDS - 3);
    steps.push({ atSeconds, network: { rateBps: between(random, 300_000, 3_000_000) } });
    steps.push({ atSeconds: atSeconds + between(random, 0.5, 3), network: { rateBps: 0 } });
  }
  return steps.sort((a, b) => a.atSeconds - b.atSeconds);
}

/** The stream and the network that a seed stands for. */
export function randomRun(seed: number): LossyRun {
  // Not the simulation's own numbers: the same seed would repeat them there.
  const random = seededRandom(seed * 2_654_435_761 + 1);
  const rttMs = between(random, 5, 300);
  const hops = random() < 0.3 ? 2 : 1;
  const datagramsPerSecond = Math.round(between(random, 30, 400));
  const asPictures = random() < 0.7;
  return {
    seed,
    seconds: MEASURED_SECONDS,
    warmUpSeconds: WARM_UP_SECONDS,
    hops,
    rttMs,
    budgetMs: hops * rttMs + between(random, 20, 400),
    datagramsPerSecond,
    picturesPerSecond: asPictures ? pick(random, [10, 15, 25, 30]) : datagramsPerSecond,
    network: randomNetwork(random),
    steps: randomSteps(random),
  };
}

/** Runs one seed. Never throws for what it finds: `faults` says it. */
export async function runSeed(seed: number): Promise<SeedOutcome> {
  const run = randomRun(seed);
  const simulation = new LossyHops(run);
  const result = await simulation.run();
  const settlement = await simulation.settle();
  const outcome: SeedOutcome = { seed, run, ...result, ...settlement, faults: [] };
  outcome.faults.push(...faultsOf(outcome));
  return outcome;
}

function faultsOf(outcome: SeedOutcome): string[] {
  const { run, wrong, disordered, missingUnits, restless, feedback, overhead, heldSymbols } = outcome;
  const faults: string[] = [];
  const expect = (holds: boolean, sentence: string): void => {
    if (!holds) faults.push(sentence);
  };
  const mediaBps = run.datagramsPerSecond * 8_000;
  expect(wrong === 0, `${wrong} datagrams came out twice or changed`);
  expect(disordered === 0, `${disordered} units were decoded behind a later one`);
  expect(missingUnits === 0, `${missingUnits} units are missing though the network had been whole for 3 s`);
  expect(restless === 0, `${restless} NACKs and repairs in a third second of silence`);
  const feedbackMatters = mediaBps >= LEAST_BPS_FOR_FEEDBACK;
  expect(!feedbackMatters || feedback <= MAX_FEEDBACK, `feedback is ${percent(feedback)} of the media`);
  const burst = MAX_REPAIR_BURST_BYTES / (outcome.datagrams * DATAGRAM_BYTES);
  expect(overhead <= MAX_REPAIR + burst + MAX_FEEDBACK, `repair is ${percent(overhead)} of the media`);
  expect(heldSymbols <= (run.hops + 1) * MAX_HELD_SYMBOLS, `${heldSymbols} symbols are held`);
  return faults;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
