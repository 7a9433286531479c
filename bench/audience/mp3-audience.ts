/**
 * The MP3 row of the audience benchmark: so many listeners of one room for so long. A listener's last byte is the end of the room, for all of
 * them alike; so each byte's capture time is known from its distance to the end, and its delay from when it came.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { denoExecutable } from "../../start/dependencies.mjs";
import { cpuSecondsOf } from "../fanout/process-cpu.ts";
import { note, quantile, reportRow } from "../report.ts";
import { joinMp3, type Mp3Listener } from "./mp3-listeners.ts";
import type { Mp3Order, Mp3ServerStatus } from "./mp3-server.ts";

export interface Mp3AudienceOptions {
  listeners: number;
  seconds: number;
  /** What the bridge runs on. */
  runtime: "node" | "deno";
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BYTES_PER_SECOND = 16_000;
const SETTLE_MS = 3_000;
/** From mouth to socket, as the issue asks. */
const MAX_DELAY_MS = 1_500;

const nowUs = (): number => Math.round((performance.timeOrigin + performance.now()) * 1000);
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Status = Mp3ServerStatus & { endUs: number };

/** The process of bench/audience/mp3-server.ts. */
class Mp3Server {
  readonly #child: ChildProcess;
  readonly #answers: ((line: string) => void)[] = [];
  readonly port: Promise<number>;

  constructor(runtime: Mp3AudienceOptions["runtime"]) {
    const file = fileURLToPath(new URL("./mp3-server.ts", import.meta.url));
    const deno = ["run", "-A", "--quiet", "--config", "deno.json", file];
    const [program, args] =
      runtime === "deno" ? [denoExecutable(), deno] : [process.execPath, ["--import", "tsx", file]];
    this.#child = spawn(program, args, {
      cwd: ROOT,
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#answers.shift()?.(line));
    this.port = this.#answer<{ port: number }>().then(({ port }) => port);
  }

  #answer<Answer>(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#child.once("exit", () =>
        reject(new Error("The MP3 server ended early; its last words are above.")),
      );
      this.#answers.push((line) => resolve(JSON.parse(line) as Answer));
    });
  }

  ask(order: Mp3Order): Promise<Status> {
    this.#child.stdin!.write(`${JSON.stringify(order)}\n`);
    return this.#answer<Status>();
  }

  cpuSeconds(): number {
    return cpuSecondsOf(this.#child.pid!);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

function bytesOf(listeners: readonly Mp3Listener[]): number {
  return listeners.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Milliseconds from capture to arrival, of the oldest sample of each arrival. */
function delaysOf(listener: Mp3Listener, endUs: number): number[] {
  const delays: number[] = [];
  for (let i = 1; i < listener.arrivalsUs.length; i++) {
    const untilEnd = listener.bytes - listener.arrivedBytes[i - 1]!;
    delays.push((listener.arrivalsUs[i]! - (endUs - (untilEnd * 1e6) / BYTES_PER_SECOND)) / 1000);
  }
  return delays;
}

/** Prints the row. @returns whether it meets its targets */
export async function measureMp3Audience(options: Mp3AudienceOptions): Promise<boolean> {
  const server = new Mp3Server(options.runtime);
  let listeners: Mp3Listener[] = [];
  try {
    const port = await server.port;
    const alone = await server.ask("status");
    note(`${options.listeners} MP3 listeners join a bridge on ${options.runtime} ...`);
    const joiningMs = performance.now();
    listeners = await joinMp3(port, options.listeners, nowUs);
    const joinSeconds = (performance.now() - joiningMs) / 1000;
    await pass(SETTLE_MS);
    for (const listener of listeners) listener.forget();
    const receivedBefore = bytesOf(listeners);
    const before = { cpu: server.cpuSeconds(), own: process.cpuUsage(), ms: performance.now() };
    await pass(options.seconds * 1000);
    const seconds = (performance.now() - before.ms) / 1000;
    const cpu = (server.cpuSeconds() - before.cpu) / seconds;
    const own = process.cpuUsage(before.own);
    const status = await server.ask("status");
    const received = bytesOf(listeners) - receivedBefore;
    const { endUs } = await server.ask("end");
    for (let waited = 0; listeners.some(({ over }) => !over) && waited < 10_000; waited += 100)
      await pass(100);
    const delays = listeners.filter(({ over }) => over).flatMap((listener) => delaysOf(listener, endUs));
    return reportRow({
      bench: "audience",
      row: {
        output: "mp3",
        runtime: options.runtime,
        listeners: options.listeners,
        seconds: options.seconds,
        kbps: 128,
      },
      figures: {
        joinSeconds,
        cpuCores: cpu,
        listenersCpuCores: (own.user + own.system) / 1e6 / seconds,
        memoryMb: status.memoryMb,
        memoryPerListenerKb: ((status.memoryMb - alone.memoryMb) * 1024) / options.listeners,
        megabitsPerSecond: (received * 8) / 1e6 / seconds,
        delayP50Ms: quantile(delays, 0.5),
        delayP99Ms: quantile(delays, 0.99),
        delayMaxMs: quantile(delays, 1),
        handedOverMs: status.latencyMs,
        lostListeners: options.listeners - status.listeners,
        droppedSlow: status.droppedSlow,
      },
      target: { delayP99Ms: `<= ${MAX_DELAY_MS}`, lostListeners: "<= 0", droppedSlow: "<= 0" },
    });
  } finally {
    for (const listener of listeners) listener.destroy();
    server.kill();
  }
}
