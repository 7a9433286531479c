/** What a directory does while its etcd is killed, frozen, compacted or made to forget. Each test has an etcd of its own. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DirectoryError, type DirectoryEvent } from "../../core/directory/directory.ts";
import { relayNamed } from "../../core/directory/directory-harness.contract.ts";
import { pause, realClock, TestDirectory } from "./etcd-cluster.ts";
import { EtcdProcess } from "./etcd-process.ts";

/** Long enough that no lease ends by an outage of a test. */
const LONG_TTL_MS = 60_000;
const SHORT_TTL_MS = 2_000;
const PATIENCE = { timeout: 20_000, interval: 50 };
const PREFIX = "outage/";

let etcd: EtcdProcess;
let open: TestDirectory[];
beforeEach(async () => {
  open = [];
  etcd = await EtcdProcess.start();
});
afterEach(async () => {
  etcd.thaw();
  await Promise.all(open.map(({ directory }) => directory.close()));
  await etcd.stop();
});

function newDirectory(timing: { watchIdleMs?: number; maxViewAgeMs?: number } = {}): TestDirectory {
  const test = new TestDirectory([etcd.url], { prefix: PREFIX, timing });
  open.push(test);
  return test;
}

async function watched(test: TestDirectory, atLeast: number): Promise<DirectoryEvent[]> {
  const events: DirectoryEvent[] = [];
  test.directory.watch((event) => events.push(event));
  await vi.waitFor(() => expect(events.length).toBeGreaterThanOrEqual(atLeast), PATIENCE);
  return events;
}

describe("etcd is killed and comes back with its data", () => {
  test("leases live on, the watch goes on, and reads are answered meanwhile", async () => {
    const relay = newDirectory();
    const gateway = newDirectory();
    const a = await relay.directory.register(relayNamed("a"), LONG_TTL_MS);
    const claim = await a.claimRoom("room");
    const untilSeconds = Math.ceil(realClock.nowUs() / 1e6) + 600;
    await relay.directory.ban({ room: "room", token: "t", untilSeconds });
    let lost = false;
    void a.lost.then(() => {
      lost = true;
    });
    const events = await watched(gateway, 3);
    events.length = 0;

    await etcd.kill();
    expect(await gateway.directory.relays()).toEqual([relayNamed("a")]);
    expect(await gateway.directory.room("room")).toEqual(claim);
    expect(await gateway.directory.room("other")).toBeUndefined();
    expect(await gateway.directory.rooms()).toEqual([claim]);
    expect(await gateway.directory.isBanned("room", "t")).toBe(true);
    expect(await gateway.directory.isBanned("room", "t2")).toBe(false);
    await expect(a.claimRoom("other")).rejects.toThrow(/etcd does not answer .*TRIBUTARY_ETCD/);
    await etcd.restart();

    await vi.waitFor(
      async () => expect(await a.claimRoom("other")).toMatchObject({ relayId: "a" }),
      PATIENCE,
    );
    await vi.waitFor(() => expect(events.map((event) => event.type)).toEqual(["room"]), PATIENCE);
    expect(await gateway.directory.room("room")).toEqual(claim);
    expect(lost).toBe(false);
    expect(gateway.log).toEqual([
      expect.stringMatching(/^etcd cannot be watched, going on with what is known/),
      "etcd answers again",
    ]);
  });

  test("without a watch, what was asked before is answered, and nothing else", async () => {
    const { directory } = newDirectory();
    const a = await directory.register(relayNamed("a"), LONG_TTL_MS);
    const claim = await a.claimRoom("room");
    await directory.relays();
    await directory.room("room");
    await directory.isBanned("room", "t");
    await etcd.kill();
    const [read] = await directory.relays();
    expect(read).toEqual(relayNamed("a"));
    read?.certificateHashes.push("x");
    expect(await directory.relays()).toEqual([relayNamed("a")]);
    expect(await directory.room("room")).toEqual(claim);
    expect(await directory.isBanned("room", "t")).toBe(false);
    for (const unasked of [directory.rooms(), directory.room("other"), directory.isBanned("room", "t2")]) {
      const error: unknown = await unasked.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DirectoryError);
      expect((error as DirectoryError).cause).toBeInstanceOf(Error);
    }
  });

  test("what is known is not believed for ever", async () => {
    const { directory } = newDirectory({ maxViewAgeMs: 1 });
    await directory.register(relayNamed("a"), LONG_TTL_MS);
    expect(await directory.relays()).toHaveLength(1);
    await etcd.kill();
    await pause(10);
    await expect(directory.relays()).rejects.toThrow(DirectoryError);
  });

  test("a relay that does not reach it for its ttl is lost", async () => {
    const { directory } = newDirectory();
    const a = await directory.register(relayNamed("a"), SHORT_TTL_MS);
    await etcd.kill();
    await a.lost;
    await expect(a.claimRoom("room")).rejects.toThrow(/lease of relay a is gone/);
  });
});

