import { expect, test } from "vitest";
import { gatewayFixture, KEY_HEADERS, relayNamed } from "./gateway.fixture.ts";
import { JoinLookups } from "./join-lookups.ts";
import { MAX_REMEMBERED_ROOTS } from "./limits.ts";

test("with reuse, joins go by what was read a moment ago; bans and the room API do not", async () => {
  const { app, directory, clock, token, join } = await gatewayFixture({ relays: [], lookupReuseMs: 2_000 });
  const held = await token("room");
  const relayOf = async () => {
    const response = await join("room", held);
    const { relays } = (await response.json()) as { relays?: { relayId: string }[] };
    return relays?.[0]?.relayId ?? response.status;
  };
  expect(await relayOf()).toBe(503);
  const [a, b] = await Promise.all(["a", "b"].map((id) => directory.register(relayNamed(id), 1_000_000)));
  // "None" is no answer to go by: neither of relays, nor of a root.
  expect(["a", "b"]).toContain(await relayOf());
  const first = await a!.claimRoom("room");
  expect(await relayOf()).toBe("a");
  await b!.supersedeRoom(first);
  clock.pass(1_900);
  expect(await relayOf()).toBe("a");
  const list = await app.request("/v1/rooms", { headers: KEY_HEADERS });
  expect(((await list.json()) as { unreachable: string[] }).unreachable).toEqual(["a", "b"]);
  clock.pass(100);
  expect(await relayOf()).toBe("b");
  const { jti = "", exp = 0 } = JSON.parse(atob(held.split(".")[1] ?? "")) as { jti?: string; exp?: number };
  await directory.ban({ room: "room", token: jti, untilSeconds: exp });
  expect(await relayOf()).toBe(403);
});

test("without reuse every join asks; a bounded number of roots is remembered", async () => {
  let asked = 0;
  let nowUs = 0;
  const directory = {
    relays: async () => [],
    room: async (room: string) => {
      asked += 1;
      return { room, relayId: "a", epoch: 1 };
    },
  };
  const clock = {
    nowUs: () => nowUs,
    after: () => {
      throw new Error("lookups need no timers");
    },
  };
  const never = new JoinLookups({ directory, clock, reuseMs: 0 });
  for (let i = 0; i < 3; i++) await never.root("room");
  expect(asked).toBe(3);

  const lookups = new JoinLookups({ directory, clock, reuseMs: 1_000 });
  for (let i = 0; i < MAX_REMEMBERED_ROOTS + 1; i++) await lookups.root(`room ${i}`);
  asked = 0;
  await lookups.root("room 1");
  expect(asked).toBe(0);
  // Read first, so forgotten first.
  await lookups.root("room 0");
  expect(asked).toBe(1);
  nowUs += 1_000_000;
  await lookups.root("room 0");
  expect(asked).toBe(2);
});
