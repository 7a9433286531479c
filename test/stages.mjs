/**
 * The stages of `npm test`, in order. Each is bounded in time, and returns counts read from its tools' own
 * machine-readable reports; a tool without one (Biome, tsc, deno check) counts as one test a run.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { denoExecutable, ROOT } from "../start/dependencies.mjs";
import { ensureBridgeTools } from "./bridge-tools.mjs";
import { ensureChromium } from "./chromium.mjs";
import { ensureEtcd } from "./etcd-binary.mjs";
import { ensureFirefox } from "./firefox.mjs";
import { projectFiles } from "./project-files.mjs";
import { readJunitReport, readVitestReport } from "./reports.mjs";
import { runCommand } from "./run-command.mjs";

/** @typedef {import("./reports.mjs").Counts} Counts */
/** @typedef {{reports: string, print: (line: string) => void}} StageContext */
/**
 * `isPatient`: most of its time is waiting, or it may wait. Such stages that follow each other run at the same time.
 * @typedef {{name: string, title: string, isPatient?: boolean, run: (context: StageContext) => Promise<Counts>}} Stage
 */

const BIOME = join(ROOT, "node_modules", "@biomejs", "biome", "bin", "biome");
const TSC = join(ROOT, "node_modules", "typescript", "bin", "tsc");
const VITEST = join(ROOT, "node_modules", "vitest", "vitest.mjs");

/** In front of a command that others go before. */
const NICELY = process.platform === "win32" ? [] : ["nice", "-n", "10"];

/** Programs that Deno runs: what they import is checked with them. */
const DENO_ENTRIES = [
  "start/all-in-one.ts",
  "start/bridge.ts",
  "gateway/deno.ts",
  "gateway/deno-serve.ts",
  "relay/deno/main.ts",
];

/** @type {Stage[]} */
export const stages = [
  { name: "format", title: "formatting (Biome)", run: (context) => biome(["format"], context) },
  { name: "lint", title: "lint (Biome)", run: (context) => biome(["lint", "--error-on-warnings"], context) },
  { name: "types", title: "types (tsc, deno check)", run: checkTypes },
  { name: "house", title: "house rules", run: (context) => vitest("house", 60_000, context) },
  { name: "unit", title: "unit tests", run: (context) => vitest("unit", 180_000, context) },
  { name: "deno", title: "tests on Deno", run: denoTests },
  { name: "etcd", title: "directory in a real etcd", run: etcdTests },
  { name: "gateway", title: "gateway on Node.js, Deno and Workers", isPatient: true, run: gatewayRuntimes },
  { name: "simulation", title: "simulated rooms", isPatient: true, run: simulations },
  { name: "bridge", title: "bridges and the programs they talk to", run: bridgeTests },
  { name: "browser", title: "two and more real browsers in a room", run: browserTests },
];

/** @param {string[]} args @param {StageContext} context @returns {Promise<Counts>} */
async function biome(args, context) {
  return oneCheck("", process.execPath, [BIOME, ...args, "--max-diagnostics=30", "."], 60_000, context);
}

/** @param {StageContext} context @returns {Promise<Counts>} */
async function checkTypes(context) {
  const configs = projectFiles().filter((path) => /(^|\/)tsconfig(\.(?!base)\w+)?\.json$/.test(path));
  const counts = [];
  for (const config of configs) {
    counts.push(await oneCheck(`tsc -p ${config}`, process.execPath, [TSC, "-p", config], 120_000, context));
  }
  const programs = projectFiles().filter((path) => path.endsWith(".deno.ts"));
  const entries = [...DENO_ENTRIES, ...programs, ...denoTestFiles()];
  const args = ["check", "--quiet", "--config", join(ROOT, "deno.json"), ...entries];
  counts.push(await oneCheck("deno check", denoExecutable(), args, 120_000, context));
  return sum(counts);
}

/** @param {StageContext} context @returns {Promise<Counts>} */
async function denoTests(context) {
  /** @param {string} path */
  const isElsewhere = (path) => /^(gateway|test\/bridge)\//.test(path);
  const files = denoTestFiles().filter((path) => !isElsewhere(path));
  return denoTest("deno", files, context, { env: await etcdPath(context) });
}

/**
 * @param {string} name of the report
 * @param {string[]} files
 * @param {StageContext} context
 * @param {{env?: Record<string, string>}} options
 * @returns {Promise<Counts>}
 */
