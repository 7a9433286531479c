/** The row of HLS players: how long a playlist takes to reach a thousand of them, and what processor and memory the bridge needs. */
import { readFileSync } from "node:fs";
import { cpuSecondsOf } from "../fanout/process-cpu.ts";
import { watchLoad } from "../media/machine-load.ts";
import { note, quantile, type Row } from "../report.ts";
import { startProcess } from "./process.ts";

export interface AudienceOptions {
  /** Undefined = as many as the issue asks for. */
  clients: number | undefined;
  seconds: number;
  kbps: number;
  fetchParts: boolean;
  runtime: "deno" | "node";
}

const CLIENTS = 1_000;
/** What a playlist may take: a part. A player that gets it later falls behind. */
const MAX_P99_MS = 200;
const WARM_UP_MS = 3_000;

/** Lines of hls-bridge.ts and hls-players.ts. */
interface PartLine {
  key: string;
  atMs: number;
}
interface Sample {
  key: string;
  atMs: number[];
}

export async function hlsRow(options: AudienceOptions): Promise<Row> {
  const clients = options.clients ?? CLIENTS;
  const bridge = startProcess("hls-bridge.ts", [String(options.kbps)], options.runtime);
  try {
    const { port } = (await bridge.next()) as { port: number };
    note(`hls: ${clients} players of a bridge on ${options.runtime} ...`);
    await pause(4_000);
    const players = startProcess(
      "hls-players.ts",
      [
        String(port),
        String(clients),
        String(options.seconds + WARM_UP_MS / 1000),
        options.fetchParts ? "yes" : "no",
      ],
      "node",
    );
    await players.next();
    await pause(WARM_UP_MS);
    const fromMs = Date.now();
    const load = watchLoad();
    const cpuBefore = cpuSecondsOf(bridge.pid);
    await pause(options.seconds * 1000);
    const cpu = cpuSecondsOf(bridge.pid) - cpuBefore;
    const seconds = (Date.now() - fromMs) / 1000;
    const memoryMb = residentMb(bridge.pid);
    const machineBusyShare = load();
    const result = (await players.next()) as { samples: Sample[]; failed: number; parts: number };
    players.stop();

    const there = new Map(
      bridge.lines
        .filter((line): line is PartLine => "key" in (line as object))
        .map(({ key, atMs }) => [key, atMs]),
    );
    const delays: number[] = [];
    for (const { key, atMs } of result.samples) {
      const start = there.get(key);
      if (start === undefined || start < fromMs || start > fromMs + seconds * 1000 - 500) continue;
      for (const at of atMs) delays.push(at - start);
    }
    return {
      bench: "audience",
      row: {
        kind: "hls",
        clients,
        seconds: options.seconds,
        kbps: options.kbps,
        parts: options.fetchParts,
        runtime: options.runtime,
      },
      figures: {
        playlistP50Ms: quantile(delays, 0.5),
        playlistP99Ms: quantile(delays, 0.99),
        playlistsPerSecond: delays.length / (seconds - 0.5),
        failed: result.failed,
        ...(options.fetchParts
          ? { partsPerSecond: result.parts / (options.seconds + WARM_UP_MS / 1000) }
          : {}),
        bridgeCpuCores: cpu / seconds,
        bridgeMemoryMb: memoryMb,
        machineBusyShare,
      },
      target: { playlistP99Ms: `<= ${MAX_P99_MS}`, failed: "<= 0" },
    };
  } finally {
    bridge.stop();
  }
}

function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kb) / 1024;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
