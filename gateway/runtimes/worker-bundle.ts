/** What would be deployed to Workers, made offline and without an account: `wrangler deploy --dry-run`, measured. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const ROOT = join(import.meta.dirname, "../..");
const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
const TIMEOUT_MS = 60_000;
/** Nobody listens there: what wants the network fails at once. */
const NO_NETWORK = "http://127.0.0.1:9";

export interface WorkerBundle {
  rawKib: number;
  gzipKib: number;
  /** What wrangler said: bindings among it. */
  output: string;
}

/** Rejects with what wrangler said when it fails. */
export async function dryRun(): Promise<WorkerBundle> {
  return inFolder(async (folder) => {
    const output = await wrangler(folder, ["deploy", "--dry-run", "--outdir", join(folder, "out")]);
    const files = await readdir(join(folder, "out"));
    let [raw, gzip] = [0, 0];
    for (const file of files.filter((name) => /\.(js|mjs|wasm)$/.test(name))) {
      const path = join(folder, "out", file);
      raw += (await stat(path)).size;
      gzip += gzipSync(await readFile(path)).length;
    }
    if (raw === 0) throw new Error(`wrangler wrote no bundle:\n${output}`);
    return { rawKib: raw / 1024, gzipKib: gzip / 1024, output };
  });
}

interface Profile {
  nodes: { id: number; callFrame: { functionName: string } }[];
  samples: number[];
  timeDeltas: number[];
}

/** CPU time that workerd takes to run the Worker's global scope, by `wrangler check startup` on this machine. */
export async function startupCpuMs(): Promise<number> {
  return inFolder(async (folder) => {
    const file = join(folder, "startup.cpuprofile");
    await wrangler(folder, ["check", "startup", "--outfile", file]);
    const { nodes, samples, timeDeltas } = JSON.parse(await readFile(file, "utf8")) as Profile;
    const idle = new Set(
      nodes.filter(({ callFrame }) => callFrame.functionName === "(idle)").map(({ id }) => id),
    );
    const busyUs = timeDeltas.filter((_delta, i) => !idle.has(samples[i] ?? -1));
    return busyUs.reduce((sum, delta) => sum + delta, 0) / 1000;
  });
}

async function wrangler(folder: string, args: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    NO_COLOR: "1",
    CI: "1",
    // No account of whoever runs this.
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    HTTPS_PROXY: NO_NETWORK,
    HTTP_PROXY: NO_NETWORK,
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_LOG_PATH: join(folder, "logs"),
  };
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [WRANGLER, ...args], {
    cwd: ROOT,
    env,
    timeout: TIMEOUT_MS,
  });
  return stdout;
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "tributary-bundle-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
