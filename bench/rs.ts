/**
 * `npm run bench -- rs`: Reed-Solomon blocks, encode and decode in GB/s of source data, both kernels, in Node and Deno, and what FEC costs a relay.
 *
 * Encoding is all that a sender does: media parts copied in, repair symbols made, block released. Decoding is all that
 * a receiver does when as many sources are lost as there are repair symbols. Each figure is the median of many slices
 * of 2 ms, so that the slices in which something else ran do not count; the machine's own load still does.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { denoExecutable } from "../start/dependencies.mjs";
import { note, readOptions, reportRow, type Target } from "./report.ts";
import { type BlockShape, measureCodec, measureRelayCost } from "./rs/measure.ts";

const options = readOptions({
  k: {
    default: null,
    min: 1,
    max: 254,
    whole: true,
    about: "one row with so many sources (10 when only m is given)",
  },
  m: {
    default: null,
    min: 1,
    max: 254,
    whole: true,
    about: "one row with so many repair symbols (4 when only k is given)",
  },
  bytes: {
    default: 1000,
    min: 3,
    max: 60_000,
    whole: true,
    about: "bytes of a symbol, its length field included",
  },
  kernel: { default: "both", oneOf: ["both", "wasm", "tables"], about: "which kernel" },
  runtime: { default: "both", oneOf: ["both", "node", "deno"], about: "which runtime" },
  mbps: { default: 5, min: 0.1, max: 1_000, about: "media rate of the relay's rows" },
  ms: { default: 300, min: 10, max: 60_000, about: "measured time of a figure" },
});

/** Shapes and the speed that the WebAssembly kernel is to reach with them on a quiet core. */
const TABLE: readonly (BlockShape & { targetGBps: number })[] = [
  { k: 10, m: 4, targetGBps: 3.5 },
  { k: 20, m: 5, targetGBps: 2.5 },
  { k: 50, m: 10, targetGBps: 1.2 },
];
/** Share of a core that FEC may take from a relay. */
const MAX_RELAY_SHARE = 0.01;

const isDeno = "Deno" in globalThis;

function runHere(): void {
  const kernels = options.kernel === "both" ? (["wasm", "tables"] as const) : [options.kernel];
  const runtime = isDeno ? "deno" : "node";
  const single = options.k !== null || options.m !== null;
  const chosen: BlockShape = { k: options.k ?? 10, m: options.m ?? 4 };
  for (const kernel of kernels) {
    for (const { k, m } of single ? [chosen] : TABLE) {
      if (k + m > 255) {
        note(`A block has at most 255 symbols: k + m is ${k + m}.`);
        process.exit(2);
      }
      const figures = measureCodec({ kernel, k, m, symbolBytes: options.bytes, milliseconds: options.ms });
      const row = { runtime, kernel, k, m, bytes: options.bytes };
      const inTable = TABLE.find((shape) => shape.k === k && shape.m === m);
      if (kernel !== "wasm" || options.bytes !== 1000 || inTable === undefined) {
        reportRow({ bench: "rs", row, figures });
        continue;
      }
      const bound: Target = `>= ${inTable.targetGBps}`;
      reportRow({ bench: "rs", row, figures, target: { encodeGBps: bound, decodeGBps: bound } });
    }
    if (single) continue;
    const shape = { k: 10, m: 2, symbolBytes: options.bytes };
    reportRow({
      bench: "rs",
      row: { runtime, kernel, ...shape, relayMbps: options.mbps },
      figures: measureRelayCost({ kernel, ...shape, mbps: options.mbps, milliseconds: options.ms }),
      target: { coreShare: `<= ${MAX_RELAY_SHARE}`, coldCoreShare: `<= ${MAX_RELAY_SHARE}` },
    });
  }
}

/** Runs this same file on Deno, which prints its rows where this one does. */
function runOnDeno(): void {
  const args = [
    "run",
    "-A",
    "--no-prompt",
    "--quiet",
    "--config",
    "deno.json",
    fileURLToPath(import.meta.url),
  ];
  const result = spawnSync(denoExecutable(), [...args, ...process.argv.slice(2), "--runtime", "deno"], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: "inherit",
  });
  if (result.status !== 0) process.exitCode = result.status ?? 1;
}

if (isDeno || options.runtime !== "deno") runHere();
if (!isDeno && options.runtime !== "node") runOnDeno();
