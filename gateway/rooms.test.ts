import { createLocalJWKSet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { serviceTokenSchema } from "../core/wire/tokens.ts";
import { gatewayFixture, KEY_HEADERS, problemOf, relayNamed } from "./gateway.fixture.ts";
import { MAX_SERVICE_ANSWER_BYTES, SERVICE_TIMEOUT_MS } from "./service-calls.ts";

const CREATED = "2027-01-15T08:00:00.000Z";
const ann = { identity: "ann", name: "Ann", admin: false, tracks: [] };
const bob = { identity: "bob", name: "Bob", admin: true, tracks: [] };
const summary = (room: string, participants = 1) => ({ room, participants, tracks: 2, createdAt: CREATED });
const detail = (room: string, relayId: string, members: unknown[]) => ({
  ...summary(room, members.length),
  relayId,
  members,
});
const notFound = () => new Response("no", { status: 404 });

type Relay = (method: string, path: string, init: RequestInit) => Response | Promise<Response>;

/** Two relays, played by functions; one that is left out cannot be reached. */
function cluster(relays: Record<string, Relay>) {
  return gatewayFixture({
    relays: [relayNamed("r1"), relayNamed("r2")],
    fetch: async (url, init) => {
      const relay = relays[url.hostname.split(".")[0] ?? ""];
      if (!relay) throw new TypeError("connection refused");
      return relay(init.method ?? "GET", decodeURIComponent(url.pathname), init);
    },
  });
}

describe("listing rooms", () => {
  const get = async (fixture: Awaited<ReturnType<typeof cluster>>, path: string) => {
    const response = await fixture.app.request(path, { headers: KEY_HEADERS });
    expect(response.status).toBe(200);
    return response.json() as Promise<{ rooms: { room: string }[]; next?: string; unreachable: string[] }>;
  };

  test("puts together what all relays hold, by name; a room on two relays is one room", async () => {
    const fixture = await cluster({
      r1: () => Response.json([summary("zoo", 1), summary("both", 2)]),
      r2: () => Response.json([{ ...summary("both", 3), createdAt: "2026-01-01T00:00:00.000Z" }]),
    });
    expect(await get(fixture, "/v1/rooms")).toEqual({
      rooms: [
        {
          room: "both",
          participants: 3,
          tracks: 2,
          createdAt: "2026-01-01T00:00:00.000Z",
          relays: ["r1", "r2"],
        },
        { ...summary("zoo"), relays: ["r1"] },
      ],
      unreachable: [],
    });
  });

  test("goes page by page", async () => {
    const names = ["a", "b", "c", "d", "e"];
    const fixture = await cluster({
      r1: () => Response.json(names.map((n) => summary(n))),
      r2: () => Response.json([]),
    });
    const seen: string[] = [];
    let after = "";
    do {
      const page = await get(fixture, `/v1/rooms?limit=2${after && `&after=${after}`}`);
      seen.push(...page.rooms.map((room) => room.room));
      after = page.next ?? "";
    } while (after);
    expect(seen).toEqual(names);
    const wrong = await fixture.app.request("/v1/rooms?limit=x", { headers: KEY_HEADERS });
    expect(await problemOf(wrong)).toBe("400 invalid-request");
  });

  const bad: [string, Relay][] = [
    ["answers an error", () => new Response("x", { status: 500 })],
    [
      "redirects",
      () => new Response(null, { status: 302, headers: { location: "http://evil.example.org/" } }),
    ],
    ["is something else with a 404", notFound],
    ["answers no JSON", () => new Response("<html>")],
    ["answers another shape", () => Response.json([{ room: "a b" }])],
    ["answers without end", () => endless()],
  ];
  test.each(bad)("a relay that %s is named as unreachable; the others are listed", async (_what, r2) => {
    const fixture = await cluster({ r1: () => Response.json([summary("zoo")]), r2 });
    const body = await get(fixture, "/v1/rooms");
    expect(body.rooms.map((room) => room.room)).toEqual(["zoo"]);
    expect(body.unreachable).toEqual(["r2"]);
    expect(fixture.log.filter((entry) => entry.level === "warn")).toHaveLength(1);
  });

  test("a relay that says nothing is given up after its time", async () => {
    let asked = () => {};
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const fixture = await cluster({
      r1: () => Response.json([summary("zoo")]),
      r2: (_method, _path, init) =>
        new Promise((_resolve, reject) => {
          init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
          asked();
        }),
    });
    const answer = get(fixture, "/v1/rooms");
    await wasAsked;
    fixture.clock.pass(SERVICE_TIMEOUT_MS);
    expect((await answer).unreachable).toEqual(["r2"]);
  });

  test("takes an API key, and the relay gets a service token of its own, not the key", async () => {
    const seen: string[] = [];
    const fixture = await cluster({
      r1: (_method, _path, init) => {
        seen.push(new Headers(init.headers).get("authorization") ?? "");
        return Response.json([]);
      },
      r2: () => Response.json([]),
    });
    expect(await problemOf(await fixture.app.request("/v1/rooms"))).toBe("401 credentials-missing");
    const token = await fixture.token("room", { grants: { admin: true } });
    const authorization = `Bearer ${token}`;
    expect(await problemOf(await fixture.app.request("/v1/rooms", { headers: { authorization } }))).toBe(
      "401 key-refused",
    );
    expect(seen).toEqual([]);
    await get(fixture, "/v1/rooms");
    const keys = createLocalJWKSet({ keys: [{ ...fixture.ticketKey.publicJwk }] });
    const { payload } = await jwtVerify(seen[0]?.replace("Bearer ", "") ?? "", keys, {
      audience: "r1",
      currentDate: new Date(fixture.clock.seconds * 1000),
    });
    expect(serviceTokenSchema.parse(payload).scope).toBe("rooms");
  });
});

describe("one room", () => {
  const ask = (fixture: Awaited<ReturnType<typeof cluster>>, room: string) =>
    fixture.app.request(`/v1/rooms/${room}`, { headers: KEY_HEADERS });

  test("is shown with everybody in it, from all relays that hold it", async () => {
    const fixture = await cluster({
      r1: (_method, path) =>
        path === "/v1/rooms/bühne" ? Response.json(detail("bühne", "r1", [ann])) : notFound(),
      r2: () => Response.json(detail("bühne", "r2", [{ ...ann, name: "An earlier name" }, bob])),
    });
    const response = await ask(fixture, encodeURIComponent("bühne"));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      room: "bühne",
      participants: 2,
      tracks: 2,
      createdAt: CREATED,
      relays: ["r1", "r2"],
      members: [ann, bob],
      unreachable: [],
    });
  });

  test("that nobody is in is 404; when a relay is down nobody knows, which is 502", async () => {
    expect(await problemOf(await ask(await cluster({ r1: notFound, r2: notFound }), "x"))).toBe(
      "404 room-not-found",
    );
    expect(await problemOf(await ask(await cluster({ r1: notFound }), "x"))).toBe("502 relay-unreachable");
    const partial = await ask(await cluster({ r1: () => Response.json(detail("x", "r1", [ann])) }), "x");
    expect(((await partial.json()) as { unreachable: string[] }).unreachable).toEqual(["r2"]);
  });
});

