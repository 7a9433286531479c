import { createHash } from "node:crypto";
import { Script } from "node:vm";
import { describe, expect, test } from "vitest";
import type { TreeLink, TreePlace } from "../core/wire/operations-api.ts";
import { gatewayFixture, KEY_HEADERS, problemOf, relayNamed } from "./gateway.fixture.ts";
import { MAX_TREE_ANSWER_MS } from "./limits.ts";
import { type TreeNode, treeOf } from "./room-tree.ts";
import { SERVICE_TIMEOUT_MS } from "./service-calls.ts";

const link = (relayId: string, change: Partial<TreeLink> = {}): TreeLink => ({
  relayId,
  region: relayId.slice(0, 2),
  rttMs: 20,
  lossOut: 0,
  lossIn: 0,
  sendRateBps: null,
  queueMs: 0,
  tracksOut: 1,
  tracksIn: 1,
  datagramsSent: 1,
  datagramsReceived: 1,
  bytesSent: 1,
  bytesReceived: 1,
  repairsSent: 0,
  silent: false,
  leaving: false,
  ...change,
});

/** `children` by their ids, each with the ids below it. */
function place(
  relayId: string,
  parent: string | undefined,
  children: Record<string, string[]> = {},
  change: Partial<TreePlace> = {},
): TreePlace {
  return {
    room: "room",
    relayId,
    region: relayId.slice(0, 2),
    root: parent === undefined,
    provisional: false,
    epoch: 3,
    path: parent === undefined ? [relayId] : ["eu1", relayId],
    ...(parent === undefined ? {} : { parent: link(parent) }),
    children: Object.entries(children).map(([id, below]) => ({ ...link(id), below, height: 0 })),
    participantsHere: 2,
    participantsElsewhere: 4,
    tracks: 5,
    ...change,
  };
}

/** "eu1(us1(us2) ap1)"; ? behind those that did not answer. */
function shape({ relayId, reachable, children }: TreeNode): string {
  const below = children.length === 0 ? "" : `(${children.map(shape).join(" ")})`;
  return `${relayId}${reachable ? "" : "?"}${below}`;
}

const places = (...all: TreePlace[]) => new Map(all.map((each) => [each.relayId, each]));

describe("a tree out of what relays say", () => {
  test.each([
    ["one relay", [place("eu1", undefined)], "eu1", ""],
    [
      "two floors below the root",
      [
        place("eu1", undefined, { us1: ["us2"], ap1: [] }),
        place("us1", "eu1", { us2: [] }),
        place("us2", "us1"),
        place("ap1", "eu1"),
      ],
      "eu1(ap1 us1(us2))",
      "",
    ],
    [
      "what does not answer is where others name it",
      [place("eu1", undefined, { us1: ["us2", "us3"] }), place("us2", "us1", { us3: [] })],
      "eu1(us1?(us2(us3?)))",
      "",
    ],
    ["the root does not answer", [place("us1", "eu1"), place("us2", "eu1")], "eu1?(us1 us2)", ""],
    [
      "a relay's own word on its parent counts",
      [place("eu1", undefined, { us1: [], us2: [] }), place("us1", "eu1", { us2: [] }), place("us2", "us1")],
      "eu1(us1(us2))",
      "",
    ],
    [
      "of two roots the newer one; who looks for a place is adrift",
      [
        place("eu1", undefined, {}, { epoch: 3 }),
        place("us1", undefined, { us2: [] }, { epoch: 4 }),
        place("us2", "us1"),
      ],
      "us1(us2)",
      "eu1",
    ],
    [
      "a loop is no endless tree",
      [place("eu1", undefined), place("us1", "us2", { us2: [] }), place("us2", "us1", { us1: [] })],
      "eu1",
      "us1(us2)",
    ],
    ["a relay that is its own parent", [place("eu1", undefined), place("us1", "us1")], "eu1", "us1"],
  ])("%s", (_what, said, root, adrift) => {
    for (const all of [said, [...said].reverse()]) {
      const tree = treeOf(places(...all));
      expect(shape(tree.root)).toBe(root);
      expect(tree.adrift.map(shape).join(" ")).toBe(adrift);
    }
  });

  test("a link is told as both ends measure it", () => {
    const root = place("eu1", undefined, { us1: [] }, { deputy: "us1" });
    const child = place("us1", "eu1", {}, { parent: link("eu1", { lossOut: 0.1 }) });
    const tree = treeOf(places(root, child));
    expect(tree).toMatchObject({ epoch: 3, deputy: "us1", participants: 6, tracks: 5 });
    expect(tree.root.link).toBeUndefined();
    expect(tree.root.children[0]?.link).toEqual({ down: link("us1"), up: link("eu1", { lossOut: 0.1 }) });
  });
});

