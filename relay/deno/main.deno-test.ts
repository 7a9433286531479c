/** A relay process as an operator starts it, registering in a real etcd. */
import assert from "node:assert/strict";
import { RelayProcess } from "../../test/cluster/relay-process.ts";
import { TicketOffice } from "../../test/cluster/ticket-office.ts";
import { newPrefix, TestDirectory } from "../../test/etcd/etcd-cluster.ts";
import { EtcdProcess } from "../../test/etcd/etcd-process.ts";

const { jwks } = await TicketOffice.open();

Deno.test("a relay is in etcd from its start to its end", async () => {
  const etcd = await EtcdProcess.start();
  const prefix = newPrefix();
  const { directory } = new TestDirectory([etcd.url], { prefix });
  const ids = async () => (await directory.relays()).map(({ id }) => id);
  try {
    const relay = await RelayProcess.start({
      RELAY_ID: "r1",
      TRIBUTARY_TICKET_JWKS: jwks,
      TRIBUTARY_ETCD: etcd.url,
      TRIBUTARY_ETCD_PREFIX: prefix,
    });
    assert.deepEqual(await ids(), ["r1"]);
    relay.kill("SIGTERM");
    assert.deepEqual(await relay.ended, { code: 0, signal: null });
    assert.deepEqual(await ids(), []);
  } finally {
    await directory.close();
    await etcd.stop();
  }
});

Deno.test("a relay whose etcd is wrong or absent says so in one line and ends", async () => {
  for (const [url, expected] of [
    ["localhost:2379", /^TRIBUTARY_ETCD: entry 1 is not the URL [^\n]*\n$/],
    ["http://127.0.0.1:9", /\netcd does not answer \(http:\/\/127\.0\.0\.1:9: [^\n]*\n$/],
  ] as const) {
    const relay = new RelayProcess({ TRIBUTARY_TICKET_JWKS: jwks, TRIBUTARY_ETCD: url });
    assert.deepEqual(await relay.ended, { code: 1, signal: null });
    assert.match(relay.output, expected);
  }
});
