/** The contract of gateways over HTTP: rooms, participants, the tree of a room's relays. */
import { createLocalJWKSet, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { relayTicketSchema } from "../../../core/wire/tokens.ts";
import type { Joined } from "./join-cases.ts";
import { KEY, type Stage } from "./stage.contract.ts";

const MEMBER = { token: "t", tokenExp: 1 };

export function roomCases(stage: Stage): void {
  test("rooms of a relay that answers are listed, page by page; one that is dead is named", async () => {
    for (const room of ["listed-a", "listed-b"]) stage.relay.members.set(`${room}/ann`, MEMBER);
    type Rooms = { rooms: { room: string }[]; unreachable: string[]; next?: string };
    const page = (query: string) => stage.get<Rooms>("GET", `/v1/rooms${query}`);
    const first = await page("?limit=1");
    expect(first).toMatchObject({ rooms: [{ room: "listed-a" }], next: "listed-a", unreachable: ["dead"] });
    expect(await page(`?after=${first.next}`)).toMatchObject({ rooms: [{ room: "listed-b" }] });
    const detail = await stage.get("GET", "/v1/rooms/listed-a");
    expect(detail).toMatchObject({ members: [{ identity: "ann" }], unreachable: ["dead"] });
    expect(stage.relay.refused).toBe(0);
  });

  test("the tree of a room's relays, and the page that draws it", async () => {
    stage.relay.members.set("tree/ann", MEMBER);
    const tree = await stage.get("GET", "/v1/rooms/tree/tree");
    expect(tree).toMatchObject({ root: { relayId: "near", participants: 1 }, unreachable: ["dead"] });
    const pages = await Promise.all([1, 2, 3].map(() => stage.call("GET", "/tree")));
    for (const page of pages) {
      expect(page.status).toBe(200);
      expect(page.headers.get("content-security-policy")).toContain("script-src 'sha256-");
      expect(await page.text()).toContain("<!doctype html>");
    }
  });

  test("a room that nobody is in cannot be told apart from one on a dead relay: 502, and 404 for none", async () => {
    // A relay that does not answer might hold it.
    for (const path of ["/v1/rooms/empty", "/v1/rooms/empty/tree"]) {
      expect(await stage.refusal("GET", path, { headers: KEY })).toBe("502 relay-unreachable");
    }
    const remove = await stage.refusal("DELETE", "/v1/rooms/empty/participants/ann", { headers: KEY });
    expect(remove).toBe("502 relay-unreachable");
  });

  test("a removed participant is out at the relay and does not come back on the same token", async () => {
    const held = await stage.token("banned");
    const response = await stage.join("banned", held, { "x-tributary-region": "eu" });
    const { relays } = (await response.json()) as Joined;
    const keys = createLocalJWKSet({ keys: [stage.ticketKey] });
    const { payload } = await jwtVerify(relays[0]?.ticket ?? "", keys);
    const ticket = relayTicketSchema.parse(payload);
    stage.relay.members.set("banned/ann", { token: ticket.token, tokenExp: ticket.tokenExp });
    await stage.get("DELETE", "/v1/rooms/banned/participants/ann");
    expect(stage.relay.members.has("banned/ann")).toBe(false);
    expect(await stage.refusedJoin("banned", held)).toBe("403 removed");
    expect((await stage.join("banned", await stage.token("banned"))).status).toBe(200);
  });

  test("an admin of the room removes others, of that room only; who is none does not", async () => {
    const path = "/v1/rooms/court/participants/eve";
    const as = async (room: string, grants: object) => ({
      headers: { authorization: `Bearer ${await stage.token(room, { identity: "judge", grants })}` },
    });
    stage.relay.members.set("court/eve", { token: "of-eve", tokenExp: Math.floor(Date.now() / 1000) + 60 });
    expect(await stage.refusal("DELETE", path, await as("court", {}))).toBe("403 admin-required");
    expect(await stage.refusal("DELETE", path, await as("x", { admin: true }))).toBe("403 token-other-room");
    expect(await stage.get("DELETE", path, await as("court", { admin: true }))).toMatchObject({
      room: "court",
      identity: "eve",
    });
  });

  test.each([
    ["no key", {}, "401 credentials-missing"],
    ["a wrong secret", { authorization: "Bearer app:wrong" }, "401 key-refused"],
    ["an unknown id", { authorization: "Bearer nobody:x" }, "401 key-refused"],
    ["Basic without base64", { authorization: "Basic %%%" }, "401 credentials-missing"],
    ["a token", { authorization: "Bearer x.y.z" }, "401 key-refused"],
  ])("with %s rooms tell nothing", async (_what, headers, problem) => {
    for (const path of ["/v1/rooms", "/v1/rooms/listed-a", "/v1/rooms/listed-a/tree"]) {
      expect(await stage.refusal("GET", path, { headers })).toBe(problem);
    }
  });

  test("the same key as Basic credentials will do", async () => {
    const authorization = `Basic ${btoa(`app:${stage.secret}`)}`;
    expect(await stage.refusal("GET", "/v1/rooms", { headers: { authorization } })).toBe("200");
  });
}