describe("the tree of a room at the gateway", () => {
  type Said = Record<string, TreePlace | "silent" | "missing">;
  async function cluster(said: Said, root?: string) {
    const asked: string[] = [];
    const fixture = await gatewayFixture({
      relays: [],
      fetch: async (url, init) => {
        const id = url.hostname.split(".")[0] ?? "";
        asked.push(id);
        expect(url.pathname).toBe("/v1/rooms/room/tree");
        const answer = said[id];
        if (answer === "missing") return new Response("no", { status: 404 });
        if (answer !== "silent") return Response.json(answer);
        return new Promise((_, reject) =>
          init.signal?.addEventListener("abort", () => reject(init.signal?.reason)),
        );
      },
    });
    for (const id of Object.keys(said)) {
      const registration = await fixture.directory.register(relayNamed(id), 10_000);
      if (id === root) await registration.claimRoom("room");
    }
    const get = (headers: Record<string, string> = KEY_HEADERS) =>
      fixture.app.request("/v1/rooms/room/tree", { headers });
    return { ...fixture, asked, get };
  }
  /** Lets what does not answer run into its deadline. */
  async function patiently(fixture: Awaited<ReturnType<typeof cluster>>): Promise<Response> {
    const answer = Promise.resolve(fixture.get());
    let isThere = false;
    void answer.finally(() => {
      isThere = true;
    });
    for (let i = 0; i < 50 && !isThere; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      fixture.clock.pass(SERVICE_TIMEOUT_MS / 4);
    }
    return answer;
  }

  test("asks the root, then those that it names, and nobody else", async () => {
    const said: Said = {
      eu1: place("eu1", undefined, { us1: ["us2"] }),
      us1: place("us1", "eu1", { us2: [] }),
      us2: place("us2", "us1"),
      ap1: "missing",
    };
    const { asked, get } = await cluster(said, "eu1");
    const response = await get();
    expect(response.status).toBe(200);
    const tree = (await response.json()) as { room: string; root: TreeNode; unreachable: string[] };
    expect(shape(tree.root)).toBe("eu1(us1(us2))");
    expect(tree).toMatchObject({ room: "room", unreachable: [] });
    expect(asked[0]).toBe("eu1");
    expect(asked.sort()).toEqual(["eu1", "us1", "us2"]);
  });

  test("relays that do not answer are marked, the root too", async () => {
    const silentChild = await cluster({ eu1: place("eu1", undefined, { us1: [] }), us1: "silent" }, "eu1");
    const tree = (await (await patiently(silentChild)).json()) as { root: TreeNode; unreachable: string[] };
    expect(shape(tree.root)).toBe("eu1(us1?)");
    expect(tree.unreachable).toEqual(["us1"]);
    const silentRoot = await cluster({ eu1: "silent", us1: place("us1", "eu1"), us2: "missing" }, "eu1");
    const headless = (await (await patiently(silentRoot)).json()) as { root: TreeNode };
    expect(shape(headless.root)).toBe("eu1?(us1)");
  });

  test("takes no longer than it may, however many relays are silent", async () => {
    const ids = Array.from({ length: 200 }, (_, i) => `us${i}`);
    const said: Said = { eu1: place("eu1", undefined, { us0: ids.slice(1) }) };
    for (const id of ids) said[id] = "silent";
    const fixture = await cluster(said, "eu1");
    const startedSeconds = fixture.clock.seconds;
    const tree = (await (await patiently(fixture)).json()) as { unreachable: string[] };
    expect(tree.unreachable).toHaveLength(200);
    expect(fixture.asked.length).toBeLessThan(60);
    expect((fixture.clock.seconds - startedSeconds) * 1000).toBeLessThanOrEqual(
      MAX_TREE_ANSWER_MS + SERVICE_TIMEOUT_MS + 1000,
    );
  });

  test("a room without a claim is looked for everywhere; one that nobody holds is 404; no key, no tree", async () => {
    const { get } = await cluster({ eu1: place("eu1", undefined), us1: "missing" });
    expect((await get()).status).toBe(200);
    expect(await problemOf(await get({}))).toBe("401 credentials-missing");
    const empty = await cluster({ eu1: "missing", us1: "missing" }, "eu1");
    expect(await problemOf(await empty.get())).toBe("404 room-not-found");
    const down = await cluster({ eu1: "silent" }, "eu1");
    expect(await problemOf(await patiently(down))).toBe("502 relay-unreachable");
  });

  test("what a relay says that does not fit is no answer, and it speaks for itself only", async () => {
    const wrong = {
      ...place("us1", "eu1"),
      children: [{ relayId: "x".repeat(500) }],
    } as unknown as TreePlace;
    const lie = place("eu9", "eu1");
    const { get } = await cluster(
      { eu1: place("eu1", undefined, { us1: [], us2: [] }), us1: wrong, us2: lie },
      "eu1",
    );
    const tree = (await (await get()).json()) as { root: TreeNode; unreachable: string[] };
    expect(shape(tree.root)).toBe("eu1(us1? us2)");
    expect(tree.unreachable).toEqual(["us1"]);
  });
});

test("the page that draws it needs nothing from elsewhere, and its policy lets nothing run but its own script", async () => {
  const { app } = await gatewayFixture();
  const response = await app.request("/tree");
  const page = await response.text();
  const policy = response.headers.get("content-security-policy") ?? "";
  expect(response.headers.get("content-type")).toContain("text/html");
  expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[\w+/=]{44}'; style-src 'sha256-/);
  expect(policy).not.toMatch(/unsafe|\*/);
  const inside = (tag: string): string => page.split(`<${tag}>`)[1]?.split(`</${tag}>`)[0] ?? "";
  const hashOf = (text: string): string => createHash("sha256").update(text).digest("base64");
  expect(policy).toContain(`script-src 'sha256-${hashOf(inside("script"))}'`);
  expect(policy).toContain(`style-src 'sha256-${hashOf(inside("style"))}'`);
  expect(page.match(/<script|<style| style=| on\w+=/g)).toEqual(["<style", "<script"]);
  expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)|src=|innerHTML|localStorage|cookie/);
  expect(() => new Script(inside("script"))).not.toThrow();
});
