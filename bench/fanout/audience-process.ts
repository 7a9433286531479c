/** The parent's end of bench/fanout/audience.ts. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import type { AudienceCount, AudienceOrder, StormCount } from "./audience-orders.ts";
import { cpuSecondsOf } from "./process-cpu.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export class AudienceProcess {
  readonly #child: ChildProcess;
  readonly #answers: ((line: string) => void)[] = [];

  constructor() {
    const file = fileURLToPath(new URL("./audience.ts", import.meta.url));
    this.#child = spawn(Deno.execPath(), ["run", "-A", "--quiet", "--config", `${ROOT}deno.json`, file], {
      cwd: ROOT,
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#answers.shift()?.(line));
  }

  #ask<Answer>(order: AudienceOrder): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#child.once("exit", () =>
        reject(new Error("an audience process ended early; its last words are above")),
      );
      this.#answers.push((line) => resolve(JSON.parse(line) as Answer));
      this.#child.stdin!.write(`${JSON.stringify(order)}\n`);
    });
  }

  async join(relays: RelayCandidate[]): Promise<void> {
    await this.#ask({ order: "join", relays });
  }

  storm(relays: RelayCandidate[], perSecond: number): Promise<StormCount> {
    return this.#ask<StormCount>({ order: "storm", relays, perSecond });
  }

  async reset(): Promise<void> {
    await this.#ask({ order: "reset" });
  }

  count(): Promise<AudienceCount> {
    return this.#ask<AudienceCount>({ order: "count" });
  }

  cpuSeconds(): number {
    return cpuSecondsOf(this.#child.pid!);
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.removeAllListeners("exit");
    const gone = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await Promise.race([ended, gone]);
  }
}
