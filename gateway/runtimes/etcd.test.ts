/** Gateways of every runtime that find their relays in a real etcd, and go on while it is down. */
import { exportJWK, generateKeyPair } from "jose";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { bridgeNamed, statusOf } from "../../core/directory/bridge-directory-harness.contract.ts";
import { relayNamed } from "../../core/directory/directory-harness.contract.ts";
import { newPrefix, TestDirectory } from "../../test/etcd/etcd-cluster.ts";
import { EtcdProcess } from "../../test/etcd/etcd-process.ts";
import { problemOf } from "../gateway.fixture.ts";
import { type StartGateway, startOnDeno, startOnNode, startOnWorkers } from "./gateway-process.ts";

const SECRET = "a-secret-of-at-least-32-characters-for-tests";
const TTL_MS = 60_000;

const runtimes: [string, StartGateway][] = [
  ["Node.js", startOnNode],
  ["Deno", startOnDeno],
  ["Workers", startOnWorkers],
];

describe.each(runtimes)("a gateway with etcd on %s", (_name, start) => {
  let etcd: EtcdProcess;
  let relays: TestDirectory;
  let gateway: Awaited<ReturnType<StartGateway>>;
  beforeAll(async () => {
    etcd = await EtcdProcess.start();
    const prefix = newPrefix();
    relays = new TestDirectory([etcd.url], { prefix });
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    gateway = await start({
      TRIBUTARY_API_KEYS: `app:${SECRET}`,
      TRIBUTARY_TICKET_KEY: JSON.stringify(await exportJWK(privateKey)),
      TRIBUTARY_ETCD: `http://127.0.0.1:9,${etcd.url}`,
      TRIBUTARY_ETCD_PREFIX: prefix,
    });
  });
  afterAll(async () => {
    await gateway?.stop();
    await relays?.directory.close();
    await etcd?.stop();
  });

  const post = (path: string, authorization: string, body: object = {}) =>
    fetch(gateway.url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${authorization}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const tokenFor = async (identity: string) => {
    const response = await post("/v1/rooms/room/tokens", `app:${SECRET}`, { identity });
    return ((await response.json()) as { token: string }).token;
  };
  const relayOf = async (token: string) => {
    const response = await post("/v1/rooms/room/join", token);
    const { relays: candidates } = (await response.json()) as { relays?: { relayId: string }[] };
    return candidates?.[0]?.relayId ?? response.status;
  };

  test("a room's people are sent to its root, removed ones are not, also while etcd is down", async () => {
    const [ann, bob] = [await tokenFor("ann"), await tokenFor("bob")];
    expect(await relayOf(ann)).toBe(503);
    const registrations = await Promise.all(
      ["a", "b", "c"].map((id) => relays.directory.register(relayNamed(id), TTL_MS)),
    );
    const first = await registrations[1]!.claimRoom("room");
    expect(await relayOf(ann)).toBe("b");
    await registrations[2]!.supersedeRoom(first);
    // Joins go by what was read a moment ago, on Workers for two seconds.
    await vi.waitFor(async () => expect(await relayOf(ann)).toBe("c"), { timeout: 5_000 });
    expect(await relayOf(bob)).toBe("c");
    const { jti: token = "", exp: untilSeconds = 0 } = JSON.parse(atob(bob.split(".")[1] ?? "")) as {
      jti?: string;
      exp?: number;
    };
    await relays.directory.ban({ room: "room", token, untilSeconds });
    await vi.waitFor(async () => expect(await relayOf(bob)).toBe(403), { timeout: 5_000 });
    await etcd.kill();
    expect(await relayOf(ann)).toBe("c");
    expect(await relayOf(bob)).toBe(403);
    await etcd.restart();
    await vi.waitFor(() => registrations[0]!.update(relayNamed("a")), { timeout: 10_000 });
    expect(await relayOf(ann)).toBe("c");
  });

  test("outputs and ingests reach bridges, and what bridges say of them comes back", async () => {
    const call = async (method: string, path: string) => {
      const response = await fetch(gateway.url + path, {
        method,
        headers: { authorization: `Bearer app:${SECRET}` },
      });
      return response.status === 200
        ? ((await response.json()) as { status?: unknown })
        : problemOf(response);
    };
    const key = `app:${SECRET}`;
    expect(await problemOf(await post("/v1/rooms/room/outputs", key, { type: "hls" }))).toBe("503 no-bridge");
    const bridge = await relays.directory.bridges.registerBridge(bridgeNamed("b1"), TTL_MS);
    // For a moment after an outage, such as the one before, a gateway goes by what it knew.
    const id = await vi.waitFor(
      async () => {
        const added = await post("/v1/rooms/room/outputs", key, { type: "hls" });
        expect(added.status).toBe(201);
        return ((await added.json()) as { id: string }).id;
      },
      { timeout: 10_000, interval: 100 },
    );
    const again = await post("/v1/rooms/room/outputs", key, { type: "hls" });
    expect(await problemOf(again)).toBe("409 output-exists");
    const made = await post("/v1/ingests", key, { room: "room", type: "rtmp", identity: "studio" });
    expect(await made.json()).toMatchObject({ urls: { rtmp: bridgeNamed("b1").rtmpUrl }, status: null });

    const [view] = await relays.directory.bridges.jobs();
    if (!view) throw new Error("the directory has no job");
    await bridge.claimJob(id);
    await bridge.report(statusOf(view.job, "b1", { latencyMs: 1200 }));
    const audience = await fetch(`${gateway.url}/hls/room/index.m3u8`, { redirect: "manual" });
    expect([audience.status, audience.headers.get("location")]).toEqual([
      307,
      `${bridgeNamed("b1").publicUrl}/hls/room/index.m3u8`,
    ]);
    const path = `/v1/rooms/room/outputs/${id}`;
    expect(await call("GET", path)).toMatchObject({ status: { state: "running", latencyMs: 1200 } });
    expect(await call("DELETE", path)).toMatchObject({ id });
    expect(await call("GET", path)).toBe("404 output-not-found");
    expect(await relays.directory.bridges.jobs()).toHaveLength(1);
    // The bridge's operations API is nowhere.
    expect(await call("GET", "/v1/recordings")).toMatchObject({ recordings: [], unreachable: ["b1"] });
  });
});
