/** The part of the directory's contract (directory.contract.ts) that is about who has a room. */
import assert from "node:assert/strict";
import { DirectoryError, type DirectoryEvent } from "./directory.ts";
import { type DirectoryCase, relayNamed, TTL_MS, until } from "./directory-harness.contract.ts";
import { MAX_EPOCH } from "./limits.ts";

const claimCases: DirectoryCase[] = [
  {
    name: "of many simultaneous claims exactly one stands, and all are told which",
    run: async ({ directory }) => {
      const registrations = await Promise.all(
        ["a", "b", "c", "d"].map((id) => directory.register(relayNamed(id), TTL_MS)),
      );
      const claims = await Promise.all(registrations.map((r) => r.claimRoom("room")));
      for (const claim of claims) assert.deepEqual(claim, claims[0]);
      assert.deepEqual(await directory.room("room"), claims[0]);
      assert.deepEqual(await directory.rooms(), [claims[0]]);
    },
  },
  {
    name: "a holder that claims again keeps its epoch; each new holder has a larger one",
    run: async ({ directory }) => {
      const a = await directory.register(relayNamed("a"), TTL_MS);
      const b = await directory.register(relayNamed("b"), TTL_MS);
      const first = await a.claimRoom("room");
      assert.deepEqual(await a.claimRoom("room", first.epoch + 10), first);
      await b.releaseRoom("room");
      assert.deepEqual(await directory.room("room"), first);
      await a.releaseRoom("room");
      assert.equal(await directory.room("room"), undefined);
      const second = await b.claimRoom("room");
      assert.equal(second.relayId, "b");
      assert.ok(second.epoch > first.epoch);
      await b.end();
      const third = await a.claimRoom("room");
      assert.equal(third.relayId, "a");
      assert.ok(third.epoch > second.epoch);
    },
  },
  {
    name: "rooms are apart from one another",
    run: async ({ directory }) => {
      const a = await directory.register(relayNamed("a"), TTL_MS);
      const b = await directory.register(relayNamed("b"), TTL_MS);
      await a.claimRoom("one");
      await b.claimRoom("two");
      await a.end();
      assert.deepEqual(
        (await directory.rooms()).map((claim) => claim.room),
        ["two"],
      );
    },
  },
  {
    name: "a claim comes after the epoch that it is told, and later ones of the room after that",
    run: async ({ directory }) => {
      const a = await directory.register(relayNamed("a"), TTL_MS);
      const before = await a.claimRoom("before");
      const after = before.epoch + 1_000_000_000;
      const first = await a.claimRoom("room", after);
      assert.ok(first.epoch > after);
      await a.releaseRoom("room");
      const second = await a.claimRoom("room");
      assert.ok(second.epoch > first.epoch);
      for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, MAX_EPOCH + 2]) {
        await assert.rejects(a.claimRoom("other", wrong), DirectoryError);
      }
      assert.equal(await directory.room("other"), undefined);
    },
  },
];

const supersedeCases: DirectoryCase[] = [
  {
    name: "a room is superseded with a larger epoch; what its old holder does no longer concerns it",
    run: async (harness) => {
      const { directory } = harness;
      const a = await directory.register(relayNamed("a"), TTL_MS);
      const b = await directory.register(relayNamed("b"), TTL_MS);
      const first = await a.claimRoom("room");
      const events: DirectoryEvent[] = [];
      directory.watch((event) => events.push(event));
      await until(harness, () => events.length >= 3);
      events.length = 0;
      const second = await b.supersedeRoom(first);
      assert.equal(second.relayId, "b");
      assert.ok(second.epoch > first.epoch);
      assert.deepEqual(await directory.room("room"), second);
      assert.deepEqual(await a.claimRoom("room"), second);
      await a.releaseRoom("room");
      await a.end();
      assert.deepEqual(await directory.room("room"), second);
      await until(harness, () => events.length >= 2);
      assert.deepEqual(events, [
        { type: "room", claim: second },
        { type: "relay-gone", relayId: "a" },
      ]);
      await b.end();
      assert.equal(await directory.room("room"), undefined);
    },
  },
  {
    name: "who supersedes a claim that no longer stands is told the one that does",
    run: async ({ directory }) => {
      const a = await directory.register(relayNamed("a"), TTL_MS);
      const b = await directory.register(relayNamed("b"), TTL_MS);
      const old = await a.claimRoom("room");
      await a.releaseRoom("room");
      const standing = await a.claimRoom("room");
      assert.deepEqual(await b.supersedeRoom(old), standing);
      assert.deepEqual(await directory.room("room"), standing);
    },
  },
  {
    name: "where no claim stands, whoever supersedes has the room, after the epoch of its claim",
    run: async ({ directory }) => {
      const a = await directory.register(relayNamed("a"), TTL_MS);
      const b = await directory.register(relayNamed("b"), TTL_MS);
      const { epoch } = await a.claimRoom("room");
      await a.end();
      const gone = { room: "room", relayId: "a", epoch: epoch + 1_000_000 };
      const claim = await b.supersedeRoom(gone);
      assert.equal(claim.relayId, "b");
      assert.ok(claim.epoch > gone.epoch);
      const again = await b.supersedeRoom(claim);
      assert.equal(again.relayId, "b");
      assert.ok(again.epoch > claim.epoch);
    },
  },
  {
    name: "of many that supersede one claim exactly one has the room, and all are told which",
    run: async ({ directory }) => {
      const registrations = await Promise.all(
        ["a", "b", "c", "d", "e"].map((id) => directory.register(relayNamed(id), TTL_MS)),
      );
      const [holder, ...others] = registrations;
      const first = await holder!.claimRoom("room");
      const claims = await Promise.all(others.map((r) => r.supersedeRoom(first)));
      for (const claim of claims) assert.deepEqual(claim, claims[0]);
      assert.notEqual(claims[0]?.relayId, "a");
      assert.ok(claims[0]!.epoch > first.epoch);
      assert.deepEqual(await directory.room("room"), claims[0]);
    },
  },
  {
    name: "a holder that is cut off is superseded, and finds out when it is back",
    run: async ({ directory, cutOff, reconnect }) => {
      const a = await directory.register(relayNamed("a"), TTL_MS);
      const b = await directory.register(relayNamed("b"), TTL_MS);
      const first = await a.claimRoom("room");
      await cutOff("a");
      const second = await b.supersedeRoom(first);
      await reconnect("a");
      assert.deepEqual(await a.claimRoom("room"), second);
    },
  },
];

export const roomClaimCases: readonly DirectoryCase[] = [...claimCases, ...supersedeCases];
