/** `npm start` as a person would run it, on free ports and with a state folder of its own, until closed. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../../start/dependencies.mjs";

/** A first start may install and build. */
const START_TIMEOUT_MS = 180_000;
const LAST_LINES = 12;

export interface LocalServer {
  /** Base URL without a trailing slash. */
  url: string;
  close(): Promise<void>;
}

/**
 * @param environment more settings, such as RELAY_PORT and RELAY_PUBLIC_URL
 * @throws Error with the last lines of output when it does not become ready
 */
export async function startLocalServer(environment: Record<string, string> = {}): Promise<LocalServer> {
  const stateFolder = await mkdtemp(join(tmpdir(), "tributary-bench-"));
  const child = spawn(process.execPath, [join(ROOT, "start", "main.mjs")], {
    cwd: ROOT,
    env: { ...process.env, PORT: "0", RELAY_PORT: "0", TRIBUTARY_STATE: stateFolder, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const close = async () => {
    child.kill("SIGTERM");
    await exited;
    await rm(stateFolder, { recursive: true, force: true });
  };
  const lines: string[] = [];
  const ready = new Promise<string>((resolve, reject) => {
    const refuse = (why: string) =>
      reject(new Error(`npm start ${why}:\n${lines.slice(-LAST_LINES).join("\n")}`));
    const timer = setTimeout(() => refuse("took too long"), START_TIMEOUT_MS);
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on("line", (line) => {
        lines.push(line);
        if (lines.length > LAST_LINES) lines.shift();
        const url = /Tributary is ready: (\S+)/.exec(line)?.[1];
        if (url === undefined) return;
        clearTimeout(timer);
        resolve(url.replace(/\/$/, ""));
      });
    }
    child.once("error", (error) => refuse(`could not be run (${error.message})`));
    child.once("exit", () => {
      clearTimeout(timer);
      refuse("ended by itself");
    });
  });
  try {
    return { url: await ready, close };
  } catch (error) {
    await close();
    throw error;
  }
}
