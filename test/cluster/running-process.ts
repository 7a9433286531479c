/**
 * A program of the product in a process of its own, run by Deno or Node from either: what it says is kept, and it ends when whoever
 * started it does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { denoExecutable, ROOT } from "../../start/dependencies.mjs";

const MAX_OUTPUT_CHARS = 200_000;
const LOOK_MS = 20;
const START_TIMEOUT_MS = 30_000;
/** A second signal after so long is understood as "now" (relay/deno/signals.ts). */
const SECOND_WISH_MS = 700;
const GOODBYE_MS = 4_000;

/** What runs ends with us; one listener for all, since Node warns of many. */
const running = new Set<RunningProcess>();
process.once("exit", () => {
  for (const one of running) one.kill("SIGKILL");
});

export interface Ending {
  code: number | null;
  signal: string | null;
}

export interface ProcessOptions {
  /** Program, relative to the project. */
  program: string;
  /** Default: Deno. */
  runtime?: "deno" | "node" | undefined;
  settings: Readonly<Record<string, string>>;
  onLine?: ((line: string) => void) | undefined;
}

export class RunningProcess {
  /** What it said on standard output and error. */
  output = "";
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #isOver = false;

  constructor({ program, runtime = "deno", settings, onLine }: ProcessOptions) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(TRIBUTARY|RELAY)_|^(PORT|HOST)$/.test(name),
    );
    const [command, args] =
      runtime === "deno"
        ? [denoExecutable(), ["run", "-A", "--quiet", "--no-prompt", "--config", join(ROOT, "deno.json")]]
        : ["node", ["--import", "tsx"]];
    this.#child = spawn(command, [...args, join(ROOT, program)], {
      cwd: ROOT,
      // Its standard input ends when this process does, however it ends.
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...settings },
      // Ctrl-C in a terminal is for us alone.
      detached: process.platform !== "win32",
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) this.#listen(stream!, onLine);
    running.add(this);
    this.ended = new Promise((resolve) => {
      this.#child.once("exit", () => {
        this.#isOver = true;
        running.delete(this);
      });
      this.#child.once("close", (code, signal) => resolve({ code, signal }));
    });
  }

  #listen(stream: NonNullable<ChildProcess["stdout"]>, onLine: ((line: string) => void) | undefined): void {
    let rest = "";
    stream.on("data", (chunk: unknown) => {
      this.output = (this.output + String(chunk)).slice(-MAX_OUTPUT_CHARS);
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop()!;
      for (const line of lines) onLine?.(line);
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Waits for something that `what` names. Rejects when the process ends first or it takes too long; then it is ended. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const lastMs = performance.now() + START_TIMEOUT_MS;
    while (!condition()) {
      const isOver = this.#isOver;
      if (isOver || performance.now() > lastMs) {
        await this.end();
        throw new Error(`a process ${isOver ? "ended" : "took too long"} before it ${what}:\n${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  kill(signal: "SIGTERM" | "SIGINT" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    if (this.#isOver) return;
    // Deno's `child.kill` works once, and then says that the signal was how the process ended.
    process.kill(this.pid, signal);
  }

  /** Asks it to end, and to leave out whatever takes long. */
  async stop(): Promise<void> {
    this.kill("SIGTERM");
    const again = setTimeout(() => this.kill("SIGTERM"), SECOND_WISH_MS);
    const late = setTimeout(() => this.kill("SIGKILL"), GOODBYE_MS);
    await this.ended;
    clearTimeout(again);
    clearTimeout(late);
  }

  /** At once, if it has not ended yet. */
  async end(): Promise<void> {
    this.kill("SIGKILL");
    await this.ended;
  }
}

/** Whether a process of this id runs, be it ours or anybody's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
