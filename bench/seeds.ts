/**
 * `npm run bench -- seeds`: random networks and streams through the real delivery code, and what must hold on all of them:
 * nothing wrong or out of order, no storm of NACKs, no endless timers, all whole again with the network, memory flat. One row
 * for each hundred seeds; a seed that fails is named with the command that repeats it.
 */
import { runSeed } from "../test/sim/random-networks.ts";
import { note, readOptions, reportRow } from "./report.ts";

const ROW_SEEDS = 100;

const options = readOptions({
  seeds: { default: 1_000, min: 1, max: 1_000_000, whole: true, about: "how many" },
  first: { default: 1, min: 0, max: 2 ** 31, whole: true, about: "the first one" },
});

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1e6;
}

const end = options.first + options.seeds;
let heapBeforeMb: number | undefined;
for (let first = options.first; first < end; first += ROW_SEEDS) {
  const last = Math.min(end, first + ROW_SEEDS) - 1;
  let failed = 0;
  let datagrams = 0;
  let feedback = 0;
  let overhead = 0;
  for (let seed = first; seed <= last; seed++) {
    const outcome = await runSeed(seed);
    datagrams += outcome.datagrams;
    feedback = Math.max(feedback, outcome.feedback);
    overhead = Math.max(overhead, outcome.overhead);
    if (outcome.faults.length === 0) continue;
    failed++;
    note(`npm run bench -- seeds --first ${seed} --seeds 1: ${outcome.faults.join("; ")}`);
  }
  const heap = heapMb();
  heapBeforeMb ??= heap;
  reportRow({
    bench: "seeds",
    row: { first, last },
    figures: {
      failed,
      datagrams,
      worstFeedback: feedback,
      worstOverhead: overhead,
      heapGrowthMb: heap - heapBeforeMb,
    },
    target: { failed: "<= 0", heapGrowthMb: "<= 20" },
  });
}
