/**
 * A relay, or several under a supervisor, as an operator starts it: relay/deno/main.ts in a process of its own on loopback, with
 * free ports unless told otherwise. Runs in Node and in Deno; what it started ends with whoever started it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import type { RelayRecord } from "../../core/directory/directory.ts";
import { denoExecutable, ROOT } from "../../start/dependencies.mjs";

const READY_LINE = /^Tributary relay is ready: \S+ (\{.*\})$/gm;
const MAX_OUTPUT_CHARS = 200_000;
const LOOK_MS = 20;
const START_TIMEOUT_MS = 30_000;

export interface Ending {
  code: number | null;
  signal: string | null;
}

export class RelayProcess {
  /** What it said on standard output and error. */
  output = "";
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #isOver = false;
  readonly #endWithUs = (): void => void this.kill("SIGKILL");

  constructor(settings: Readonly<Record<string, string>>) {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(TRIBUTARY|RELAY)_/.test(name));
    const args = ["run", "-A", "--quiet", "--no-prompt", "--config", join(ROOT, "deno.json")];
    this.#child = spawn(denoExecutable(), [...args, join(ROOT, "relay", "deno", "main.ts")], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...Object.fromEntries(inherited),
        NO_COLOR: "1",
        RELAY_HOST: "127.0.0.1",
        RELAY_PORT: "0",
        RELAY_OPERATIONS_PORT: "0",
        ...settings,
      },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: unknown) => {
        this.output = (this.output + String(chunk)).slice(-MAX_OUTPUT_CHARS);
      });
    }
    process.once("exit", this.#endWithUs);
    this.ended = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => {
        this.#isOver = true;
        process.removeListener("exit", this.#endWithUs);
        resolve({ code, signal });
      });
    });
  }

  /** Resolves when it takes sessions. Rejects with what it said when it does not come to that. */
  static async start(settings: Readonly<Record<string, string>>): Promise<RelayProcess> {
    const relay = new RelayProcess(settings);
    await relay.until(() => relay.records.length > 0, "gets ready");
    return relay;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** How the relay, or each relay of a supervisor, described itself when it was ready. */
  get records(): RelayRecord[] {
    return [...this.output.matchAll(READY_LINE)].map(([, json]) => JSON.parse(json!) as RelayRecord);
  }

  get record(): RelayRecord {
    return this.records[0]!;
  }

  /** Waits for something that `what` names. Rejects when the process ends first or it takes too long; then it is ended. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const lastMs = performance.now() + START_TIMEOUT_MS;
    while (!condition()) {
      if (this.#isOver || performance.now() > lastMs) {
        const isOver = this.#isOver;
        await this.end();
        throw new Error(
          `a relay process ${isOver ? "ended" : "took too long"} before it ${what}:\n${this.output}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  kill(signal: "SIGTERM" | "SIGINT" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    if (this.#isOver) return;
    // Deno's `child.kill` works once, and then says that the signal was how the process ended.
    process.kill(this.pid, signal);
  }

  /** At once, if it has not ended yet. */
  async end(): Promise<void> {
    this.kill("SIGKILL");
    await this.ended;
  }
}
