/**
 * A call between a relay on Node and one on Deno: Ann's browser has a WebSocket to the first, Bob's has WebTransport to the
 * second, and the relays have a link over TCP.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeKeys } from "../cluster/cluster-keys.ts";
import { RelayProcess } from "../cluster/relay-process.ts";
import { RunningProcess } from "../cluster/running-process.ts";
import { EtcdProcess } from "../etcd/etcd-process.ts";
import { ensureEtcd } from "../etcd-binary.mjs";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { checkCall } from "./call-checks.ts";
import { RoomPage } from "./room-page.ts";
import { testClip } from "./test-clip.ts";

const ROOM = "node-and-deno";
const GATEWAY_READY = /^Gateway is ready: (http:\S+)$/m;

let etcd: EtcdProcess | undefined;
const processes: RunningProcess[] = [];
let gateway: URL;
let browser: TestBrowser;
let ann: RoomPage;
let bob: RoomPage;

/** A guest's page in a region, at whose relay it comes in. */
async function join(name: string, region: string): Promise<RoomPage> {
  const answer = await fetch(new URL(`/v1/rooms/${ROOM}/guests`, gateway), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  const { token } = (await answer.json()) as { token: string };
  return RoomPage.join(await browser.newPage(), `http://${region}.localhost:${gateway.port}`, ROOM, token);
}

async function startAll(): Promise<void> {
  process.env.ETCD_PATH = await ensureEtcd((line: string) => console.info(line));
  etcd = await EtcdProcess.start();
  const keys = await makeKeys();
  const shared = { TRIBUTARY_ETCD: etcd.url };
  const relay = { ...shared, TRIBUTARY_TICKET_JWKS: keys.publicJwk };
  const front = new RunningProcess({
    program: "test/cluster/gateway.deno.ts",
    settings: { ...shared, ...keys.gateway, PORT: "0" },
  });
  processes.push(front);
  processes.push(
    ...(await Promise.all([
      RelayProcess.start({ ...relay, RELAY_ID: "on-node", RELAY_REGION: "eu" }, undefined, "node"),
      RelayProcess.start({ ...relay, RELAY_ID: "on-deno", RELAY_REGION: "us" }),
    ])),
  );
  await front.until(() => GATEWAY_READY.test(front.output), "gets ready");
  gateway = new URL(GATEWAY_READY.exec(front.output)![1]!);
}

describe("Ann at a relay on Node and Bob at one on Deno", () => {
  beforeAll(async () => {
    // Browsers take no certificate by its hash for a WebSocket.
    [browser] = await Promise.all([openBrowser(testClip(), { trustsAnyCertificate: true }), startAll()]);
    ann = await join("ann", "eu");
    bob = await join("bob", "us");
    await Promise.all([ann.seeCamera(bob.identity), bob.seeCamera(ann.identity)]);
    await Promise.all([ann.firstPicture(bob.identity), bob.firstPicture(ann.identity)]);
  });

  afterAll(async () => {
    await browser?.close();
    await Promise.all(processes.map((one) => one.end()));
    await etcd?.stop();
  });

  it("have come in there, each by its own road", async () => {
    const [{ connection: here }, { connection: there }] = await Promise.all([ann.stats(), bob.stats()]);
    expect([here.relayId, here.transport]).toEqual(["on-node", "websocket"]);
    expect([there.relayId, there.transport]).toEqual(["on-deno", "webtransport"]);
    console.info(`  in the room after ${here.joinMs} ms (WebSocket) and ${there.joinMs} ms (WebTransport)`);
  });

  checkCall(() => ({ ann, bob }));

  it("nothing went wrong in either page", () => {
    expect(browser.problems).toEqual([]);
  });
});