describe("removing a participant", () => {
  /** Relay 1 holds ann in "room"; remembers who was asked for. */
  async function roomWithAnn() {
    const asked: string[] = [];
    let ban = { token: "", tokenExp: 0 };
    const fixture = await cluster({
      r1: (method, path) => {
        asked.push(`${method} ${path}`);
        return path.endsWith("/room/participants/ann")
          ? Response.json({ identity: "ann", ...ban })
          : notFound();
      },
      r2: () => {
        asked.push("r2");
        return notFound();
      },
    });
    const token = await fixture.token("room");
    const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    ban = { token: payload.jti, tokenExp: payload.exp };
    const remove = (identity: string, headers: Record<string, string>) =>
      fixture.app.request(`/v1/rooms/room/participants/${identity}`, { method: "DELETE", headers });
    return { ...fixture, asked, annToken: token, annExp: payload.exp as number, remove };
  }

  test("puts them out at the relay and keeps their token out until it ends", async () => {
    const { annToken, annExp, asked, remove, join, token } = await roomWithAnn();
    expect((await join("room", annToken)).status).toBe(200);
    const response = await remove("ann", KEY_HEADERS);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      room: "room",
      identity: "ann",
      bannedUntil: new Date(annExp * 1000).toISOString(),
    });
    expect(asked).toContain("DELETE /v1/rooms/room/participants/ann");
    expect(await problemOf(await join("room", annToken))).toBe("403 removed");
    expect((await join("room", await token("room"))).status).toBe(200);
  });

  test("an admin of this room may, others may not, and a removed admin may no more", async () => {
    const { clock, directory, remove, token } = await roomWithAnn();
    const as = async (room: string, request: Record<string, unknown>) => ({
      authorization: `Bearer ${await token(room, { identity: "bob", ...request })}`,
    });
    const admin = await as("room", { grants: { admin: true } });
    expect(await problemOf(await remove("ann", await as("room", {})))).toBe("403 admin-required");
    expect(await problemOf(await remove("ann", await as("other", { grants: { admin: true } })))).toBe(
      "403 token-other-room",
    );
    expect(await problemOf(await remove("ann", {}))).toBe("401 credentials-missing");
    expect((await remove("ann", admin)).status).toBe(200);
    const { jti } = JSON.parse(Buffer.from(admin.authorization.split(".")[1] ?? "", "base64url").toString());
    await directory.ban({ room: "room", token: jti, untilSeconds: clock.seconds + 100 });
    expect(await problemOf(await remove("ann", admin))).toBe("403 removed");
  });

  test("only the room's root is asked where the directory knows it", async () => {
    const { asked, directory, remove } = await roomWithAnn();
    const r1 = await directory.register(relayNamed("r1"), 1000);
    await r1.claimRoom("room");
    expect((await remove("ann", KEY_HEADERS)).status).toBe(200);
    expect(asked).toEqual(["DELETE /v1/rooms/room/participants/ann"]);
  });

  test("where the root does not know or does not answer, any other relay of the room is asked", async () => {
    const { asked, directory, remove } = await roomWithAnn();
    const r2 = await directory.register(relayNamed("r2"), 1000);
    await r2.claimRoom("room");
    expect((await remove("ann", KEY_HEADERS)).status).toBe(200);
    expect(asked).toEqual(["r2", "DELETE /v1/rooms/room/participants/ann"]);
    const gone = await directory.register(relayNamed("r3"), 1000);
    await r2.releaseRoom("room");
    await gone.claimRoom("room");
    expect((await remove("ann", KEY_HEADERS)).status).toBe(200);
  });

  test("somebody who is not there is 404, unless a relay did not answer", async () => {
    const { remove } = await roomWithAnn();
    expect(await problemOf(await remove("carol", KEY_HEADERS))).toBe("404 participant-not-found");
    expect(await problemOf(await remove("a%20b", KEY_HEADERS))).toBe("400 invalid-request");
    const down = await cluster({ r1: notFound });
    const response = await down.app.request("/v1/rooms/room/participants/ann", {
      method: "DELETE",
      headers: KEY_HEADERS,
    });
    expect(await problemOf(response)).toBe("502 relay-unreachable");
  });
});

function endless(): Response {
  const chunk = new Uint8Array(1024 * 1024).fill(0x20);
  let sent = 0;
  return new Response(
    new ReadableStream({
      pull(controller) {
        sent += chunk.length;
        if (sent > MAX_SERVICE_ANSWER_BYTES * 4) throw new Error("nobody stopped reading");
        controller.enqueue(chunk);
      },
    }),
  );
}
