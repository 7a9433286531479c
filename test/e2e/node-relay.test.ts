/** Two pages on a relay that runs on Node: the web app and the gateway are `npm start`'s, whose tickets that relay takes. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JSONWebKeySet } from "jose";
import { MemoryDirectory } from "../../core/directory/memory.ts";
import { nodeRuntime } from "../../relay/node/runtime.ts";
import { createCertificate } from "../../relay/serving/certificate.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import type { RunningRelay } from "../../relay/serving/relay-config.ts";
import { serveRelay } from "../../relay/serving/serve-relay.ts";
import { ticketKeysOf } from "../../relay/ticket-verifier.ts";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { expectCall } from "./call-verdict.ts";
import { RoomPage } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { type RunningTributary, startTributary } from "./tributary.ts";

const ROOM = "on-node";

let tributary: RunningTributary;
let browser: TestBrowser;
let relay: RunningRelay;

async function startRelay(): Promise<RunningRelay> {
  const keys = (await (await fetch(`${tributary.url}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
  const { certPem, keyPem } = await createCertificate();
  const config = {
    host: "127.0.0.1",
    port: undefined,
    publicUrl: undefined,
    tcpPort: 0,
    tcpPublicUrl: undefined,
    // The one that the tickets are for.
    id: "local",
    region: "",
    capacity: 100,
    version: "0.0.0",
    certificate: { certPem, keyPem, hashes: [] },
    keys: ticketKeysOf(keys),
    directory: new MemoryDirectory(systemClock),
    operations: { host: "127.0.0.1", port: 0 },
    log: () => undefined,
  };
  return serveRelay(config, nodeRuntime);
}

async function join(identity: string): Promise<RoomPage> {
  const page = await browser.newPage();
  await page.context().route(/\/v1\/rooms\/[^/]+\/join$/, async (route) => {
    const response = await route.fetch();
    const answer = (await response.json()) as { relays: object[] };
    const { url, fallbackUrl } = relay.relay.record;
    await route.fulfill({
      response,
      json: { ...answer, relays: answer.relays.map((one) => ({ ...one, url, fallbackUrl })) },
    });
  });
  return RoomPage.join(page, tributary.url, ROOM, await tributary.mint(ROOM, identity));
}

beforeAll(async () => {
  [tributary, browser] = await Promise.all([
    startTributary(),
    openBrowser(testClip(), { trustsAnyCertificate: true }),
  ]);
  relay = await startRelay();
});

afterAll(async () => {
  await browser?.close();
  await relay?.stop();
  await tributary?.stop();
});

it("see and hear each other", async () => {
  const [ann, bob] = [await join("ann"), await join("bob")];
  await Promise.all([ann.seeCamera("bob"), bob.seeCamera("ann")]);
  await expectCall(ann, "bob");
  await expectCall(bob, "ann");
  expect(relay.relay.record.participants).toBe(2);
});
