/**
 * `npm start`, and `deno task start` where there is no Node.js: everything on one machine. Checks the runtime and the
 * settings, installs and builds what is missing, then runs gateway and relay in one Deno process (start/all-in-one.ts)
 * until Ctrl-C.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureClient } from "./build.mjs";
import { checkRuntimeVersion, denoExecutable, ensureDependencies, ROOT } from "./dependencies.mjs";
import { readSettings } from "./settings.mjs";
import { StartError } from "./start-error.mjs";

/** How long Deno may take to say goodbye to its sessions before it is ended. */
const GOODBYE_MS = 5_000;
/** A second Ctrl-C after this long ends everything at once. */
const IMPATIENT_AFTER_MS = 700;

function main() {
  checkRuntimeVersion();
  readSettings(process.env);
  ensureDependencies();
  ensureClient();
  run();
}

function run() {
  const child = spawn(
    denoExecutable(),
    [
      "run",
      "-A",
      "--no-prompt",
      "--quiet",
      "--config",
      join(ROOT, "deno.json"),
      join(ROOT, "start", "all-in-one.ts"),
    ],
    // Its standard input ends when this process does, however it ends: that is how it knows to stop.
    { cwd: ROOT, stdio: ["pipe", "inherit", "inherit"], detached: process.platform !== "win32" },
  );
  let stopping = false;
  let stoppingSinceMs = 0;
  const stop = () => {
    // npm passes Ctrl-C on although the terminal has sent it to us already: only a later one means "now".
    if (stopping && performance.now() - stoppingSinceMs > IMPATIENT_AFTER_MS) child.kill("SIGKILL");
    if (stopping) return;
    stopping = true;
    stoppingSinceMs = performance.now();
    child.stdin.end();
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), GOODBYE_MS).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
  child.on("error", (error) => {
    process.stderr.write(`Could not start Deno: ${error.message}\n`);
    process.exit(1);
  });
  child.stdin.on("error", () => {
    // Deno closed its end first; its exit is handled below.
  });
  child.on("exit", (code, signal) => {
    if (stopping) process.exit(0);
    // Exit code 1 comes with the child's own line; anything else is a surprise and gets one here.
    if (code !== 1)
      process.stderr.write(`Tributary stopped unexpectedly (${signal ?? `exit code ${code}`}).\n`);
    process.exit(code || 1);
  });
}

try {
  main();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