describe("etcd comes back knowing nothing", () => {
  test("watches tell what vanished, relays are lost, and epochs go on above the old ones", async () => {
    const relay = newDirectory();
    const gateway = newDirectory();
    const a = await relay.directory.register(relayNamed("a"), SHORT_TTL_MS);
    const claims = [await a.claimRoom("one"), await a.claimRoom("two")];
    const events = await watched(gateway, 3);
    events.length = 0;

    await etcd.kill();
    await etcd.forget();
    await etcd.restart();
    await a.lost;
    await vi.waitFor(() => expect(events).toHaveLength(3), PATIENCE);
    expect(events).toEqual(
      expect.arrayContaining([
        { type: "room-gone", room: "one" },
        { type: "room-gone", room: "two" },
        { type: "relay-gone", relayId: "a" },
      ]),
    );
    const again = await relay.directory.register(relayNamed("a"), SHORT_TTL_MS);
    const anew = await again.claimRoom("one");
    expect(anew.epoch).toBeGreaterThan(Math.max(...claims.map((claim) => claim.epoch)));
    await vi.waitFor(() => expect(events.at(-1)).toEqual({ type: "room", claim: anew }), PATIENCE);
  });

  test("a new etcd that has gone further than the old one is not taken for it", async () => {
    const gateway = newDirectory();
    const relay = newDirectory();
    const a = await relay.directory.register(relayNamed("a"), LONG_TTL_MS);
    await a.claimRoom("room");
    const events = await watched(gateway, 2);
    events.length = 0;
    gateway.cut();
    await etcd.kill();
    await etcd.forget();
    await etcd.restart();
    const b = await newDirectory().directory.register(relayNamed("b"), LONG_TTL_MS);
    for (let participants = 1; participants < 50; participants++) {
      await b.update(relayNamed("b", { participants }));
    }
    gateway.isCut = false;
    await vi.waitFor(() => expect(events).toHaveLength(3), PATIENCE);
    expect(events).toEqual([
      { type: "room-gone", room: "room" },
      { type: "relay-gone", relayId: "a" },
      { type: "relay", relay: relayNamed("b", { participants: 49 }) },
    ]);
  });
});

