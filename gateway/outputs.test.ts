import { beforeEach, describe, expect, test } from "vitest";
import { bridgeNamed, statusOf } from "../core/directory/bridge-directory-harness.contract.ts";
import { MAX_BRIDGE_JOBS } from "../core/wire/limits.ts";
import { type GatewayFixture, gatewayFixture, KEY_HEADERS, problemOf } from "./gateway.fixture.ts";

const TTL_MS = 10_000;
const SECRET_URL = "rtmp://live.example.org/app/very-secret-key";
const RTMP = { type: "rtmp", targets: [{ name: "Main", url: SECRET_URL }] };

interface Output {
  id: string;
  room: string;
  spec: { type: string };
  status: unknown;
}

let fixture: GatewayFixture;
beforeEach(async () => {
  fixture = await gatewayFixture();
  await fixture.bridges.registerBridge(bridgeNamed("b1"), TTL_MS);
});

const call = (method: string, path: string, headers: Record<string, string> = KEY_HEADERS) =>
  fixture.app.request(path, { method, headers });
const add = (spec: unknown, headers: Record<string, string> = KEY_HEADERS, room = "demo") =>
  fixture.post(`/v1/rooms/${room}/outputs`, spec, headers);
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const outputOf = async (response: Response, status = 200) => {
  expect(response.status).toBe(status);
  return (await response.json()) as Output;
};

describe("outputs", () => {
  test("its picture is chosen, and told again", async () => {
    for (const picture of [{ mode: "grid" }, { mode: "pinned", identity: "ann" }, { mode: "none" }]) {
      const output = await outputOf(await add({ type: "recording", picture }), 201);
      expect(output.spec).toMatchObject({ picture });
    }
    expect(await problemOf(await add({ type: "recording", picture: { mode: "mosaic" } }))).toMatch(/^400 /);
  });

  test("one is added, found in the directory, listed, told with its status, and ended", async () => {
    const response = await add({ type: "hls" });
    const location = response.headers.get("location") ?? "";
    const output = await outputOf(response, 201);
    expect(output).toEqual({
      id: expect.stringMatching(/^[\w-]{22}$/),
      room: "demo",
      createdAt: "2027-01-15T08:00:00.000Z",
      spec: { type: "hls", picture: { mode: "speaker" }, gainsDb: {}, opus: false },
      status: null,
    });
    expect(location).toBe(`/v1/rooms/demo/outputs/${output.id}`);
    const [view] = await fixture.bridges.jobs();
    expect(view?.job).toMatchObject({ kind: "output", id: output.id, room: "demo" });

    const bridge = await fixture.bridges.registerBridge(bridgeNamed("b2"), TTL_MS);
    await bridge.claimJob(output.id);
    if (view) await bridge.report(statusOf(view.job, "b2", { latencyMs: 1500, audience: 3 }));
    const told = await outputOf(await call("GET", location));
    expect(told.status).toMatchObject({ state: "running", bridgeId: "b2", latencyMs: 1500, audience: 3 });
    const list = (await (await call("GET", "/v1/rooms/demo/outputs")).json()) as { outputs: Output[] };
    expect(list).toEqual({ outputs: [told] });
    expect(await (await call("GET", "/v1/rooms/other/outputs")).json()).toEqual({ outputs: [] });

    expect(await outputOf(await call("DELETE", location))).toEqual(told);
    expect(await fixture.bridges.jobs()).toEqual([]);
    for (const method of ["GET", "DELETE"]) {
      expect(await problemOf(await call(method, location))).toBe("404 output-not-found");
    }
  });

  test("targets' stream keys reach the bridge and nobody else: not answers, not the log", async () => {
    const added = await add(RTMP);
    const output = await outputOf(added, 201);
    const [view] = await fixture.bridges.jobs();
    expect(view?.job.spec).toMatchObject({ targets: [{ name: "Main", url: SECRET_URL }] });
    const location = `/v1/rooms/demo/outputs/${output.id}`;
    const answers = [
      JSON.stringify(output),
      await (await call("GET", location)).text(),
      await (await call("GET", "/v1/rooms/demo/outputs")).text(),
      await (await call("DELETE", location)).text(),
      JSON.stringify(fixture.log),
    ];
    for (const answer of answers) expect(answer).not.toContain("very-secret");
    expect(output.spec).toMatchObject({ targets: [{ url: "rtmp://live.example.org/app/••••" }] });
  });

  test("a room has one HLS and one MP3 output; the second is refused with where the first is", async () => {
    for (const spec of [{ type: "hls" }, { type: "mp3" }]) {
      const first = await outputOf(await add(spec), 201);
      const second = await add(spec);
      expect(second.headers.get("location")).toBe(`/v1/rooms/demo/outputs/${first.id}`);
      expect(await problemOf(second)).toBe("409 output-exists");
      await outputOf(await add(spec, KEY_HEADERS, "other"), 201);
    }
    for (let n = 0; n < 2; n++) await outputOf(await add({ type: "recording" }), 201);
    for (let n = 0; n < 2; n++) await outputOf(await add(RTMP), 201);
  });

  test.each([
    ["no type", {}],
    ["another type", { type: "carrier-pigeon" }],
    ["no targets", { type: "rtmp", targets: [] }],
    ["too many targets", { type: "rtmp", targets: Array(9).fill({ url: SECRET_URL }) }],
    ["a target that is no RTMP", { type: "rtmp", targets: [{ url: "https://very-secret.example.org" }] }],
    ["a bitrate that nobody asked for", { type: "mp3", bitrateKbps: 7 }],
    [
      "files of participants beside a grid",
      { type: "recording", participants: true, picture: { mode: "grid" } },
    ],
  ])("%s is refused, without repeating it", async (_what, spec) => {
    const response = await add(spec);
    const copy = await response.clone().text();
    expect(copy).not.toContain("very-secret");
    expect(await problemOf(response)).toBe("400 invalid-request");
    expect(await fixture.bridges.jobs()).toEqual([]);
  });

  test("without a bridge that has room nothing is added", async () => {
    fixture = await gatewayFixture();
    expect(await problemOf(await add({ type: "hls" }))).toBe("503 no-bridge");
    await fixture.bridges.registerBridge(bridgeNamed("b1", { draining: true }), TTL_MS);
    expect(await problemOf(await add({ type: "hls" }))).toBe("503 no-bridge");
    await fixture.bridges.registerBridge(bridgeNamed("b2", { capacity: 5, jobs: 5 }), TTL_MS);
    expect(await problemOf(await add({ type: "hls" }))).toBe("503 no-bridge");
    await fixture.bridges.registerBridge(bridgeNamed("b3", { capacity: 5, jobs: 4 }), TTL_MS);
    expect((await add({ type: "hls" })).status).toBe(201);
  });

  test("a cluster that is full refuses", async () => {
    const id = (n: number) => `job-${10_000 + n}`;
    for (let n = 0; n < MAX_BRIDGE_JOBS; n++) {
      await fixture.bridges.putJob({
        kind: "output",
        id: id(n),
        room: "full",
        createdAt: "2027-01-15T08:00:00.000Z",
        spec: { type: "recording", picture: { mode: "none" }, gainsDb: {}, participants: false },
      });
    }
    expect(await problemOf(await add({ type: "hls" }))).toBe("409 too-many-jobs");
  });

  test("a gateway without a directory of bridges says so", async () => {
    fixture = await gatewayFixture({ withoutBridges: true });
    for (const response of [
      await add({ type: "hls" }),
      await call("GET", "/v1/rooms/demo/outputs"),
      await call("DELETE", "/v1/rooms/demo/outputs/abc"),
      await call("GET", "/v1/ingests"),
      await call("GET", "/v1/recordings"),
    ]) {
      expect(await problemOf(response)).toBe("404 bridges-off");
    }
  });
});

