/**
 * `npm run bench -- gateway`: joins a second and their delay on Node.js, Deno and Workers (`wrangler dev`), beside what the load generator itself can do; size and start of the Worker.
 * Each runtime is started as in production, with the same etcd (or list of relays), three relays and 100 rooms; a join checks a token (HS256)
 * and signs a ticket for each relay (ES256). "full": `--connections` that each send their next join when the last is answered. "paced":
 * `--rate` joins a second, timed from when they were due. The generator writes bare bytes to sockets (bench/gateway/http-load.ts); gateways
 * share the machine with it, with etcd and, on Workers, with wrangler's proxy.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  type StartGateway,
  startOnDeno,
  startOnNode,
  startOnWorkers,
} from "../gateway/runtimes/gateway-process.ts";
import { dryRun, startupCpuMs } from "../gateway/runtimes/worker-bundle.ts";
import packageJson from "../package.json" with { type: "json" };
import { cpuSecondsOfGroup } from "./fanout/process-cpu.ts";
import { HttpLoad, type LoadResult } from "./gateway/http-load.ts";
import { type JoinStage, openJoinStage } from "./gateway/joins.ts";
import { tooBusy, watchLoad } from "./media/machine-load.ts";
import { type Figures, note, quantile, readOptions, reportRow, type Target } from "./report.ts";

const options = readOptions({
  seconds: { default: 5, min: 1, max: 600, about: "how long each row is measured" },
  connections: { default: 32, min: 1, max: 256, whole: true, about: "at once, in rows with full load" },
  rate: { default: 100, min: 1, max: 10_000, about: "joins a second in rows with paced load" },
  directory: { default: "etcd", oneOf: ["etcd", "list"], about: "where gateways find relays" },
  runtime: { default: "all", oneOf: ["all", "node", "deno", "workers"], about: "which one" },
});

const RUNTIMES: Record<string, { start: StartGateway; name: string }> = {
  node: { start: startOnNode, name: `Node.js ${process.versions.node}` },
  deno: { start: startOnDeno, name: `Deno ${packageJson.dependencies.deno}` },
  workers: { start: startOnWorkers, name: `Workers (wrangler dev ${packageJson.devDependencies.wrangler})` },
};
const WARM_SECONDS = 2;
/** Of its ceiling: below it the generator is not what is measured. */
const MAX_CEILING_SHARE = 0.5;
/** Cloudflare's maxima: 3 MiB of free accounts, 1 s of start. */
const MAX_GZIP_KIB = 3 * 1024;
const MAX_STARTUP_MS = 1_000;

function figuresOf({ latenciesMs, failures, seconds, generatorCores }: LoadResult): Figures {
  let failed = 0;
  for (const [status, count] of failures) {
    note(`  ${count} joins were answered ${status === 0 ? "by a broken connection" : status}.`);
    failed += count;
  }
  return {
    joinsPerSecond: latenciesMs.length / seconds,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    failed,
    generatorCores,
  };
}

/** Length of an answer, and how long the first one took. */
async function firstJoin(url: string, stage: JoinStage): Promise<{ firstJoinMs: number; bytes: number }> {
  const [line = "", , authorization = ""] = (stage.requests[0] ?? "").toString().split("\r\n");
  const startMs = performance.now();
  const response = await fetch(url + line.split(" ")[1], {
    method: "POST",
    headers: { authorization: authorization.slice("Authorization: ".length) },
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`a join was answered ${response.status}: ${text}`);
  return { firstJoinMs: performance.now() - startMs, bytes: text.length };
}

/** Joins a second that the generator could ask for. */
async function ceiling(stage: JoinStage, bytes: number): Promise<number> {
  const file = fileURLToPath(new URL("gateway/canned-server.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file, String(bytes)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => child.kill());
  try {
    const url = await new Promise<string>((resolve, reject) => {
      child.once("exit", () => reject(new Error("the canned server ended")));
      child.stdout.on("data", (chunk: Buffer) => resolve(/http:\S+/.exec(chunk.toString())?.[0] ?? ""));
    });
    const load = new HttpLoad(url, stage.requests);
    await load.full(options.connections, 1);
    const figures = figuresOf(await load.full(options.connections, options.seconds));
    reportRow({
      bench: "gateway",
      row: { runtime: "none: canned answers", load: "full", connections: options.connections, bytes },
      figures,
      target: { failed: "<= 0" },
    });
    return figures.joinsPerSecond ?? 0;
  } finally {
    child.kill();
  }
}

async function measure(key: string, stage: JoinStage, ceilingPerSecond: number | undefined): Promise<number> {
  const { start, name } = RUNTIMES[key]!;
  note(`  ${name}...`);
  const startMs = performance.now();
  const gateway = await start(stage.settings);
  try {
    const readyMs = performance.now() - startMs;
    const { firstJoinMs, bytes } = await firstJoin(gateway.url, stage);
    const atCeiling = ceilingPerSecond ?? (await ceiling(stage, bytes));
    const load = new HttpLoad(gateway.url, stage.requests);
    await load.full(options.connections, WARM_SECONDS);
    const busy = watchLoad();
    const row = { runtime: name, directory: options.directory, seconds: options.seconds };
    const cpu = () => [cpuSecondsOfGroup(gateway.group), stage.directoryCpuSeconds()] as const;
    const before = cpu();
    const result = await load.full(options.connections, options.seconds);
    const after = cpu();
    const perJoinMs = (i: 0 | 1) => ((after[i] - before[i]) * 1000) / result.latenciesMs.length;
    const full = figuresOf(result);
    const target: Record<string, Target> = { failed: "<= 0" };
    reportRow({
      bench: "gateway",
      row: { ...row, load: "full", connections: options.connections },
      figures: {
        ...full,
        ceilingShare: (full.joinsPerSecond ?? 0) / atCeiling,
        gatewayCpuMsPerJoin: perJoinMs(0),
        ...(options.directory === "etcd" ? { etcdCpuMsPerJoin: perJoinMs(1) } : {}),
        readyMs,
        firstJoinMs,
      },
      target: { ...target, ceilingShare: `<= ${MAX_CEILING_SHARE}` },
    });
    reportRow({
      bench: "gateway",
      row: { ...row, load: "paced", ratePerSecond: options.rate },
      figures: figuresOf(await load.paced(options.rate, options.seconds)),
      target,
    });
    const warning = tooBusy(busy());
    if (warning) note(warning);
    return atCeiling;
  } finally {
    await gateway.stop();
  }
}

async function workerBundle(): Promise<void> {
  const { rawKib, gzipKib } = await dryRun();
  reportRow({
    bench: "gateway",
    row: { runtime: "Workers", what: "bundle and its start in workerd" },
    figures: { rawKib, gzipKib, startupCpuMs: await startupCpuMs() },
    target: { gzipKib: `<= ${MAX_GZIP_KIB}`, startupCpuMs: `<= ${MAX_STARTUP_MS}` },
  });
}

// What it has started ends with it: see the listeners of "exit" there.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(1));
const stage = await openJoinStage(options.directory);
try {
  const chosen = Object.keys(RUNTIMES).filter((key) => options.runtime === "all" || options.runtime === key);
  let ceilingPerSecond: number | undefined;
  for (const key of chosen) ceilingPerSecond = await measure(key, stage, ceilingPerSecond);
  if (chosen.includes("workers")) await workerBundle();
} finally {
  await stage.close();
}
