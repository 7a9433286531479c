/** What every Directory does, whatever it stands on. Implementations run it from their own test file. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Directory, DirectoryError, type DirectoryEvent, type RelayRecord } from "./directory.ts";

export interface DirectoryHarness {
  directory: Directory;
  /** Seconds since the Unix epoch on the directory's clock. */
  nowSeconds(): number;
  /** Lets time pass, with everything that happens in it. */
  pass(delayMs: number): Promise<void>;
  /** Takes the relay's connection to the directory away; its lease is not renewed from now on. */
  cutOff(relayId: string): Promise<void>;
  reconnect(relayId: string): Promise<void>;
  close(): Promise<void>;
}

const TTL_MS = 2_000;
/** Time within which a change is seen by all; far less than the ttl. */
const SETTLE_MS = 300;

export function relayNamed(id: string, change: Partial<RelayRecord> = {}): RelayRecord {
  return {
    id,
    region: "eu",
    url: `https://${id}.example.org:4433/`,
    certificateHashes: [],
    operationsUrl: `http://${id}.example.org:9090/`,
    capacity: 100,
    participants: 0,
    version: "0.1.0",
    draining: false,
    ...change,
  };
}

export function directoryContract(name: string, open: () => Promise<DirectoryHarness>): void {
  describe(`directory: ${name}`, () => {
    let harness: DirectoryHarness;
    let directory: Directory;
    beforeEach(async () => {
      harness = await open();
      directory = harness.directory;
    });
    afterEach(() => harness.close());
    relayTests(() => harness);
    claimTests(() => harness);
    banTests(() => harness);
    watchTests(() => harness);

    test("after close every call is refused", async () => {
      await directory.close();
      await expect(directory.relays()).rejects.toThrow(DirectoryError);
    });
  });
}

async function ids(directory: Directory): Promise<string[]> {
  return (await directory.relays()).map((relay) => relay.id).sort();
}

function relayTests(harness: () => DirectoryHarness): void {
  test("a relay is there from register to end", async () => {
    const { directory, pass } = harness();
    const a = await directory.register(relayNamed("a"), TTL_MS);
    await directory.register(relayNamed("b", { region: "us" }), TTL_MS);
    expect(await ids(directory)).toEqual(["a", "b"]);
    expect((await directory.relays()).find((r) => r.id === "b")).toEqual(relayNamed("b", { region: "us" }));
    await a.end();
    await pass(SETTLE_MS);
    expect(await ids(directory)).toEqual(["b"]);
  });

  test("the lease is kept alive without help, for many times its length", async () => {
    const { directory, pass } = harness();
    await directory.register(relayNamed("a"), TTL_MS);
    await pass(TTL_MS * 3);
    expect(await ids(directory)).toEqual(["a"]);
  });

  test("a record is replaced by update, and what was handed in or out is not shared", async () => {
    const { directory } = harness();
    const record = relayNamed("a");
    const registration = await directory.register(record, TTL_MS);
    record.participants = 99;
    expect((await directory.relays())[0]?.participants).toBe(0);
    await registration.update(relayNamed("a", { participants: 7, draining: true }));
    const [read] = await directory.relays();
    expect(read).toEqual(relayNamed("a", { participants: 7, draining: true }));
    read?.certificateHashes.push("x");
    expect((await directory.relays())[0]?.certificateHashes).toEqual([]);
  });

  test("an update may not change the id", async () => {
    const { directory } = harness();
    const registration = await directory.register(relayNamed("a"), TTL_MS);
    await expect(registration.update(relayNamed("b"))).rejects.toThrow(DirectoryError);
    expect(await ids(directory)).toEqual(["a"]);
  });

  test("a relay that is cut off vanishes after its ttl, learns that it is lost, and may come back", async () => {
    const { directory, pass, cutOff, reconnect } = harness();
    const registration = await directory.register(relayNamed("a"), TTL_MS);
    await registration.claimRoom("room");
    let lost = false;
    void registration.lost.then(() => {
      lost = true;
    });
    await cutOff("a");
    await pass(TTL_MS / 4);
    expect(await ids(directory)).toEqual(["a"]);
    expect(lost).toBe(false);
    await pass(TTL_MS * 2);
    expect(await ids(directory)).toEqual([]);
    expect(await directory.room("room")).toBeUndefined();
    await reconnect("a");
    await pass(SETTLE_MS);
    expect(lost).toBe(true);
    await expect(registration.update(relayNamed("a"))).rejects.toThrow(DirectoryError);
    await expect(registration.claimRoom("room")).rejects.toThrow(DirectoryError);
    const again = await directory.register(relayNamed("a"), TTL_MS);
    expect((await again.claimRoom("room")).relayId).toBe("a");
  });

  test("a relay that is cut off for less than its ttl keeps its lease and its rooms", async () => {
    const { directory, pass, cutOff, reconnect } = harness();
    const registration = await directory.register(relayNamed("a"), TTL_MS);
    const claim = await registration.claimRoom("room");
    await cutOff("a");
    await pass(TTL_MS / 4);
    await reconnect("a");
    await pass(TTL_MS * 2);
    expect(await ids(directory)).toEqual(["a"]);
    expect(await directory.room("room")).toEqual(claim);
    await registration.update(relayNamed("a", { participants: 1 }));
  });

  test("registering an id again takes it over: the older registration is lost, with its rooms", async () => {
    const { directory, pass } = harness();
    const older = await directory.register(relayNamed("a"), TTL_MS);
    await older.claimRoom("room");
    await directory.register(relayNamed("a", { region: "us" }), TTL_MS);
    await older.lost;
    await expect(older.update(relayNamed("a"))).rejects.toThrow(DirectoryError);
    await older.end();
    await pass(TTL_MS * 2);
    expect((await directory.relays()).map((r) => r.region)).toEqual(["us"]);
    expect(await directory.room("room")).toBeUndefined();
  });
}

