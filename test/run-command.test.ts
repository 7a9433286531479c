/** Commands of a stage end in time, and take along whatever they started. */
import { expect, it } from "vitest";
import { runCommand } from "./run-command.mjs";

const FOREVER = "setInterval(() => {}, 1000)";

it("keeps output and exit code", async () => {
  const result = await runCommand(process.execPath, ["-e", "console.info('said'); process.exit(3)"], {
    timeoutMs: 20_000,
  });
  expect(result).toEqual({ code: 3, output: "said\n", timedOut: false });
});

it("says so when there is no such program", async () => {
  const { code, output } = await runCommand("no-such-program-here", [], { timeoutMs: 20_000 });
  expect(code).toBe(127);
  expect(output).toContain("no-such-program-here");
});

it.skipIf(process.platform === "win32")("ends what takes too long, and its children", async () => {
  const script = `
    const child = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(FOREVER)}]);
    console.info(child.pid);
    process.on("SIGTERM", () => {});
    ${FOREVER}`;
  const { code, output, timedOut } = await runCommand(process.execPath, ["-e", script], { timeoutMs: 1_000 });
  expect([code, timedOut]).toEqual([124, true]);
  const grandchild = Number(output.split("\n")[0]);
  expect(grandchild).toBeGreaterThan(1);
  await expect.poll(() => isAlive(grandchild), { timeout: 10_000 }).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // No such process.
  }
}
