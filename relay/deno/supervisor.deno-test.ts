/** Two relays under one supervisor, registering in a real etcd. */
import assert from "node:assert/strict";
import process from "node:process";
import type { Directory } from "../../core/directory/directory.ts";
import { RelayProcess } from "../../test/cluster/relay-process.ts";
import { TicketOffice } from "../../test/cluster/ticket-office.ts";
import { newPrefix, pause, TestDirectory } from "../../test/etcd/etcd-cluster.ts";
import { EtcdProcess } from "../../test/etcd/etcd-process.ts";

const { jwks } = await TicketOffice.open();
const LOOK_MS = 50;
const MAX_LOOKS = 400;

async function relaysOf(directory: Directory): Promise<Map<string, string>> {
  const relays = await directory.relays();
  return new Map(relays.map(({ id, url }): [string, string] => [id, url]).sort());
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    if (await condition()) return;
    await pause(LOOK_MS);
  }
  assert.fail(`${what} did not happen`);
}

Deno.test("a worker that is killed comes back, and SIGTERM ends all", async () => {
  const etcd = await EtcdProcess.start();
  const prefix = newPrefix();
  const { directory } = new TestDirectory([etcd.url], { prefix });
  const supervisor = new RelayProcess({
    RELAY_WORKERS: "2",
    RELAY_ID: "r1",
    TRIBUTARY_TICKET_JWKS: jwks,
    TRIBUTARY_ETCD: etcd.url,
    TRIBUTARY_ETCD_PREFIX: prefix,
  });
  try {
    await supervisor.until(() => supervisor.records.length === 2, "has two workers that are ready");
    const before = await relaysOf(directory);
    assert.deepEqual([...before.keys()], ["r1-0", "r1-1"]);
    const pid = Number(/worker r1-1 is process (\d+)/.exec(supervisor.output)?.[1]);
    process.kill(pid, "SIGKILL");
    await until(async () => (await relaysOf(directory)).get("r1-1") !== before.get("r1-1"), "a return");
    await supervisor.until(() => supervisor.records.length === 3, "is back");
    const after = await relaysOf(directory);
    assert.equal(after.get("r1-0"), before.get("r1-0"));
    assert.match(supervisor.output, /worker r1-1 was ended by SIGKILL: starting it again in \d+ ms/);
    supervisor.kill("SIGTERM");
    assert.deepEqual(await supervisor.ended, { code: 0, signal: null });
    assert.deepEqual(await directory.relays(), []);
    assert.equal(supervisor.output.match(/drained in/g)?.length, 2);
  } finally {
    await supervisor.end();
    await directory.close();
    await etcd.stop();
  }
});

Deno.test("workers whose supervisor was killed end by themselves", async () => {
  const etcd = await EtcdProcess.start();
  const supervisor = new RelayProcess({
    RELAY_WORKERS: "2",
    TRIBUTARY_TICKET_JWKS: jwks,
    TRIBUTARY_ETCD: etcd.url,
  });
  try {
    await supervisor.until(() => supervisor.records.length === 2, "has two workers that are ready");
    // Resolves when nobody holds the workers' output open any more.
    await supervisor.end();
    assert.equal(supervisor.output.match(/drained in/g)?.length, 2);
  } finally {
    await supervisor.end();
    await etcd.stop();
  }
});

Deno.test("workers that cannot start at all are one line each and the end", async () => {
  const env = { RELAY_WORKERS: "2", TRIBUTARY_TICKET_JWKS: jwks };
  const alone = new RelayProcess(env);
  assert.deepEqual(await alone.ended, { code: 1, signal: null });
  assert.match(alone.output, /^RELAY_WORKERS=2 needs TRIBUTARY_ETCD: [^\n]*\n$/);
  const wrong = new RelayProcess({ ...env, TRIBUTARY_ETCD: "http://127.0.0.1:9" });
  assert.deepEqual(await wrong.ended, { code: 1, signal: null });
  assert.match(wrong.output, /\netcd does not answer/);
});
