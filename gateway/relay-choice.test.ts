import { describe, expect, test } from "vitest";
import { gatewayFixture, problemOf, relayNamed } from "./gateway.fixture.ts";
import { chooseRelay } from "./relay-choice.ts";

const rooms = Array.from({ length: 3000 }, (_, i) => `room-${i}`);
const choose = (room: string, relays: ReturnType<typeof relayNamed>[], region?: string) =>
  chooseRelay(room, relays, undefined, region)?.id;

describe("choice of a relay", () => {
  const [a, b, c] = [relayNamed("a"), relayNamed("b"), relayNamed("c")];

  test("is the same in whatever order the directory lists them, and whatever their load", () => {
    const loaded = [a, b, c].map((relay) => ({ ...relay, participants: relay.id === "a" ? 99 : 3 }));
    for (const room of rooms.slice(0, 200)) {
      const chosen = choose(room, [a, b, c]);
      expect(choose(room, [c, b, a])).toBe(chosen);
      expect(choose(room, loaded)).toBe(chosen);
    }
  });

  test("spreads rooms by capacity", () => {
    const relays = [a, b, relayNamed("big", { capacity: 200 })];
    const share = (id: string) => rooms.filter((room) => choose(room, relays) === id).length / rooms.length;
    expect(share("a")).toBeCloseTo(0.25, 1);
    expect(share("b")).toBeCloseTo(0.25, 1);
    expect(share("big")).toBeCloseTo(0.5, 1);
  });

  test("moves only the rooms of a relay that goes", () => {
    for (const room of rooms.slice(0, 500)) {
      const before = choose(room, [a, b, c]);
      const after = choose(room, [a, b]);
      if (before === "c") expect(["a", "b"]).toContain(after);
      else expect(after).toBe(before);
    }
  });

  test("prefers the caller's region, then any that has space", () => {
    const us = relayNamed("us", { region: "us" });
    const fullUs = { ...us, participants: us.capacity };
    for (const room of rooms.slice(0, 50)) {
      expect(choose(room, [a, b, us], "us")).toBe("us");
      expect(choose(room, [a, us], "eu")).toBe("a");
      expect(["a", "b"]).toContain(choose(room, [a, b, fullUs], "us"));
      expect(choose(room, [fullUs], "us")).toBe("us");
      expect(["a", "b", "us"]).toContain(choose(room, [a, b, us], "moon"));
    }
  });

  test("a room that has a root goes there, from every region, unless it drains or is gone", () => {
    const claim = { room: "room", relayId: "b", epoch: 1 };
    const us = relayNamed("us", { region: "us" });
    const full = { ...b, participants: b.capacity };
    expect(chooseRelay("room", [a, b, us], claim, "us")?.id).toBe("b");
    expect(chooseRelay("room", [a, full], claim, undefined)?.id).toBe("b");
    expect(chooseRelay("room", [a, { ...b, draining: true }], claim, undefined)?.id).toBe("a");
    expect(chooseRelay("room", [a], claim, undefined)?.id).toBe("a");
    expect(chooseRelay("room", [{ ...a, draining: true }], undefined, undefined)).toBeUndefined();
  });
});

describe("join and the directory", () => {
  const relayOf = async (response: Response) =>
    ((await response.json()) as { relays: { relayId: string }[] }).relays.map((relay) => relay.relayId);

  test("two gateways send the first two of a room to one relay", async () => {
    const relays = ["a", "b", "c", "d"].map((id) => relayNamed(id));
    const gateways = [
      await gatewayFixture({ relays }),
      await gatewayFixture({ relays: [...relays].reverse() }),
    ];
    for (const room of ["one", "two", "three"]) {
      const chosen = await Promise.all(
        gateways.map(async ({ token, join }) => relayOf(await join(room, await token(room)))),
      );
      expect(chosen[0]).toEqual(chosen[1]);
    }
  });

  test("the region comes by header or query; the claim of a room is stronger", async () => {
    const { directory, token, join, post } = await gatewayFixture({ relays: [] });
    const eu = await directory.register(relayNamed("eu1"), 1000);
    await directory.register(relayNamed("us1", { region: "us" }), 1000);
    const held = await token("room");
    expect(await relayOf(await join("room", held, { "x-tributary-region": "us" }))).toEqual(["us1"]);
    expect(await relayOf(await join("room", held, { "x-tributary-region": "eu" }))).toEqual(["eu1"]);
    const authorization = `Bearer ${held}`;
    expect(await relayOf(await post("/v1/rooms/room/join?region=us", undefined, { authorization }))).toEqual([
      "us1",
    ]);
    await eu.claimRoom("room");
    expect(await relayOf(await join("room", held, { "x-tributary-region": "us" }))).toEqual(["eu1"]);
    await eu.update(relayNamed("eu1", { draining: true }));
    expect(await relayOf(await join("room", held))).toEqual(["us1"]);
  });

  test("with no relay the answer is 503 and when to come back", async () => {
    const { token, join } = await gatewayFixture({ relays: [relayNamed("a", { draining: true })] });
    const response = await join("room", await token("room"));
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await problemOf(response)).toBe("503 no-relay");
  });

  test("a directory that fails is 503, not a fault of ours, and logged", async () => {
    const { directory, token, join, log } = await gatewayFixture();
    const held = await token("room");
    await directory.close();
    expect(await problemOf(await join("room", held))).toBe("503 directory-unavailable");
    expect(log.at(-1)?.level).toBe("error");
  });
});
