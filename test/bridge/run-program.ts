/** Runs a program to its end and gives what it wrote. */
import { spawn } from "node:child_process";

/** Standard output; rejects with standard error when the program fails or takes longer than `timeoutMs`. */
export function runProgram(command: string, args: readonly string[], timeoutMs = 40_000): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
    const out: Buffer[] = [];
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve(Buffer.concat(out));
      else reject(new Error(`${command} ended with ${signal ?? code}: ${said}`));
    });
  });
}
