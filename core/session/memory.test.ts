import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { wallClock } from "../../test/sim/wall-clock.ts";
import { createMemorySessionPair, type MemorySessionOptions } from "./memory.ts";
import { type ContractEnvironment, sessionContract } from "./session.contract.ts";

function environment(options: Partial<MemorySessionOptions>): ContractEnvironment {
  return {
    clock: wallClock,
    connect: async () =>
      createMemorySessionPair({
        clock: wallClock,
        random: seededRandom(1),
        path: "/contract?case=1",
        ...options,
      }),
  };
}

describe.each([
  { title: "a perfect network", options: {} },
  { title: "kept buffers and no headroom", options: { keepsDatagramBuffer: true, datagramHeadroom: 0 } },
  {
    title: "delay, jitter and loss",
    options: {
      up: { delayMs: 5, jitterMs: 5, loss: 0.1 },
      down: { delayMs: 5, jitterMs: 5, loss: 0.1 },
    },
  },
  {
    title: "TCP that loses and delays",
    options: { isReliable: true, up: { delayMs: 5, loss: 0.1 }, down: { delayMs: 5, loss: 0.1 } },
  },
])("memory session over $title", ({ options }) => {
  for (const { name, run } of sessionContract) {
    it(name, () => run(environment(options)));
  }
});

describe("memory session", () => {
  it("notices a cut path by its idle timeout, at both ends", async () => {
    const pair = createMemorySessionPair({
      clock: wallClock,
      random: seededRandom(2),
      idleTimeoutMs: 80,
    });
    pair.up.options.down = true;
    pair.down.options.down = true;
    expect(await pair.dialled.closed).toMatchObject({ code: 1, clean: false });
    expect(await pair.accepted.closed).toMatchObject({ code: 1, clean: false });
  });

  it("notices an end that vanished", async () => {
    const pair = createMemorySessionPair({
      clock: wallClock,
      random: seededRandom(3),
      idleTimeoutMs: 80,
    });
    pair.dialled.vanish();
    expect(await pair.accepted.closed).toMatchObject({ code: 1, clean: false });
  });
});
