import { createLocalJWKSet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import type { RelayRecord } from "../core/directory/directory.ts";
import { relayTicketSchema } from "../core/wire/tokens.ts";
import { gatewayFixture, problemOf, relayNamed } from "./gateway.fixture.ts";
import { chooseRelays } from "./relay-choice.ts";

const rooms = Array.from({ length: 3000 }, (_, i) => `room-${i}`);
const choose = (room: string, relays: ReturnType<typeof relayNamed>[], region?: string) =>
  chooseRelays(room, relays, undefined, region)[0]?.id;

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
});

describe("the candidates of a join", () => {
  const relay = (id: string, change: Partial<RelayRecord> = {}) =>
    relayNamed(id, { region: id.replace(/\d/g, ""), ...change });
  const full = { participants: 100 };
  const draining = { draining: true };
  const [eu1, eu2, eu3, us1, us2, ap1] = ["eu1", "eu2", "eu3", "us1", "us2", "ap1"].map((id) =>
    relay(id),
  ) as [RelayRecord, RelayRecord, RelayRecord, RelayRecord, RelayRecord, RelayRecord];
  const all = [eu1, eu2, eu3, us1, us2, ap1];

  // Whole ids where the rules leave no choice, "eu" where the hash chooses among those of a region, "*" among all.
  test.each<[string, RelayRecord[], string | undefined, string | undefined, string]>([
    ["no relay", [], undefined, "eu", ""],
    ["one relay, elsewhere", [us1], undefined, "eu", "us1"],
    ["two relays", [us1, eu1], undefined, "eu", "eu1 us1"],
    ["two of one region", [eu1, eu2], "eu2", "eu", "eu2 eu1"],
    ["a region, and one elsewhere for when it dies", all, undefined, "eu", "eu eu *"],
    ["one relay in the region", all, undefined, "ap", "ap1 * *"],
    ["all in one region", [eu1, eu2, eu3], undefined, "eu", "eu eu eu"],
    ["a region that nobody is in", all, undefined, "moon", "* * *"],
    ["the root in the caller's region", all, "eu3", "eu", "eu3 eu *"],
    ["the root in another region is the first elsewhere", all, "us2", "eu", "eu eu us2"],
    ["the root where the region is unknown", all, "us2", undefined, "us2 * *"],
    ["the root where nobody is in the region", all, "us2", "moon", "us2 * *"],
    [
      "a full relay comes behind one with space elsewhere",
      [relay("eu1", full), us1],
      undefined,
      "eu",
      "us1 eu1",
    ],
    ["a full root comes behind those with space", [relay("eu1", full), eu2, us1], "eu1", "eu", "eu2 us1 eu1"],
    ["all full: as if none were", all.map((r) => ({ ...r, ...full })), "eu3", "eu", "eu3 eu *"],
    ["the root drains", [relay("eu1", draining), eu2, us1], "eu1", "eu", "eu2 us1"],
    [
      "the root drains, its region is no longer first",
      [relay("us1", draining), eu1],
      "us1",
      undefined,
      "eu1",
    ],
    ["all of the region drain", [relay("eu1", draining), us1, ap1], "ap1", "eu", "ap1 us1"],
    ["all drain", all.map((r) => ({ ...r, ...draining })), "eu1", "eu", ""],
    ["the root is not in the directory", [eu1, us1], "eu9", "us", "us1 eu1"],
    ["a root that links to none is the room", [relay("eu1", { linkKey: "" }), us1], "eu1", "us", "eu1"],
    [
      "relays that link to none",
      [relay("eu1", { linkKey: "" }), relay("us1", { linkKey: "" })],
      undefined,
      "us",
      "us1",
    ],
    [
      "one that links to none does not stand in",
      [eu1, relay("us1", { linkKey: "" }), eu2],
      "eu1",
      "eu",
      "eu1 eu2",
    ],
  ])("%s", (_what, relays, root, region, expected) => {
    const claim = root === undefined ? undefined : { room: "", relayId: root, epoch: 1 };
    for (const room of rooms.slice(0, 100)) {
      const chosen = chooseRelays(room, relays, claim, region).map(({ id }) => id);
      expect(new Set(chosen).size).toBe(chosen.length);
      const pattern = expected.replace(/\*/g, "\\w+").replace(/\b(eu|us|ap)\b/g, "$1\\d");
      expect(chosen.join(" ")).toMatch(new RegExp(`^${pattern}$`));
      const elsewhere = relays.filter((r) => !r.draining && r.linkKey && r.region !== chosen[0]?.slice(0, 2));
      if (chosen.length === 3 && elsewhere.some(({ id }) => id !== chosen[1]))
        expect(chosen[2]?.slice(0, 2)).not.toBe(chosen[0]?.slice(0, 2));
      expect(chooseRelays(room, [...relays].reverse(), claim, region).map(({ id }) => id)).toEqual(chosen);
    }
  });

  test("callers of one region meet on one relay, whatever region the root is in", () => {
    for (const room of rooms.slice(0, 100)) {
      const alone = chooseRelays(room, all, undefined, "eu")[0]?.id;
      const claim = { room, relayId: "us1", epoch: 7 };
      expect(chooseRelays(room, all, claim, "eu")[0]?.id).toBe(alone);
    }
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

  test("each candidate has a ticket of its own", async () => {
    const { token, join, ticketKey } = await gatewayFixture({
      relays: ["a", "b", "c", "d"].map((id) => relayNamed(id)),
    });
    const { relays } = (await (await join("room", await token("room"))).json()) as {
      relays: { relayId: string; ticket: string }[];
    };
    const tickets = await Promise.all(
      relays.map(async ({ relayId: audience, ticket }) => {
        const keys = createLocalJWKSet({ keys: [{ ...ticketKey.publicJwk }] });
        const currentDate = new Date(1_800_000_001_000);
        return relayTicketSchema.parse((await jwtVerify(ticket, keys, { audience, currentDate })).payload);
      }),
    );
    expect(new Set(tickets.map(({ jti }) => jti)).size).toBe(3);
    expect(new Set(tickets.map(({ token: name }) => name)).size).toBe(1);
  });

  test("the region comes by header or query; the root is the first of its own and of unknown ones", async () => {
    const { directory, token, join, post } = await gatewayFixture({ relays: [] });
    const eu = await directory.register(relayNamed("eu1"), 1000);
    await directory.register(relayNamed("us1", { region: "us" }), 1000);
    const held = await token("room");
    expect(await relayOf(await join("room", held, { "x-tributary-region": "us" }))).toEqual(["us1", "eu1"]);
    expect(await relayOf(await join("room", held, { "x-tributary-region": "eu" }))).toEqual(["eu1", "us1"]);
    const authorization = `Bearer ${held}`;
    expect(await relayOf(await post("/v1/rooms/room/join?region=us", undefined, { authorization }))).toEqual([
      "us1",
      "eu1",
    ]);
    await eu.claimRoom("room");
    expect(await relayOf(await join("room", held, { "x-tributary-region": "us" }))).toEqual(["us1", "eu1"]);
    expect(await relayOf(await join("room", held))).toEqual(["eu1", "us1"]);
    await eu.update(relayNamed("eu1", { draining: true }));
    expect(await relayOf(await join("room", held))).toEqual(["us1"]);
  });

  test("on Workers the caller's place is known: the narrowest that the map has counts, what the caller says is stronger", async () => {
    const { app, token } = await gatewayFixture({
      env: { TRIBUTARY_REGION_MAP: "EU:eu, GB:uk, LHR:lhr, country-NA:za" },
      relays: ["eu", "uk", "lhr", "za"].map((region) => relayNamed(region, { region })),
    });
    const authorization = `Bearer ${await token("room")}`;
    const first = async (cf: unknown, headers: Record<string, string> = {}, query = "") => {
      const url = `http://gateway/v1/rooms/room/join${query}`;
      const request = new Request(url, { method: "POST", headers: { authorization, ...headers } });
      return (await relayOf(await app.fetch(Object.assign(request, { cf }))))[0];
    };
    const london = { continent: "EU", country: "GB", colo: "LHR" };
    expect(await first(london)).toBe("lhr");
    expect(await first({ ...london, colo: "MAN" })).toBe("uk");
    expect(await first({ ...london, colo: "CDG", country: "FR" })).toBe("eu");
    expect(await first({ continent: "AF", country: "NA" })).toBe("za");
    expect(await first(london, { "x-tributary-region": "eu" })).toBe("eu");
    expect(await first(london, { "x-tributary-region": "eu" }, "?region=uk")).toBe("uk");
    const unknown = await first(undefined);
    for (const cf of [{ continent: "NA" }, { country: 7, colo: {} }, "EU"])
      expect(await first(cf)).toBe(unknown);
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
