/** Who may do what in etcd, and what the directory makes of values that it did not write. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DirectoryError, type DirectoryEvent } from "../../core/directory/directory.ts";
import { relayNamed } from "../../core/directory/directory-harness.contract.ts";
import { EtcdBans } from "../../core/directory/etcd/etcd-bans.ts";
import { EtcdClient } from "../../core/directory/etcd/etcd-client.ts";
import { httpPost } from "../../core/directory/etcd/http-post.ts";
import { KeySpace } from "../../core/directory/etcd/key-space.ts";
import { MAX_ETCD_VALUE_CHARS, MAX_LOGGED_VALUES } from "../../core/directory/limits.ts";
import { newPrefix, realClock, TestDirectory } from "./etcd-cluster.ts";
import { EtcdProcess } from "./etcd-process.ts";

const TTL_MS = 60_000;
const PATIENCE = { timeout: 10_000, interval: 50 };

let etcd: EtcdProcess;
beforeAll(async () => {
  etcd = await EtcdProcess.start();
});
afterAll(() => etcd.stop());

async function write(key: string, value: string | Uint8Array): Promise<void> {
  await etcd.post("/v3/kv/put", {
    key: Buffer.from(key).toString("base64"),
    value: Buffer.from(value).toString("base64"),
  });
}

describe("values that are not ours", () => {
  const record = JSON.stringify(relayNamed("good"));
  const hostile: [string, string, string | Uint8Array][] = [
    ["not JSON", "relays/x", "{"],
    ["empty", "relays/x", ""],
    ["no UTF-8", "relays/x", Uint8Array.of(0xff, 0xfe)],
    ["a list", "relays/x", "[]"],
    ["null", "relays/x", "null"],
    ["another relay's record", "relays/x", record],
    ["a relay on http", "relays/good", record.replace("https:", "http:")],
    ["a capacity in words", "relays/good", record.replace("100", '"many"')],
    ["deeply nested", "relays/x", "[".repeat(10_000)],
    ["huge", "relays/good", record + " ".repeat(MAX_ETCD_VALUE_CHARS)],
    ["very huge", "relays/good", "x".repeat(1_400_000)],
    ["a long name", `relays/${"x".repeat(5_000)}`, record],
    ["a room without holder", "rooms/x", "{}"],
    ["a room of a negative epoch", "rooms/x", '{"relayId":"a","base":-5}'],
    ["a room of an epoch too large", "rooms/x", '{"relayId":"a","base":9007199254740991}'],
    ["a room's name encoded wrongly", "rooms/%zz", '{"relayId":"a","base":1}'],
    ["a room's name encoded otherwise", "rooms/%61", '{"relayId":"a","base":1}'],
    ["a ban without end", "bans/x/y", '{"untilSeconds":null}'],
    ["a ban without token", "bans/x", '{"untilSeconds":4000000000}'],
    ["a ban of too many parts", "bans/x/y/z", '{"untilSeconds":4000000000}'],
    ["elsewhere", "nowhere", "1"],
  ];

  test.each(hostile)("%s: passed over, counted and logged, read or watched", async (_what, key, value) => {
    const prefix = newPrefix();
    const before = new TestDirectory([etcd.url], { prefix });
    const after = new TestDirectory([etcd.url], { prefix });
    const events: DirectoryEvent[] = [];
    before.directory.watch((event) => events.push(event));
    const a = await before.directory.register(relayNamed("a"), TTL_MS);
    await vi.waitFor(() => expect(events).toHaveLength(1), PATIENCE);
    await write(prefix + key, value);
    const claim = await a.claimRoom("room");
    await vi.waitFor(() => expect(events).toHaveLength(2), PATIENCE);
    expect(events[1]).toEqual({ type: "room", claim });
    expect(before.directory.skippedValues).toBe(1);
    expect(before.log).toEqual([expect.stringMatching(/^etcd's key ".*" is passed over: /)]);

    const seen: DirectoryEvent[] = [];
    after.directory.watch((event) => seen.push(event));
    await vi.waitFor(() => expect(seen).toHaveLength(2), PATIENCE);
    expect(after.directory.skippedValues).toBe(1);
    expect(await after.directory.relays()).toEqual([relayNamed("a")]);
    expect(await after.directory.rooms()).toEqual([claim]);
    expect(await after.directory.room("x")).toBeUndefined();
    expect(await after.directory.isBanned("x", "y")).toBe(false);
    await Promise.all([before.directory.close(), after.directory.close()]);
  });

  test("each is logged once, and not more than so many", async () => {
    const prefix = newPrefix();
    const { directory, log } = new TestDirectory([etcd.url], { prefix });
    for (let i = 0; i < MAX_LOGGED_VALUES + 8; i++) await write(`${prefix}relays/bad-${i}`, "?");
    await directory.relays();
    await directory.relays();
    expect(log).toHaveLength(MAX_LOGGED_VALUES);
    expect(directory.skippedValues).toBe(2 * (MAX_LOGGED_VALUES + 8));
    await directory.close();
  });

  test("many huge values do not keep the good ones from being read", async () => {
    const prefix = newPrefix();
    const { directory } = new TestDirectory([etcd.url], { prefix });
    for (let i = 0; i < 20; i++) await write(`${prefix}relays/bad-${i}`, "x".repeat(1_400_000));
    await directory.register(relayNamed("good"), TTL_MS);
    const events: DirectoryEvent[] = [];
    directory.watch((event) => events.push(event));
    await vi.waitFor(() => expect(events).toEqual([{ type: "relay", relay: relayNamed("good") }]), PATIENCE);
    await directory.close();
  });

  test("they give way to what is written in their place", async () => {
    const prefix = newPrefix();
    const { directory } = new TestDirectory([etcd.url], { prefix });
    for (const key of ["epoch", "relays/a", "rooms/room", "bans/room/t"]) await write(prefix + key, "?");
    const a = await directory.register(relayNamed("a"), TTL_MS);
    const claim = await a.claimRoom("room");
    expect(await directory.room("room")).toEqual(claim);
    await directory.ban({ room: "room", token: "t", untilSeconds: claim.epoch });
    expect(await directory.isBanned("room", "t")).toBe(true);
    await write(`${prefix}epoch`, "?");
    await a.releaseRoom("room");
    expect((await a.claimRoom("room")).epoch).toBeGreaterThan(claim.epoch);
    await directory.close();
  });

  test("a record that readers would pass over is refused", async () => {
    const { directory } = new TestDirectory([etcd.url]);
    await expect(directory.register(relayNamed("a", { url: "ftp://x" }), TTL_MS)).rejects.toThrow(
      /record of relay a is not usable: url must be an https/,
    );
    expect(await directory.relays()).toEqual([]);
    await directory.close();
  });
});

test("a full ban list refuses further bans, and takes longer ones for those that it has", async () => {
  const settings = { endpoints: [etcd.url], user: undefined, prefix: newPrefix() };
  const post = httpPost(fetch, () => new AbortController());
  const client = new EtcdClient({ settings, post, clock: realClock, random: Math.random });
  const bans = new EtcdBans(client, new KeySpace(settings.prefix, () => undefined), realClock, 2);
  const untilSeconds = Math.ceil(realClock.nowUs() / 1e6) + 600;
  await bans.add({ room: "r", token: "t1", untilSeconds });
  await bans.add({ room: "r", token: "t2", untilSeconds });
  await expect(bans.add({ room: "r", token: "t3", untilSeconds })).rejects.toThrow(/ban list is full/);
  await bans.add({ room: "r", token: "t1", untilSeconds: untilSeconds + 1 });
  expect(await bans.find("r", "t1", 1_000)).toEqual({
    room: "r",
    token: "t1",
    untilSeconds: untilSeconds + 1,
  });
});

describe("more keys than one call reads", () => {
  test("all rooms are listed, and watched", async () => {
    const prefix = newPrefix();
    const { directory } = new TestDirectory([etcd.url], { prefix });
    const a = await directory.register(relayNamed("a"), TTL_MS);
    const names = Array.from({ length: 1_234 }, (_, i) => `room-${i}`).sort();
    for (let i = 0; i < names.length; i += 100) {
      await Promise.all(names.slice(i, i + 100).map((name) => a.claimRoom(name)));
    }
    const claims = await directory.rooms();
    expect(claims.map((claim) => claim.room)).toEqual(names);
    expect(new Set(claims.map((claim) => claim.epoch)).size).toBe(names.length);
    const events: DirectoryEvent[] = [];
    directory.watch((event) => events.push(event));
    await vi.waitFor(() => expect(events).toHaveLength(names.length + 1), PATIENCE);
    await directory.close();
  });
});

describe("an etcd with users", () => {
  const user = { name: "trib", password: "not secret" };
  let guarded: EtcdProcess;
  let root = "";
  const authenticate = async (): Promise<string> =>
    String((await guarded.post("/v3/auth/authenticate", { name: "root", password: "r" })).token);

  beforeAll(async () => {
    guarded = await EtcdProcess.start();
    const call = (path: string, body: object) => guarded.post(`/v3/auth/${path}`, body);
    await call("user/add", { name: "root", password: "r" });
    await call("role/add", { name: "root" });
    await call("user/grant", { user: "root", role: "root" });
    await call("user/add", user);
    await call("role/add", { name: "tributary" });
    await call("user/grant", { user: user.name, role: "tributary" });
    await call("role/grant", {
      name: "tributary",
      perm: { permType: "READWRITE", key: btoa("mine/"), range_end: btoa("mine0") },
    });
    await call("enable", {});
    root = await authenticate();
  });
  afterAll(() => guarded.stop());

  async function complaint(options: ConstructorParameters<typeof TestDirectory>[1]): Promise<string> {
    const { directory } = new TestDirectory([guarded.url], options);
    const error: unknown = await directory.relays().catch((reason: unknown) => reason);
    await directory.close();
    if (!(error instanceof DirectoryError)) throw new Error("it was let in");
    return error.message;
  }

  test("whoever may not come in is told what to set", async () => {
    expect(await complaint({ prefix: "mine/" })).toMatch(/set TRIBUTARY_ETCD_USER/);
    expect(await complaint({ prefix: "mine/", user: { ...user, password: "wrong" } })).toMatch(
      /check TRIBUTARY_ETCD_USER and TRIBUTARY_ETCD_PASSWORD/,
    );
    expect(await complaint({ prefix: "theirs/", user })).toMatch(/role .* begins with theirs\//);
  });

  test("with a user everything works, also after the token has become worthless", async () => {
    const { directory, log } = new TestDirectory([guarded.url], {
      prefix: "mine/",
      user,
      timing: { watchIdleMs: 300 },
    });
    const events: DirectoryEvent[] = [];
    directory.watch((event) => events.push(event));
    const a = await directory.register(relayNamed("a"), TTL_MS);
    const first = await a.claimRoom("room");
    await directory.ban({ room: "room", token: "t", untilSeconds: first.epoch });
    await vi.waitFor(() => expect(events).toHaveLength(3), PATIENCE);

    // Tokens are in etcd's memory only, and a changed password makes those of its user worthless.
    await guarded.post("/v3/auth/user/changepw", user, root);
    await a.releaseRoom("room");
    expect((await a.claimRoom("room")).epoch).toBeGreaterThan(first.epoch);
    await vi.waitFor(() => expect(events).toHaveLength(5), PATIENCE);
    await guarded.kill();
    await guarded.restart();
    await vi.waitFor(() => a.update(relayNamed("a", { participants: 1 })), PATIENCE);
    await vi.waitFor(() => expect(events).toHaveLength(6), PATIENCE);
    expect(await directory.isBanned("room", "t")).toBe(true);
    expect(log.filter((line) => !/^etcd (cannot be watched|answers again)/.test(line))).toEqual([]);
    await directory.close();
  });
});
