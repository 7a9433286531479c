/** Starts a gateway of each runtime as an operator would, and ends it with everything that it started. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

export interface GatewayProcess {
  url: string;
  /** Process group of everything that it started. */
  group: number;
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
const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
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

export const startOnDenoServe: StartGateway = (settings) =>
  start(
    [
      "node_modules/deno/bin.cjs",
      "serve",
      "-A",
      "--config",
      "deno.json",
      "--host",
      "127.0.0.1",
      "--port",
      "0",
      "gateway/deno-serve.ts",
    ],
    settings,
  );

/** Requests in 10 s that the rate limiting bindings of a Worker let through; undefined: it has no binding. */
export interface WorkerLimits {
  perAddress?: number;
  perKey?: number;
}

/** Out of the way of tests that are about something else. */
const WIDE_LIMITS: WorkerLimits = { perAddress: 1_000_000, perKey: 1_000_000 };

/**
 * workerd through `wrangler dev`, which needs no network for this, from a folder of its own: our wrangler.toml with other limits,
 * and the settings as secrets beside it, in .dev.vars.
 */
export async function startOnWorkers(settings: Settings, limits = WIDE_LIMITS): Promise<GatewayProcess> {
  const folder = await mkdtemp(join(tmpdir(), "tributary-worker-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  await writeFile(join(folder, "wrangler.toml"), await workerConfig(limits));
  const secrets = Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`);
  await writeFile(join(folder, ".dev.vars"), secrets.join(""));
  const options = ["--local", "--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0"];
  try {
    const gateway = await start([WRANGLER, "dev", "--config", join(folder, "wrangler.toml"), ...options], {
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_LOG_PATH: join(folder, "logs"),
      CI: "1",
    });
    return { ...gateway, stop: () => gateway.stop().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Ours, to be used from elsewhere, with other numbers for its limits. */
async function workerConfig(limits: WorkerLimits): Promise<string> {
  const ours = await readFile(join(ROOT, "wrangler.toml"), "utf8");
  const [head = "", ...bindings] = ours.split(/^(?=\[)/m);
  const main = head.replace(
    /^main = "(.*)"$/m,
    (_line, path: string) => `main = ${JSON.stringify(join(ROOT, path))}`,
  );
  const numbers: Record<string, number | undefined> = {
    RATE_PER_ADDRESS: limits.perAddress,
    RATE_PER_KEY: limits.perKey,
  };
  const rest = bindings.flatMap((table) => {
    const name = /^name = "(RATE_\w+)"$/m.exec(table)?.[1];
    if (name === undefined) return [table];
    const limit = numbers[name];
    return limit === undefined ? [] : [table.replace(/limit = \d+/, `limit = ${limit}`)];
  });
  return [main, ...rest].join("");
}

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
    return { url: await readiness(child, exited), group: child.pid ?? 0, stop };
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
