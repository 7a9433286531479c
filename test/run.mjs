/**
 * `npm test`: prepares what is missing, then runs every stage in order and sums the results. The last line is
 * `N passed, N failed, N skipped`. `npm test -- unit types` runs the named stages only.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkRuntimeVersion, ensureDependencies, ROOT } from "../start/dependencies.mjs";
import { StartError } from "../start/start-error.mjs";
import { endAllCommands } from "./run-command.mjs";
import { stages } from "./stages.mjs";

/** @typedef {import("./reports.mjs").Counts} Counts */

const REPORTS = join(ROOT, "test", ".cache", "reports");

async function main() {
  checkRuntimeVersion();
  const chosen = chooseStages(process.argv.slice(2));
  ensureDependencies();
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });

  /** @type {Counts} */
  const total = { passed: 0, failed: 0, skipped: 0 };
  while (chosen.length > 0) {
    for (const counts of await Promise.all(nextOf(chosen).map(runStage))) {
      total.passed += counts.passed;
      total.failed += counts.failed;
      total.skipped += counts.skipped;
    }
  }
  if (total.failed > 0 || total.passed === 0) process.exitCode = 1;
  await printed;
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
}

/** @param {string[]} names */
function chooseStages(names) {
  const unknown = names.find((name) => !stages.some((stage) => stage.name === name));
  if (unknown !== undefined) {
    const known = stages.map((stage) => stage.name).join(", ");
    throw new StartError(`There is no test stage ${JSON.stringify(unknown)}: choose from ${known}.`);
  }
  return names.length === 0 ? [...stages] : stages.filter((stage) => names.includes(stage.name));
}

/**
 * Takes the next stage off the front, or all patient ones that stand there.
 * @param {import("./stages.mjs").Stage[]} waiting
 */
function nextOf(waiting) {
  const others = waiting.findIndex(({ isPatient }) => isPatient !== true);
  return waiting.splice(0, others === -1 ? waiting.length : Math.max(1, others));
}

/** What is printed of stages that run at the same time comes out stage by stage. @type {Promise<void>} */
let printed = Promise.resolve();

/** @param {import("./stages.mjs").Stage} stage @returns {Promise<Counts>} */
async function runStage(stage) {
  const before = printed;
  /** @type {() => void} */
  let done = () => undefined;
  printed = new Promise((resolve) => {
    done = resolve;
  });
  /** @type {string[] | undefined} */
  let held = [`\n> ${stage.name}: ${stage.title}`];
  void before.then(() => {
    for (const line of held ?? []) process.stdout.write(`${line}\n`);
    held = undefined;
  });
  /** @param {string} line */
  const print = (line) => {
    if (held === undefined) process.stdout.write(`${line}\n`);
    else held.push(line);
  };
  const startedMs = performance.now();
  /** @type {Counts} */
  let counts;
  try {
    counts = await stage.run({ reports: REPORTS, print });
  } catch (error) {
    const text =
      error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
    print(`  ${text}`);
    counts = { passed: 0, failed: 1, skipped: 0 };
  }
  if (counts.passed + counts.failed + counts.skipped === 0) {
    print("  This stage ran no test at all, which counts as a failure.");
    counts = { passed: 0, failed: 1, skipped: 0 };
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const { passed, failed, skipped } = counts;
  print(`  ${stage.name}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s`);
  void before.then(done);
  return counts;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    endAllCommands();
    process.exit(130);
  });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