async function denoTest(name, files, context, options = {}) {
  const report = join(context.reports, `${name}.xml`);
  const args = ["test", "-A", "--no-prompt", "--no-check", "--quiet", "--config", join(ROOT, "deno.json")];
  const result = await runCommand(denoExecutable(), [...args, `--junit-path=${report}`, ...files], {
    timeoutMs: 180_000,
    ...options,
  });
  return reported(result, report, readJunitReport, context);
}

/** On a virtual clock, so that whatever runs beside it may go first. @param {StageContext} context */
async function simulations(context) {
  return vitest("simulation", 240_000, context, { gently: true });
}

/** @param {StageContext} context @returns {Promise<Counts>} */
async function etcdTests(context) {
  return vitest("etcd", 150_000, context, { env: await etcdPath(context) });
}

/** For tests that start an etcd of their own. @param {StageContext} context */
async function etcdPath(context) {
  return { ETCD_PATH: await ensureEtcd(context.print) };
}

/** @param {StageContext} context @returns {Promise<Counts>} */
async function gatewayRuntimes(context) {
  return vitest("gateway-runtimes", 300_000, context, { env: await etcdPath(context) });
}

/** @param {StageContext} context @returns {Promise<Counts>} */
async function bridgeTests(context) {
  await ensureBridgeTools(context.print);
  const env = { CHROMIUM_PATH: await ensureChromium(context.print), ...(await etcdPath(context)) };
  const files = denoTestFiles().filter((path) => path.startsWith("test/bridge/"));
  // Most of their time is media that plays: those on Deno need not wait for those on Node.
  return sum(
    await Promise.all([vitest("bridge", 300_000, context, { env }), denoTest("bridge-deno", files, context)]),
  );
}

/** @param {StageContext} context @returns {Promise<Counts>} */
async function browserTests(context) {
  const chromium = await ensureChromium(context.print);
  // Elsewhere there is no sound server that a Firefox of the tests could have to itself.
  if (process.platform === "linux") await ensureFirefox(context.print);
  await ensureBridgeTools(context.print);
  return vitest("browser", 720_000, context, { show: true, env: { CHROMIUM_PATH: chromium } });
}

/**
 * Runs one project of vitest.config.ts.
 * @param {string} project
 * @param {number} timeoutMs
 * @param {StageContext} context
 * @param {{show?: boolean, gently?: boolean, env?: Record<string, string>}} options
 * @returns {Promise<Counts>}
 */
async function vitest(project, timeoutMs, context, options = {}) {
  const report = join(context.reports, `${project}.json`);
  const reporter = options.show === true ? "--reporter=verbose" : "--reporter=default";
  const args = [
    VITEST,
    "run",
    "--project",
    project,
    reporter,
    "--reporter=json",
    `--outputFile.json=${report}`,
  ];
  const command = [...(options.gently === true ? NICELY : []), process.execPath];
  const [program = "", ...before] = command;
  const result = await runCommand(program, [...before, ...args, "--passWithNoTests"], {
    timeoutMs,
    ...options,
  });
  return reported(result, report, readVitestReport, context, options.show === true);
}

/**
 * @param {import("./run-command.mjs").CommandResult} result
 * @param {string} report
 * @param {(text: string, exitCode: number) => Counts} read
 * @param {StageContext} context
 * @param {boolean} isShown the output has been seen already
 * @returns {Counts}
 */
function reported(result, report, read, context, isShown = false) {
  if (result.code !== 0 && !isShown) context.print(indent(result.output));
  if (existsSync(report)) return read(readFileSync(report, "utf8"), result.code);
  if (result.code === 0) return { passed: 0, failed: 0, skipped: 0 };
  if (isShown) context.print(indent(result.output.split("\n").slice(-3).join("\n")));
  return { passed: 0, failed: 1, skipped: 0 };
}

/**
 * A command that counts as one test.
 * @param {string} label
 * @param {string} program
 * @param {string[]} args
 * @param {number} timeoutMs
 * @param {StageContext} context
 * @returns {Promise<Counts>}
 */
async function oneCheck(label, program, args, timeoutMs, context) {
  const result = await runCommand(program, args, { timeoutMs });
  if (label !== "") context.print(`  ${result.code === 0 ? "ok    " : "FAILED"} ${label}`);
  if (result.code !== 0) context.print(indent(result.output));
  return result.code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

function denoTestFiles() {
  return projectFiles().filter((path) => path.endsWith(".deno-test.ts"));
}

/** @param {Counts[]} all @returns {Counts} */
function sum(all) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const counts of all) {
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  return total;
}

/** @param {string} text */
function indent(text) {
  return text.trimEnd().replace(/^/gm, "    ");
}
