/**
 * Runs one command of a test stage: bounded in time, its output kept and shown only when it fails, and ended together
 * with everything that it started.
 */
import { spawn } from "node:child_process";
import { ROOT } from "../start/dependencies.mjs";

/** Kept output of one command; the beginning of a longer one is cut. */
const MAX_OUTPUT_CHARS = 400_000;
/** Between asking a command to end and ending it. */
const GOODBYE_MS = 3_000;

/** @typedef {{code: number, output: string, timedOut: boolean}} CommandResult */

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

/**
 * @param {string} program
 * @param {string[]} args
 * @param {{timeoutMs: number, env?: Record<string, string>, show?: boolean}} options `show` passes the output on as it comes
 * @returns {Promise<CommandResult>} never rejects; a program that cannot be started has code 127
 */
export function runCommand(program, args, options) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that it can be ended with its children and without anybody else's.
      detached: process.platform !== "win32",
    });
    running.add(child);
    let output = "";
    let timedOut = false;
    /** @param {Buffer} chunk */
    const take = (chunk) => {
      output = (output + chunk.toString()).slice(-MAX_OUTPUT_CHARS);
      if (options.show === true) process.stdout.write(chunk);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup(child, "SIGTERM");
      setTimeout(() => endGroup(child, "SIGKILL"), GOODBYE_MS).unref();
    }, options.timeoutMs);
    /** @param {number} code */
    const finish = (code) => {
      clearTimeout(timer);
      running.delete(child);
      if (timedOut) output += `\nEnded after its ${options.timeoutMs / 1000} s were over.\n`;
      resolve({ code, output, timedOut });
    };
    child.on("error", (error) => {
      output += `${error.message}\n`;
      finish(127);
    });
    child.on("close", (code) => finish(timedOut ? 124 : (code ?? 1)));
  });
}

/** Ends every command that is still running. */
export function endAllCommands() {
  for (const child of running) endGroup(child, "SIGKILL");
}

/** @param {import("node:child_process").ChildProcess} child @param {NodeJS.Signals} signal */
function endGroup(child, signal) {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    if (process.platform === "win32") child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: the group has ended by itself.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ESRCH") throw error;
  }
}