function claimTests(harness: () => DirectoryHarness): void {
  test("of many simultaneous claims exactly one stands, and all are told which", async () => {
    const { directory } = harness();
    const registrations = await Promise.all(
      ["a", "b", "c", "d"].map((id) => directory.register(relayNamed(id), TTL_MS)),
    );
    const claims = await Promise.all(registrations.map((r) => r.claimRoom("room")));
    expect(new Set(claims.map((claim) => JSON.stringify(claim))).size).toBe(1);
    expect(await directory.room("room")).toEqual(claims[0]);
    expect(await directory.rooms()).toEqual([claims[0]]);
  });

  test("a holder that claims again keeps its epoch; each new holder has a larger one", async () => {
    const { directory } = harness();
    const a = await directory.register(relayNamed("a"), TTL_MS);
    const b = await directory.register(relayNamed("b"), TTL_MS);
    const first = await a.claimRoom("room");
    expect(await a.claimRoom("room")).toEqual(first);
    await b.releaseRoom("room");
    expect(await directory.room("room")).toEqual(first);
    await a.releaseRoom("room");
    expect(await directory.room("room")).toBeUndefined();
    const second = await b.claimRoom("room");
    expect(second.relayId).toBe("b");
    expect(second.epoch).toBeGreaterThan(first.epoch);
    await b.end();
    const third = await a.claimRoom("room");
    expect(third.relayId).toBe("a");
    expect(third.epoch).toBeGreaterThan(second.epoch);
  });

  test("rooms are apart from one another", async () => {
    const { directory } = harness();
    const a = await directory.register(relayNamed("a"), TTL_MS);
    const b = await directory.register(relayNamed("b"), TTL_MS);
    await a.claimRoom("one");
    await b.claimRoom("two");
    await a.end();
    expect((await directory.rooms()).map((claim) => claim.room)).toEqual(["two"]);
  });
}

