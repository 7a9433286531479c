/** A relay process as an operator starts it, registering in a real etcd. */
import assert from "node:assert/strict";
import { exportJWK, generateKeyPair } from "jose";
import { newPrefix, pause, TestDirectory } from "../../test/etcd/etcd-cluster.ts";
import { EtcdProcess } from "../../test/etcd/etcd-process.ts";

const { publicKey } = await generateKeyPair("ES256", { extractable: true });
const MAX_LOOKS = 200;
const LOOK_MS = 100;

async function startRelayProcess(env: Record<string, string>): Promise<Deno.ChildProcess> {
  const root = decodeURIComponent(new URL("../..", import.meta.url).pathname);
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "--config", `${root}deno.json`, `${root}relay/deno/main.ts`],
    env: {
      RELAY_ID: "r1",
      RELAY_HOST: "127.0.0.1",
      RELAY_PORT: "0",
      RELAY_OPERATIONS_PORT: "0",
      TRIBUTARY_TICKET_JWKS: JSON.stringify(await exportJWK(publicKey)),
      ...env,
    },
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

Deno.test("a relay is in etcd from its start to its end", async () => {
  const etcd = await EtcdProcess.start();
  const prefix = newPrefix();
  const { directory } = new TestDirectory([etcd.url], { prefix });
  const relay = await startRelayProcess({ TRIBUTARY_ETCD: etcd.url, TRIBUTARY_ETCD_PREFIX: prefix });
  try {
    const ids = async () => (await directory.relays()).map(({ id }) => id);
    for (let look = 0; look < MAX_LOOKS && (await ids()).length === 0; look++) await pause(LOOK_MS);
    assert.deepEqual(await ids(), ["r1"]);
    relay.kill("SIGTERM");
    const { code } = await relay.output();
    assert.equal(code, 0);
    assert.deepEqual(await ids(), []);
  } finally {
    await directory.close();
    await etcd.stop();
  }
});

Deno.test("a relay whose etcd is wrong or absent says so in one line and ends", async () => {
  for (const [env, expected] of [
    [{ TRIBUTARY_ETCD: "localhost:2379" }, /^TRIBUTARY_ETCD: entry 1 is not the URL [^\n]*\n$/],
    [{ TRIBUTARY_ETCD: "http://127.0.0.1:9" }, /\netcd does not answer \(http:\/\/127\.0\.0\.1:9: [^\n]*\n$/],
  ] as const) {
    const relay = await startRelayProcess(env);
    const { code, stderr } = await relay.output();
    assert.equal(code, 1);
    assert.match(new TextDecoder().decode(stderr), expected);
  }
});
