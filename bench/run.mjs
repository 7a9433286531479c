/**
 * `npm run bench -- <name> [--json] [--option value ...]`: runs bench/<name>.ts on Node or bench/<name>.deno.ts on Deno
 * with the options that follow, and shows its rows as a table or, with --json, as one JSON object a line (format:
 * bench/report.ts). Exit status: 0, 1 when a row misses its target or the benchmark fails, 2 for a wrong command line.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { checkRuntimeVersion, denoExecutable, ensureDependencies } from "../start/dependencies.mjs";
import { StartError } from "../start/start-error.mjs";

const FOLDER = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(FOLDER);
/** Widest column of figures per line of the table; more go to the next line. */
const LINE_CHARS = 110;

/** @typedef {{name: string, file: string, runtime: "node" | "deno", about: string}} Benchmark */
/** @typedef {{bench: string, row: object, figures: Record<string, number | null>, target?: Record<string, number>,
 *   compare?: Record<string, string>, ok?: boolean}} Row */

/** Every file whose header begins with `npm run bench -- <its name>` is a benchmark; the rest are parts of one. @returns {Benchmark[]} */
function listBenchmarks() {
  const found = [];
  for (const file of readdirSync(FOLDER).sort()) {
    const name = /^([a-z0-9-]+?)(\.deno)?\.ts$/.exec(file);
    if (name === null) continue;
    const text = readFileSync(join(FOLDER, file), "utf8")
      .slice(0, 2_000)
      .replaceAll(/\s*\n\s*\*\s*/g, " ");
    const about = new RegExp(`^/\\*\\* *\`npm run bench -- ${name[1]}\`:? (.*?\\.)(?: |$)`).exec(text);
    if (about === null) continue;
    found.push({ name: name[1], file, runtime: name[2] === undefined ? "node" : "deno", about: about[1] });
  }
  return /** @type {Benchmark[]} */ (found);
}

/** @param {string} sentence */
function explain(sentence) {
  const lines = listBenchmarks().map(({ name, about }) => `  ${name.padEnd(10)} ${about}`);
  const text = [sentence, ...lines, "Options of one: npm run bench -- <name> --help"].join("\n");
  process.stderr.write(`${text}\n`);
  process.exitCode = 2;
}

/** @param {Benchmark} benchmark @param {string[]} options @param {boolean} asJson */
function run(benchmark, options, asJson) {
  const file = join(FOLDER, benchmark.file);
  const [program, args] =
    benchmark.runtime === "deno"
      ? [denoExecutable(), ["run", "-A", "--no-prompt", "--quiet", "--config", join(ROOT, "deno.json"), file]]
      : [process.execPath, ["--import", "tsx", file]];
  const child = spawn(program, [...args, ...options], { cwd: ROOT, stdio: ["inherit", "pipe", "inherit"] });
  // The benchmark ends what it has started, then itself; we stay until then.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill("SIGTERM"));
  let missed = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const row = readRow(line);
    if (row === undefined) {
      process.stderr.write(`${line}\n`);
      return;
    }
    if (row.ok === false) missed += 1;
    process.stdout.write(asJson ? `${line}\n` : `${table(row)}\n`);
  });
  child.on("error", (error) => {
    process.stderr.write(`Could not start the benchmark: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("close", (code, signal) => {
    if (signal !== null) process.stderr.write(`The benchmark was ended by ${signal}.\n`);
    if (missed > 0)
      process.stderr.write(`${missed} row${missed === 1 ? " misses its" : "s miss their"} target.\n`);
    process.exitCode = code === 2 ? 2 : code !== 0 || missed > 0 ? 1 : 0;
  });
}

/** @param {string} line @returns {Row | undefined} */
function readRow(line) {
  if (!line.startsWith('{"bench":')) return undefined;
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** One row for people: its parameters, then figures in columns with their targets. @param {Row} row */
function table(row) {
  const parameters = Object.entries(row.row).map(([name, value]) => `${name}=${value}`);
  const verdict = row.ok === undefined ? "" : row.ok ? "  ok" : "  MISSED";
  const cells = Object.entries(row.figures).map(([name, figure]) => {
    const bound = row.target?.[name];
    const aim = bound === undefined ? "" : ` (${row.compare?.[name] ?? "<="} ${bound})`;
    return `${name} ${figure ?? "-"}${aim}`;
  });
  const lines = [`${row.bench}  ${parameters.join(" ")}${verdict}`];
  let line = "";
  for (const cell of cells) {
    if (line !== "" && line.length + cell.length > LINE_CHARS) {
      lines.push(line);
      line = "";
    }
    line += `${line === "" ? "  " : "   "}${cell}`;
  }
  return [...lines, line].join("\n");
}

function main() {
  checkRuntimeVersion();
  const [name, ...rest] = process.argv.slice(2).filter((argument) => argument !== "--json");
  if (name === undefined || name.startsWith("-"))
    return explain("Name a benchmark: npm run bench -- <name> [--json] [--option value ...]");
  const benchmark = listBenchmarks().find((one) => one.name === name);
  if (benchmark === undefined) return explain(`There is no benchmark "${name.slice(0, 60)}". There are:`);
  ensureDependencies();
  if (!existsSync(join(ROOT, "node_modules", "tsx"))) {
    throw new StartError("Benchmarks need the development packages: run `npm ci` without --omit=dev.");
  }
  run(benchmark, rest, process.argv.includes("--json"));
}

try {
  main();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
