/**
 * What every Directory does, whatever it stands on, as named cases for any test runner: vitest, Deno.test.
 * `for (const { name, run } of directoryContract) test(name, () => run(harness))`, with a fresh harness for each.
 */
import assert from "node:assert/strict";
import { type Directory, DirectoryError, type DirectoryEvent } from "./directory.ts";
import { type DirectoryCase, relayNamed, TTL_MS, until } from "./directory-harness.contract.ts";
import { roomClaimCases } from "./room-claims.contract.ts";

/** Time within which a change is seen by all; far less than the ttl. */
const SETTLE_MS = 300;
async function ids(directory: Directory): Promise<string[]> {
  return (await directory.relays()).map((relay) => relay.id).sort();
}

function assertContains(events: readonly DirectoryEvent[], event: DirectoryEvent): void {
  const texts = events.map((other) => JSON.stringify(other));
  assert.ok(
    events.some((other) => same(other, event)),
    `no ${JSON.stringify(event)} in ${texts}`,
  );
}

function same(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch (error) {
    if (error instanceof assert.AssertionError) return false;
    throw error;
  }
}

const relayCases: DirectoryCase[] = [
  {
    name: "a relay is there from register to end",
    run: async ({ directory, pass }) => {
      const a = await directory.register(relayNamed("a"), TTL_MS);
      await directory.register(relayNamed("b", { region: "us" }), TTL_MS);
      assert.deepEqual(await ids(directory), ["a", "b"]);
      const b = (await directory.relays()).find((relay) => relay.id === "b");
      assert.deepEqual(b, relayNamed("b", { region: "us" }));
      await a.end();
      await a.lost;
      await pass(SETTLE_MS);
      assert.deepEqual(await ids(directory), ["b"]);
    },
  },
  {
    name: "the lease is kept alive without help, for many times its length",
    run: async ({ directory, pass }) => {
      await directory.register(relayNamed("a"), TTL_MS);
      await pass(TTL_MS * 3);
      assert.deepEqual(await ids(directory), ["a"]);
    },
  },
  {
    name: "a record is replaced by update, and what was handed in or out is not shared",
    run: async ({ directory }) => {
      const record = relayNamed("a");
      const registration = await directory.register(record, TTL_MS);
      record.participants = 99;
      assert.equal((await directory.relays())[0]?.participants, 0);
      await registration.update(relayNamed("a", { participants: 7, draining: true }));
      const [read] = await directory.relays();
      assert.deepEqual(read, relayNamed("a", { participants: 7, draining: true }));
      read?.certificateHashes.push("x");
      assert.deepEqual((await directory.relays())[0]?.certificateHashes, []);
    },
  },
  {
    name: "an update may not change the id",
    run: async ({ directory }) => {
      const registration = await directory.register(relayNamed("a"), TTL_MS);
      await assert.rejects(registration.update(relayNamed("b")), DirectoryError);
      assert.deepEqual(await ids(directory), ["a"]);
    },
  },
  {
    name: "a relay that is cut off vanishes after its ttl, learns that it is lost, and may come back",
    run: async (harness) => {
      const { directory, pass, cutOff, reconnect } = harness;
      const registration = await directory.register(relayNamed("a"), TTL_MS);
      const claim = await registration.claimRoom("room");
      let lost = false;
      void registration.lost.then(() => {
        lost = true;
      });
      await cutOff("a");
      await pass(TTL_MS / 4);
      assert.deepEqual(await ids(directory), ["a"]);
      assert.equal(lost, false);
      await pass(TTL_MS * 2);
      assert.deepEqual(await ids(directory), []);
      assert.equal(await directory.room("room"), undefined);
      await reconnect("a");
      await until(harness, () => lost);
      assert.equal(lost, true);
      await assert.rejects(registration.update(relayNamed("a")), DirectoryError);
      await assert.rejects(registration.claimRoom("room"), DirectoryError);
      await assert.rejects(registration.supersedeRoom(claim), DirectoryError);
      const again = await directory.register(relayNamed("a"), TTL_MS);
      assert.equal((await again.claimRoom("room")).relayId, "a");
    },
  },
  {
    name: "a relay that is cut off for less than its ttl keeps its lease and its rooms",
    run: async ({ directory, pass, cutOff, reconnect }) => {
      const registration = await directory.register(relayNamed("a"), TTL_MS);
      const claim = await registration.claimRoom("room");
      await cutOff("a");
      await pass(TTL_MS / 4);
      await reconnect("a");
      await pass(TTL_MS * 2);
      assert.deepEqual(await ids(directory), ["a"]);
      assert.deepEqual(await directory.room("room"), claim);
      await registration.update(relayNamed("a", { participants: 1 }));
    },
  },
  {
    name: "registering an id again takes it over: the older registration is lost, with its rooms",
    run: async ({ directory, pass }) => {
      const older = await directory.register(relayNamed("a"), TTL_MS);
      await older.claimRoom("room");
      await directory.register(relayNamed("a", { region: "us" }), TTL_MS);
      assert.equal(await directory.room("room"), undefined);
      await older.lost;
      await assert.rejects(older.update(relayNamed("a")), DirectoryError);
      await older.end();
      await pass(TTL_MS * 2);
      assert.deepEqual(
        (await directory.relays()).map((relay) => relay.region),
        ["us"],
      );
      assert.equal(await directory.room("room"), undefined);
    },
  },
];

