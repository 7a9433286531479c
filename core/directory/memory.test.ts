import { describe, expect, test } from "vitest";
import type { Clock, Timer } from "../clock.ts";
import { directoryContract } from "./directory.contract.ts";
import { DirectoryError } from "./directory.ts";
import { relayNamed } from "./directory-harness.contract.ts";
import { MAX_BANS } from "./limits.ts";
import { MemoryDirectory } from "./memory.ts";
import { staticDirectory } from "./static.ts";

/** A clock that moves only when told to. */
class HandClock implements Clock {
  #nowUs = 1_800_000_000_000_000;
  #tasks: { atUs: number; task: () => void }[] = [];

  nowUs(): number {
    return this.#nowUs;
  }

  after(delayMs: number, task: () => void): Timer {
    const entry = { atUs: this.#nowUs + delayMs * 1000, task };
    this.#tasks.push(entry);
    return {
      cancel: () => {
        this.#tasks = this.#tasks.filter((other) => other !== entry);
      },
    };
  }

  get pendingTimers(): number {
    return this.#tasks.length;
  }

  pass(delayMs: number): void {
    const endUs = this.#nowUs + delayMs * 1000;
    for (;;) {
      const next = this.#tasks.filter((t) => t.atUs <= endUs).sort((a, b) => a.atUs - b.atUs)[0];
      if (!next) break;
      this.#tasks = this.#tasks.filter((other) => other !== next);
      this.#nowUs = next.atUs;
      next.task();
    }
    this.#nowUs = endUs;
  }
}

describe("directory: memory", () => {
  test.each(directoryContract)("$name", async ({ run }) => {
    const clock = new HandClock();
    const directory = new MemoryDirectory(clock);
    await run({
      directory,
      nowSeconds: () => clock.nowUs() / 1e6,
      pass: async (delayMs) => {
        clock.pass(delayMs);
        await new Promise((resolve) => setImmediate(resolve));
      },
      cutOff: async (relayId) => directory.cutOff(relayId),
      reconnect: async (relayId) => directory.reconnect(relayId),
    });
    await directory.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("memory directory", () => {
  test("a full ban list refuses instead of forgetting, and has room again when bans end", async () => {
    const clock = new HandClock();
    const directory = new MemoryDirectory(clock);
    const untilSeconds = clock.nowUs() / 1e6 + 10;
    for (let i = 0; i < MAX_BANS; i++) await directory.ban({ room: "r", token: `t${i}`, untilSeconds });
    const another = { room: "r", token: "another", untilSeconds: untilSeconds + 100 };
    await expect(directory.ban(another)).rejects.toThrow(DirectoryError);
    expect(await directory.isBanned("r", "t0")).toBe(true);
    clock.pass(11_000);
    await directory.ban(another);
    expect(await directory.isBanned("r", "another")).toBe(true);
  });

  test("a relay that cannot reach the directory is refused at once", async () => {
    const directory = new MemoryDirectory(new HandClock());
    const registration = await directory.register(relayNamed("a"), 1000);
    directory.cutOff("a");
    await expect(registration.claimRoom("room")).rejects.toThrow(/cannot reach/);
  });

  test("a static directory lists its relays for ever and refuses two of one id", async () => {
    const clock = new HandClock();
    const directory = await staticDirectory([relayNamed("a"), relayNamed("b")], clock);
    clock.pass(365 * 24 * 3600 * 1000);
    expect((await directory.relays()).map((relay) => relay.id)).toEqual(["a", "b"]);
    await expect(staticDirectory([relayNamed("a"), relayNamed("a")], clock)).rejects.toThrow(DirectoryError);
  });
});
