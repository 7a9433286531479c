/**
 * `npm run bench -- fuzz`: hostile bytes into the HTTP/3 layer, the datagram decoders and the control channel, a million inputs each.
 * A crash or a broken invariant ends the benchmark with the seed; memory is what is left after a full collection, second half against first.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fuzzWebTransport } from "../relay/deno/webtransport/fuzz.ts";
import { fuzzControlMessages } from "../test/fuzz/control-messages.ts";
import { fuzzDatagrams } from "../test/fuzz/datagrams.ts";
import { note, readOptions, reportRow } from "./report.ts";

const options = readOptions({
  inputs: { default: 1_000_000, min: 100, max: 1e9, whole: true, about: "inputs for each target" },
  seed: { default: 1, min: 0, max: 0xffffffff, whole: true, about: "first seed" },
  target: {
    default: "all",
    oneOf: ["all", "http3", "datagrams", "control"],
    about: "what is fed",
  },
});

/** Inputs under one seed; the next seed begins after so many. */
const INPUTS_PER_SEED = 50_000;
/** Growth that is still noise of the collector. */
const MAX_GROWTH_MB = 8;

const TARGETS: Record<string, (seed: number, count: number) => unknown> = {
  http3: fuzzWebTransport,
  datagrams: fuzzDatagrams,
  control: fuzzControlMessages,
};

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapMb(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

for (const [target, fuzz] of Object.entries(TARGETS)) {
  if (options.target !== "all" && options.target !== target) continue;
  note(`${target}: ${options.inputs} inputs from seed ${options.seed} ...`);
  const startMs = performance.now();
  let halfwayMb: number | undefined;
  let done = 0;
  for (let seed = options.seed; done < options.inputs; seed++) {
    const count = Math.min(INPUTS_PER_SEED, options.inputs - done);
    await fuzz(seed, count);
    done += count;
    if (done >= options.inputs / 2) halfwayMb ??= heapMb();
  }
  const seconds = (performance.now() - startMs) / 1000;
  reportRow({
    bench: "fuzz",
    row: { target, inputs: done, seed: options.seed },
    figures: {
      inputsSurvived: done,
      inputsPerSecond: Math.round(done / seconds),
      heapGrowthMb: heapMb() - halfwayMb!,
    },
    target: { inputsSurvived: `>= ${options.inputs}`, heapGrowthMb: `<= ${MAX_GROWTH_MB}` },
  });
}
