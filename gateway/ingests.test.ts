import { beforeEach, describe, expect, test } from "vitest";
import { bridgeNamed, statusOf } from "../core/directory/bridge-directory-harness.contract.ts";
import { type GatewayFixture, gatewayFixture, KEY_HEADERS, problemOf } from "./gateway.fixture.ts";

const TTL_MS = 10_000;
const WISH = { room: "demo", type: "rtmp", identity: "studio", name: "Studio" };

interface Ingest {
  id: string;
  room: string;
  streamKey: string;
  urls: { rtmp?: string; rtmps?: string; icecast?: string };
  backupUrls: object[];
  status: unknown;
}

let fixture: GatewayFixture;
beforeEach(async () => {
  fixture = await gatewayFixture();
  await fixture.bridges.registerBridge(bridgeNamed("b1", { jobs: 5 }), TTL_MS);
  await fixture.bridges.registerBridge(bridgeNamed("b2", { jobs: 1, icecastUrl: "" }), TTL_MS);
});

const call = (method: string, path: string, headers: Record<string, string> = KEY_HEADERS) =>
  fixture.app.request(path, { method, headers });
const add = (change: object = {}, headers: Record<string, string> = KEY_HEADERS) =>
  fixture.post("/v1/ingests", { ...WISH, ...change }, headers);
const added = async (change: object = {}) => {
  const response = await add(change);
  expect(response.status).toBe(201);
  return (await response.json()) as Ingest;
};

describe("ingests", () => {
  test("one gives an address and a key of its own, is listed, told with its status, and ended", async () => {
    const ingest = await added();
    expect(ingest).toEqual({
      id: expect.stringMatching(/^[\w-]{22}$/),
      room: "demo",
      createdAt: "2027-01-15T08:00:00.000Z",
      spec: { type: "rtmp", identity: "studio", name: "Studio" },
      streamKey: expect.stringMatching(/^[\w-]{32}$/),
      urls: { rtmp: "rtmp://b2.example.org:1935/live" },
      backupUrls: [{ rtmp: "rtmp://b1.example.org:1935/live" }],
      status: null,
    });
    const [view] = await fixture.bridges.jobs();
    expect(view?.job).toMatchObject({ kind: "ingest", id: ingest.id, streamKey: ingest.streamKey });
    expect(JSON.stringify(fixture.log)).not.toContain(ingest.streamKey);

    // Whoever has it comes first from now on.
    const bridge = await fixture.bridges.registerBridge(
      bridgeNamed("b1", { jobs: 6, draining: true }),
      TTL_MS,
    );
    await bridge.takeJob(ingest.id);
    if (view) await bridge.report(statusOf(view.job, "b1", { latencyMs: 80 }));
    const told = (await (await call("GET", `/v1/ingests/${ingest.id}`)).json()) as Ingest;
    expect(told.urls).toEqual({ rtmp: "rtmp://b1.example.org:1935/live" });
    expect(told.status).toMatchObject({ state: "running", latencyMs: 80 });
    const other = await added({ room: "other" });
    const list = async (query = "", headers = KEY_HEADERS) =>
      (
        (await (await call("GET", `/v1/ingests${query}`, headers)).json()) as { ingests: Ingest[] }
      ).ingests.map(({ id }) => id);
    expect((await list()).sort()).toEqual([ingest.id, other.id].sort());
    expect(await list("?room=other")).toEqual([other.id]);

    expect(await (await call("DELETE", `/v1/ingests/${ingest.id}`)).json()).toEqual(told);
    for (const method of ["GET", "DELETE"]) {
      expect(await problemOf(await call(method, `/v1/ingests/${ingest.id}`))).toBe("404 ingest-not-found");
    }
    const again = await added();
    expect(again.streamKey).not.toBe(ingest.streamKey);
  });

  test("a bridge with a certificate is told with its address over TLS", async () => {
    const rtmpsUrl = "rtmps://b3.example.org:1936/live";
    await fixture.bridges.registerBridge(bridgeNamed("b3", { rtmpsUrl }), TTL_MS);
    const { urls, backupUrls } = await added();
    expect(urls).toEqual({ rtmp: "rtmp://b3.example.org:1935/live", rtmps: rtmpsUrl });
    expect(backupUrls[0]).toEqual({ rtmp: "rtmp://b2.example.org:1935/live" });
  });

  test("an Icecast source gets a mount of a bridge that takes such", async () => {
    const { urls, backupUrls } = await added({ type: "icecast" });
    expect(urls).toEqual({ icecast: "http://b1.example.org:8000/live" });
    expect(backupUrls).toEqual([]);
  });

  test("an identity is brought into a room once", async () => {
    const first = await added();
    const second = await add({ type: "icecast" });
    expect(second.headers.get("location")).toBe(`/v1/ingests/${first.id}`);
    expect(await problemOf(second)).toBe("409 ingest-exists");
    await added({ identity: "stage" });
    await added({ room: "other" });
  });

  test("what is not valid, and what no bridge takes, is refused", async () => {
    for (const change of [{ room: "a b" }, { identity: "" }, { type: "morse" }, { room: undefined }]) {
      expect(await problemOf(await add(change))).toBe("400 invalid-request");
    }
    fixture = await gatewayFixture();
    expect(await problemOf(await add())).toBe("503 no-bridge");
    await fixture.bridges.registerBridge(bridgeNamed("b1", { rtmpUrl: "" }), TTL_MS);
    expect(await problemOf(await add())).toBe("503 no-bridge");
    expect((await add({ type: "icecast" })).status).toBe(201);
  });

  test("an admin has to do with the ingests of the own room only, and others with none", async () => {
    const bearer = async (room: string, grants: object) => ({
      authorization: `Bearer ${await fixture.token(room, { grants })}`,
    });
    const admin = await bearer("demo", { admin: true });
    const own = (await (await add({}, admin)).json()) as Ingest;
    const other = await added({ room: "other" });
    expect(await problemOf(await add({ room: "other", identity: "x" }, admin))).toBe("403 token-other-room");
    const list = (await (await call("GET", "/v1/ingests", admin)).json()) as { ingests: Ingest[] };
    expect(list.ingests.map(({ id }) => id)).toEqual([own.id]);
    expect(await problemOf(await call("GET", "/v1/ingests?room=other", admin))).toBe("403 token-other-room");
    for (const method of ["GET", "DELETE"]) {
      expect(await problemOf(await call(method, `/v1/ingests/${other.id}`, admin))).toBe(
        "404 ingest-not-found",
      );
    }
    const ann = await bearer("demo", {});
    expect(await problemOf(await call("GET", `/v1/ingests/${own.id}`, ann))).toBe("403 admin-required");
    expect(await problemOf(await call("GET", "/v1/ingests", {}))).toBe("401 credentials-missing");
    expect((await call("DELETE", `/v1/ingests/${own.id}`, admin)).status).toBe(200);
  });

  test("an output is no ingest, nor the other way round", async () => {
    const ingest = await added();
    const made = await fixture.post("/v1/rooms/demo/outputs", { type: "hls" }, KEY_HEADERS);
    const output = (await made.json()) as { id: string };
    expect(await problemOf(await call("DELETE", `/v1/ingests/${output.id}`))).toBe("404 ingest-not-found");
    const path = `/v1/rooms/demo/outputs/${ingest.id}`;
    expect(await problemOf(await call("DELETE", path))).toBe("404 output-not-found");
  });
});