describe("who may", () => {
  test("an admin of the room may, for this room; others may not", async () => {
    const admin = bearer(await fixture.token("demo", { grants: { admin: true } }));
    const output = await outputOf(await add({ type: "hls" }, admin), 201);
    const location = `/v1/rooms/demo/outputs/${output.id}`;
    expect((await call("GET", location, admin)).status).toBe(200);
    expect(await problemOf(await add({ type: "hls" }, admin, "other"))).toBe("403 token-other-room");
    const adminOfOther = bearer(await fixture.token("other", { grants: { admin: true } }));
    expect(await problemOf(await call("DELETE", location, adminOfOther))).toBe("403 token-other-room");
    // Not by way of another room's path either.
    const detour = `/v1/rooms/other/outputs/${output.id}`;
    expect(await problemOf(await call("DELETE", detour, adminOfOther))).toBe("404 output-not-found");
    const ann = bearer(await fixture.token("demo", {}));
    for (const response of [await add({ type: "mp3" }, ann), await call("DELETE", location, ann)]) {
      expect(await problemOf(response)).toBe("403 admin-required");
    }
    expect(await problemOf(await add({ type: "mp3" }, {}))).toBe("401 credentials-missing");
    expect(await problemOf(await add({ type: "mp3" }, bearer("not.a.token")))).toBe("401 token-malformed");
    expect((await call("DELETE", location, admin)).status).toBe(200);
  });

  test("an admin that was removed may not", async () => {
    const token = await fixture.token("demo", { grants: { admin: true } });
    const { jti = "", exp = 0 } = JSON.parse(atob(token.split(".")[1] ?? "")) as {
      jti?: string;
      exp?: number;
    };
    await fixture.directory.ban({ room: "demo", token: jti, untilSeconds: exp });
    expect(await problemOf(await add({ type: "hls" }, bearer(token)))).toBe("403 removed");
  });

  test("where guests are taken, whoever is in the room may; nobody without a token of it", async () => {
    fixture = await gatewayFixture({ guests: true });
    await fixture.bridges.registerBridge(bridgeNamed("b1"), TTL_MS);
    const minted = await fixture.post("/v1/rooms/demo/guests", { name: "Guest" });
    const { token } = (await minted.json()) as { token: string };
    const output = await outputOf(await add({ type: "hls" }, bearer(token)), 201);
    expect(await problemOf(await add({ type: "hls" }, bearer(token), "other"))).toBe("403 token-other-room");
    expect(await problemOf(await add({ type: "mp3" }, {}))).toBe("401 credentials-missing");
    expect((await call("DELETE", `/v1/rooms/demo/outputs/${output.id}`, bearer(token))).status).toBe(200);
  });
});
