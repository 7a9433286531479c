/** Starts the processes of an audience benchmark and talks to them: one JSON object a line on their standard output. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { denoExecutable } from "../../start/dependencies.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface BenchProcess {
  readonly pid: number;
  /** Every line so far, in order. */
  readonly lines: readonly unknown[];
  /** The next line that there is not yet. Rejects when the process ends first. */
  next(): Promise<unknown>;
  stop(): void;
}

/** Runs a file beside this one. */
export function startProcess(file: string, args: readonly string[], runtime: "deno" | "node"): BenchProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const [program, front] =
    runtime === "deno"
      ? [
          denoExecutable(),
          ["run", "-A", "--no-prompt", "--quiet", "--no-check", "--config", `${ROOT}deno.json`],
        ]
      : [process.execPath, ["--import", "tsx"]];
  const child: ChildProcess = spawn(program, [...front, path, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.on("exit", () => child.kill());
  const lines: unknown[] = [];
  let waiting: { resolve(line: unknown): void; reject(error: Error): void } | undefined;
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const value: unknown = JSON.parse(line);
    lines.push(value);
    waiting?.resolve(value);
    waiting = undefined;
  });
  child.on("exit", (code) => waiting?.reject(new Error(`${file} ended with ${code}.`)));
  return {
    pid: child.pid!,
    lines,
    next: () =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
      }),
    stop: () => void child.kill(),
  };
}
