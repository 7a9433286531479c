/** Which road is taken, and when; sessions are played. */
import { expect, it } from "vitest";
import { seededRandom } from "../../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../../test/sim/virtual-clock.ts";
import { createMemorySessionPair } from "../../session/memory.ts";
import type { Connect, Session } from "../../session/session.ts";
import { RoadMemory } from "./road-memory.ts";
import { racing } from "./road-race.ts";

/** Ready after so long, or this error after a moment; undefined = nothing ever. */
type Answer = number | Error | undefined;

class Stage {
  readonly clock = new VirtualClock();
  readonly dialled: string[] = [];
  readonly sessions: Session[] = [];
  readonly memory = new RoadMemory(this.clock);
  udp: Answer = 40;
  tcp: Answer = 60;

  readonly #dialler =
    (road: "udp" | "tcp"): Connect =>
    async (url, { timeoutMs }) => {
      this.dialled.push(`${road} ${url}`);
      const answer = this[road];
      const isError = answer instanceof Error;
      await new Promise<void>((resolve) =>
        this.clock.after(isError ? 1 : (answer ?? timeoutMs), () => resolve()),
      );
      if (isError || answer === undefined) throw isError ? answer : new Error("no answer");
      const { dialled } = createMemorySessionPair({ clock: this.clock, random: seededRandom(1), path: road });
      this.sessions.push(dialled);
      return dialled;
    };

  /** The road that was taken, and after how long. */
  async run(
    url = "https://udp.test/",
    fallbackUrl = "https://tcp.test/",
  ): Promise<{ road: string; ms: number }> {
    const startUs = this.clock.nowUs();
    const connect = racing({
      clock: this.clock,
      overUdp: this.#dialler("udp"),
      overTcp: this.#dialler("tcp"),
      memory: this.memory,
    });
    const session = await this.clock.until(
      connect(url, { certificateHashes: [], timeoutMs: 3_000, fallbackUrl }),
      10_000,
    );
    return { road: session.path, ms: (this.clock.nowUs() - startUs) / 1000 };
  }
}

it("takes UDP where it is there, and does not even dial TCP", async () => {
  const stage = new Stage();
  expect(await stage.run()).toEqual({ road: "udp", ms: 40 });
  await stage.clock.advance(1_000);
  expect(stage.dialled).toEqual(["udp https://udp.test/"]);
});

it("takes TCP half a second later where UDP is silent, and the next time at once", async () => {
  const stage = new Stage();
  stage.udp = undefined;
  expect(await stage.run()).toEqual({ road: "tcp", ms: 560 });
  await stage.clock.advance(5_000);
  expect(await stage.run()).toEqual({ road: "tcp", ms: 60 });
});

it("takes TCP at once where UDP says that it cannot", async () => {
  const stage = new Stage();
  stage.udp = new Error("this browser has none");
  expect(await stage.run()).toEqual({ road: "tcp", ms: 61 });
});

it("closes what comes too late, and knows then that UDP works", async () => {
  const stage = new Stage();
  stage.udp = 700;
  expect(await stage.run()).toEqual({ road: "tcp", ms: 560 });
  expect(stage.memory.isUdpBlocked).toBe(true);
  await stage.clock.advance(200);
  await expect(stage.sessions[1]!.closed).resolves.toMatchObject({ clean: true });
  expect(stage.memory.isUdpBlocked).toBe(false);
});

it("says of both why they do not lead there", async () => {
  const stage = new Stage();
  stage.udp = undefined;
  stage.tcp = new Error("refused");
  await expect(stage.run()).rejects.toThrow("over TCP: refused; over UDP: no answer");
});

it("takes the only one that a relay has", async () => {
  const stage = new Stage();
  expect(await stage.run("https://udp.test/", "")).toMatchObject({ road: "udp" });
  expect(await stage.run("", "https://tcp.test/")).toMatchObject({ road: "tcp" });
});

it("remembers each network by itself, for a while, and not more than sixteen", async () => {
  const clock = new VirtualClock();
  let stored = {};
  const memory = new RoadMemory(clock, {}, (blocked) => {
    stored = blocked;
  });
  memory.network = "office";
  memory.noteUdp(false);
  memory.network = "home";
  expect(memory.isUdpBlocked).toBe(false);
  const next = new RoadMemory(clock, stored);
  next.network = "office";
  expect(next.isUdpBlocked).toBe(true);
  await clock.advance(31 * 60_000);
  expect(next.isUdpBlocked).toBe(false);
  for (let i = 0; i < 40; i++) {
    memory.network = `network ${i}`;
    memory.noteUdp(false);
  }
  expect(Object.keys(stored)).toHaveLength(16);
  memory.noteUdp(true);
  expect(Object.keys(stored)).toHaveLength(15);
});