const banCases: DirectoryCase[] = [
  {
    name: "a ban holds for its room and token, until it ends",
    run: async ({ directory, nowSeconds, pass }) => {
      await directory.ban({ room: "room", token: "t1", untilSeconds: nowSeconds() + 3 });
      assert.equal(await directory.isBanned("room", "t1"), true);
      assert.equal(await directory.isBanned("room", "t2"), false);
      assert.equal(await directory.isBanned("other", "t1"), false);
      await pass(5_000);
      assert.equal(await directory.isBanned("room", "t1"), false);
    },
  },
  {
    name: "of two bans for one token the longer stands, in either order",
    run: async ({ directory, nowSeconds, pass }) => {
      const start = nowSeconds();
      await directory.ban({ room: "room", token: "t1", untilSeconds: start + 2 });
      await directory.ban({ room: "room", token: "t1", untilSeconds: start + 60 });
      await directory.ban({ room: "room", token: "t2", untilSeconds: start + 60 });
      await directory.ban({ room: "room", token: "t2", untilSeconds: start + 2 });
      await pass(4_000);
      assert.equal(await directory.isBanned("room", "t1"), true);
      assert.equal(await directory.isBanned("room", "t2"), true);
    },
  },
  {
    name: "a ban outlives the relay and the room that it came from",
    run: async ({ directory, nowSeconds }) => {
      const a = await directory.register(relayNamed("a"), TTL_MS);
      await a.claimRoom("room");
      await directory.ban({ room: "room", token: "t1", untilSeconds: nowSeconds() + 60 });
      await a.end();
      assert.equal(await directory.isBanned("room", "t1"), true);
    },
  },
];

const watchCases: DirectoryCase[] = [
  {
    name: "a watch tells what is there, then what changes, then nothing",
    run: async (harness) => {
      const { directory, nowSeconds, pass } = harness;
      const a = await directory.register(relayNamed("a"), TTL_MS);
      await a.claimRoom("one");
      const ban = { room: "one", token: "t/ü 1", untilSeconds: Math.floor(nowSeconds()) + 600 };
      await directory.ban(ban);
      const events: DirectoryEvent[] = [];
      const stop = directory.watch((event) => events.push(event));
      await until(harness, () => events.length >= 3);
      assert.deepEqual(events.map((event) => event.type).sort(), ["ban", "relay", "room"]);
      assertContains(events, { type: "ban", ban });
      events.length = 0;

      const claim = await a.claimRoom("two");
      await a.update(relayNamed("a", { participants: 3 }));
      await a.releaseRoom("one");
      await a.end();
      await until(harness, () => events.length >= 5);
      assertContains(events, { type: "room", claim });
      assertContains(events, { type: "relay", relay: relayNamed("a", { participants: 3 }) });
      assertContains(events, { type: "room-gone", room: "one" });
      assertContains(events, { type: "room-gone", room: "two" });
      assertContains(events, { type: "relay-gone", relayId: "a" });
      events.length = 0;

      stop();
      await directory.register(relayNamed("b"), TTL_MS);
      await pass(SETTLE_MS);
      assert.deepEqual(events, []);
    },
  },
  {
    name: "a relay whose lease ran out is told as gone, with its rooms",
    run: async ({ directory, pass, cutOff }) => {
      const a = await directory.register(relayNamed("a"), TTL_MS);
      await a.claimRoom("one");
      const gone: DirectoryEvent[] = [];
      directory.watch((event) => {
        if (event.type.endsWith("-gone")) gone.push(event);
      });
      await pass(SETTLE_MS);
      await cutOff("a");
      await pass(TTL_MS * 3);
      assertContains(gone, { type: "room-gone", room: "one" });
      assertContains(gone, { type: "relay-gone", relayId: "a" });
    },
  },
  {
    name: "two watches of the same changes see the same order, though one of them causes more",
    run: async (harness) => {
      const { directory, pass } = harness;
      const a = await directory.register(relayNamed("a"), TTL_MS);
      const seen: [string[], string[]] = [[], []];
      directory.watch((event) => {
        seen[0].push(JSON.stringify(event));
        if (event.type === "room" && event.claim.room === "one") void a.claimRoom("two");
      });
      directory.watch((event) => seen[1].push(JSON.stringify(event)));
      await a.claimRoom("one");
      await until(harness, () => seen[1].length >= 3);
      await pass(SETTLE_MS);
      assert.equal(seen[0].length, 3);
      assert.deepEqual(seen[1], seen[0]);
    },
  },
];

const closeCases: DirectoryCase[] = [
  {
    name: "after close every call is refused",
    run: async ({ directory }) => {
      await directory.close();
      await assert.rejects(directory.relays(), DirectoryError);
    },
  },
  {
    name: "close ends the registrations that were made here",
    run: async ({ directory }) => {
      const a = await directory.register(relayNamed("a"), TTL_MS);
      await directory.close();
      await a.lost;
      await assert.rejects(a.update(relayNamed("a")), DirectoryError);
    },
  },
];

export const directoryContract: readonly DirectoryCase[] = [
  ...relayCases,
  ...roomClaimCases,
  ...banCases,
  ...watchCases,
  ...closeCases,
];
