/** Starts a gateway of each runtime as an operator would, and ends it with everything that it started. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

export interface GatewayProcess {
  url: string;
  stop(): Promise<void>;
}

/** What a process that did not become ready said, and how it ended. */
export class GatewayStartError extends Error {
  override readonly name = "GatewayStartError";
  readonly output: string;
  readonly exitCode: number | null;
  constructor(output: string, exitCode: number | null) {
    super(`the gateway did not start (exit ${exitCode}): ${output}`);
    this.output = output;
    this.exitCode = exitCode;
  }
}

export type Settings = Record<string, string>;
export type StartGateway = (settings: Settings) => Promise<GatewayProcess>;

const ROOT = join(import.meta.dirname, "../..");
const START_TIMEOUT_MS = 50_000;
const STOP_TIMEOUT_MS = 5_000;
const MAX_OUTPUT_CHARS = 100_000;
const READY = /ready(?: on|:) (http:\/\/127\.0\.0\.1:\d+)/i;

export const startOnNode: StartGateway = (settings) =>
  start(["--import", "tsx", "gateway/node.ts"], { PORT: "0", ...settings });

export const startOnDeno: StartGateway = (settings) =>
  start(["node_modules/deno/bin.cjs", "run", "-A", "--config", "deno.json", "gateway/deno.ts"], {
    PORT: "0",
    ...settings,
  });

/** workerd through `wrangler dev`, which needs no network for this. Settings are vars of the Worker. */
export const startOnWorkers: StartGateway = async (settings) => {
  const state = await mkdtemp(join(tmpdir(), "tributary-worker-"));
  const vars = Object.entries(settings).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const options = [
    "--local",
    "--ip",
    "127.0.0.1",
    "--port",
    "0",
    "--inspector-port",
    "0",
    "--persist-to",
    state,
  ];
  const gateway = await start(["node_modules/wrangler/bin/wrangler.js", "dev", ...options, ...vars], {
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_LOG_PATH: join(state, "logs"),
    CI: "1",
  });
  return {
    url: gateway.url,
    stop: async () => {
      await gateway.stop();
      await rm(state, { recursive: true, force: true });
    },
  };
};

async function start(args: string[], env: Settings): Promise<GatewayProcess> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(TRIBUTARY_|PORT$|HOST$)/.test(name));
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that what it starts (deno, workerd) can be ended with it.
    detached: true,
  });
  // A test run that is cut off takes its gateways along.
  const endWithUs = () => signalGroup(child, "SIGKILL");
  process.once("exit", endWithUs);
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  const stop = async () => {
    signalGroup(child, "SIGTERM");
    const killer = setTimeout(() => signalGroup(child, "SIGKILL"), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(killer);
    signalGroup(child, "SIGKILL");
    process.removeListener("exit", endWithUs);
  };
  try {
    return { url: await readiness(child, exited), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves with the URL that the process says it listens on. Rejects with GatewayStartError. */
function readiness(child: ChildProcess, exited: Promise<number | null>): Promise<string> {
  let output = "";
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new GatewayStartError(output, null)), START_TIMEOUT_MS);
    const read = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-MAX_OUTPUT_CHARS);
      const url = READY.exec(output)?.[1];
      if (!url) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    void exited.then((code) => {
      clearTimeout(timer);
      reject(new GatewayStartError(output, code));
    });
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // Nobody is left in the group: that is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