describe("etcd is frozen", () => {
  test("reads are answered from what is known, and the watch goes on where it was", async () => {
    const gateway = newDirectory({ watchIdleMs: 500 });
    const a = await newDirectory().directory.register(relayNamed("a"), LONG_TTL_MS);
    const claim = await a.claimRoom("room");
    const events = await watched(gateway, 2);
    events.length = 0;
    etcd.freeze();
    expect(await gateway.directory.room("room")).toEqual(claim);
    expect(await gateway.directory.relays()).toEqual([relayNamed("a")]);
    await vi.waitFor(() => expect(gateway.log).toHaveLength(1), PATIENCE);
    etcd.thaw();
    await vi.waitFor(() => expect(gateway.log).toContain("etcd answers again"), PATIENCE);
    await a.releaseRoom("room");
    await vi.waitFor(() => expect(events).toEqual([{ type: "room-gone", room: "room" }]), PATIENCE);
  });

  test("a watch that is quiet is started again and again, and misses nothing", async () => {
    const gateway = newDirectory({ watchIdleMs: 100 });
    const a = await newDirectory().directory.register(relayNamed("a"), LONG_TTL_MS);
    const events = await watched(gateway, 1);
    events.length = 0;
    const rooms: string[] = [];
    for (let i = 0; i < 15; i++) {
      rooms.push(`room-${i}`);
      await a.claimRoom(`room-${i}`);
      await pause(i * 13);
    }
    await vi.waitFor(() => expect(events).toHaveLength(rooms.length), PATIENCE);
    expect(events.map((event) => event.type === "room" && event.claim.room)).toEqual(rooms);
    expect(gateway.log).toEqual([]);
  });
});

test("a watch that etcd has forgotten the place of reads everything again, and tells what changed meanwhile", async () => {
  const gateway = newDirectory();
  const relay = newDirectory();
  const a = await relay.directory.register(relayNamed("a"), LONG_TTL_MS);
  await a.claimRoom("kept");
  await a.claimRoom("gone");
  const events = await watched(gateway, 3);
  events.length = 0;
  gateway.cut();
  await a.releaseRoom("gone");
  const claim = await a.claimRoom("new");
  // A write that is ours and one that is not: the compaction takes away what the watch would go on from.
  const { header } = (await etcd.post("/v3/kv/put", { key: btoa("elsewhere"), value: "" })) as {
    header: { revision: string };
  };
  await etcd.post("/v3/kv/compaction", { revision: header.revision, physical: true });
  gateway.isCut = false;
  await vi.waitFor(() => expect(events).toHaveLength(2), PATIENCE);
  expect(events).toEqual([
    { type: "room-gone", room: "gone" },
    { type: "room", claim },
  ]);
});

test("what is done although its answer is lost is not done twice, nor taken for somebody else's doing", async () => {
  const untilSeconds = Math.ceil(realClock.nowUs() / 1e6) + 600;
  for (let lost = 1; lost <= 4; lost++) {
    const test = new TestDirectory([etcd.url, etcd.url], { prefix: `lost-${lost}/` });
    open.push(test);
    const { directory } = test;
    test.loseAnswer = lost;
    const a = await directory.register(relayNamed("a"), LONG_TTL_MS);
    test.loseAnswer = lost;
    const first = await a.claimRoom("room");
    expect(first.relayId).toBe("a");
    test.loseAnswer = lost;
    const second = await a.supersedeRoom(first);
    expect(second.epoch).toBeGreaterThan(first.epoch);
    test.loseAnswer = lost;
    await directory.ban({ room: "room", token: "t", untilSeconds });
    test.loseAnswer = 1;
    await a.update(relayNamed("a", { participants: lost }));
    test.loseAnswer = 0;
    expect(await directory.room("room")).toEqual(second);
    expect(await directory.isBanned("room", "t")).toBe(true);
    expect(await directory.relays()).toEqual([relayNamed("a", { participants: lost })]);
    test.loseAnswer = 1;
    await a.releaseRoom("room");
    expect(await directory.rooms()).toEqual([]);
    test.loseAnswer = 1;
    await a.end();
    expect(await directory.relays()).toEqual([]);
  }
});

test("of several endpoints the ones that are dead or no etcd are passed over", async () => {
  const endpoints = ["http://127.0.0.1:9", `${etcd.url}/elsewhere`, etcd.url];
  // Where each directory begins is up to chance: with so many, at the dead ones too.
  for (let i = 0; i < 12; i++) {
    const test = new TestDirectory(endpoints, { prefix: PREFIX });
    open.push(test);
    const a = await test.directory.register(relayNamed(`relay-${i}`), LONG_TTL_MS);
    await a.claimRoom(`room-${i}`);
    expect(await watched(test, 2 * (i + 1))).toHaveLength(2 * (i + 1));
  }
});