function banTests(harness: () => DirectoryHarness): void {
  test("a ban holds for its room and token, until it ends", async () => {
    const { directory, nowSeconds, pass } = harness();
    await directory.ban({ room: "room", token: "t1", untilSeconds: nowSeconds() + 3 });
    expect(await directory.isBanned("room", "t1")).toBe(true);
    expect(await directory.isBanned("room", "t2")).toBe(false);
    expect(await directory.isBanned("other", "t1")).toBe(false);
    await pass(5_000);
    expect(await directory.isBanned("room", "t1")).toBe(false);
  });

  test("of two bans for one token the longer stands, in either order", async () => {
    const { directory, nowSeconds, pass } = harness();
    const start = nowSeconds();
    await directory.ban({ room: "room", token: "t1", untilSeconds: start + 2 });
    await directory.ban({ room: "room", token: "t1", untilSeconds: start + 60 });
    await directory.ban({ room: "room", token: "t2", untilSeconds: start + 60 });
    await directory.ban({ room: "room", token: "t2", untilSeconds: start + 2 });
    await pass(4_000);
    expect(await directory.isBanned("room", "t1")).toBe(true);
    expect(await directory.isBanned("room", "t2")).toBe(true);
  });

  test("a ban outlives the relay and the room that it came from", async () => {
    const { directory, nowSeconds } = harness();
    const a = await directory.register(relayNamed("a"), TTL_MS);
    await a.claimRoom("room");
    await directory.ban({ room: "room", token: "t1", untilSeconds: nowSeconds() + 60 });
    await a.end();
    expect(await directory.isBanned("room", "t1")).toBe(true);
  });
}

function watchTests(harness: () => DirectoryHarness): void {
  test("a watch tells what is there, then what changes, then nothing", async () => {
    const { directory, nowSeconds, pass } = harness();
    const a = await directory.register(relayNamed("a"), TTL_MS);
    await a.claimRoom("one");
    const ban = { room: "one", token: "t", untilSeconds: Math.floor(nowSeconds()) + 600 };
    await directory.ban(ban);
    const events: DirectoryEvent[] = [];
    const stop = directory.watch((event) => events.push(event));
    await pass(SETTLE_MS);
    expect(events.map((e) => e.type).sort()).toEqual(["ban", "relay", "room"]);
    expect(events).toContainEqual({ type: "ban", ban });
    events.length = 0;

    const claim = await a.claimRoom("two");
    await a.update(relayNamed("a", { participants: 3 }));
    await a.releaseRoom("one");
    await a.end();
    await pass(SETTLE_MS);
    expect(events).toContainEqual({ type: "room", claim });
    expect(events).toContainEqual({ type: "relay", relay: relayNamed("a", { participants: 3 }) });
    expect(events).toContainEqual({ type: "room-gone", room: "one" });
    expect(events).toContainEqual({ type: "room-gone", room: "two" });
    expect(events).toContainEqual({ type: "relay-gone", relayId: "a" });
    events.length = 0;

    stop();
    await directory.register(relayNamed("b"), TTL_MS);
    await pass(SETTLE_MS);
    expect(events).toEqual([]);
  });

  test("a relay whose lease ran out is told as gone, with its rooms", async () => {
    const { directory, pass, cutOff } = harness();
    const a = await directory.register(relayNamed("a"), TTL_MS);
    await a.claimRoom("one");
    const gone: DirectoryEvent[] = [];
    directory.watch((event) => {
      if (event.type.endsWith("-gone")) gone.push(event);
    });
    await cutOff("a");
    await pass(TTL_MS * 3);
    expect(gone).toContainEqual({ type: "room-gone", room: "one" });
    expect(gone).toContainEqual({ type: "relay-gone", relayId: "a" });
  });

  test("two watches of the same changes see the same order, though one of them causes more", async () => {
    const { directory, pass } = harness();
    const a = await directory.register(relayNamed("a"), TTL_MS);
    const seen: string[][] = [[], []];
    directory.watch((event) => {
      seen[0]?.push(JSON.stringify(event));
      if (event.type === "room" && event.claim.room === "one") void a.claimRoom("two");
    });
    directory.watch((event) => seen[1]?.push(JSON.stringify(event)));
    await a.claimRoom("one");
    await pass(SETTLE_MS);
    expect(seen[0]).toHaveLength(3);
    expect(seen[1]).toEqual(seen[0]);
  });
}
