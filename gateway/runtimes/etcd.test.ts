/** Gateways of every runtime that find their relays in a real etcd, and go on while it is down. */
import { exportJWK, generateKeyPair } from "jose";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { relayNamed } from "../../core/directory/directory-harness.contract.ts";
import { newPrefix, TestDirectory } from "../../test/etcd/etcd-cluster.ts";
import { EtcdProcess } from "../../test/etcd/etcd-process.ts";
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
    expect(await relayOf(ann)).toBe("c");
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
});
