/** A call on a network that lets no UDP through: over TCP from the first second, and over UDP as soon as that works. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { UdpProxy } from "../udp-proxy/udp-proxy.ts";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { expectCall } from "./call-verdict.ts";
import { RoomPage } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { freeUdpPort, type RunningTributary, startTributary } from "./tributary.ts";

const ROOM = "no-udp";
const BLOCKED = { loss: 1 };
const OPEN = { loss: 0 };
/** The way back is looked for every few seconds at first. */
const BACK_TIMEOUT_MS = 40_000;

let relayPort: number;
let tributary: RunningTributary;
let browser: TestBrowser;
let proxy: UdpProxy;
let ann: RoomPage;
let bob: RoomPage;

const join = async (identity: string): Promise<RoomPage> =>
  RoomPage.join(await browser.newPage(), tributary.url, ROOM, await tributary.mint(ROOM, identity));

beforeAll(async () => {
  relayPort = await freeUdpPort();
  proxy = await UdpProxy.listen({ port: 0, targetPort: relayPort, up: BLOCKED, down: BLOCKED, seed: 1 });
  const env = {
    RELAY_PORT: String(relayPort),
    RELAY_PUBLIC_URL: `https://127.0.0.1:${proxy.port}`,
    RELAY_TCP_PUBLIC_URL: `https://127.0.0.1:${relayPort}`,
  };
  // The relay's certificate is its own, which only WebTransport can be told to trust.
  [tributary, browser] = await Promise.all([
    startTributary({ env }),
    openBrowser(testClip(), { trustsAnyCertificate: true }),
  ]);
  [ann, bob] = [await join("ann"), await join("bob")];
  await Promise.all([ann.seeCamera("bob"), bob.seeCamera("ann")]);
});

afterAll(async () => {
  await browser?.close();
  await tributary?.stop();
  await proxy?.close();
});

it("two see and hear each other over TCP", async () => {
  for (const page of [ann, bob]) expect((await page.stats()).connection.transport).toBe("websocket");
  await expectCall(ann, "bob");
  await expectCall(bob, "ann");
  expect(proxy.counters.down.forwarded).toBe(0);
});

it("somebody over UDP is in one call with them", async () => {
  const page = await browser.newPage();
  await page.context().route(/\/v1\/rooms\/[^/]+\/join$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      body: (await response.text()).replaceAll(`:${proxy.port}`, `:${relayPort}`),
    });
  });
  const cyd = await RoomPage.join(page, tributary.url, ROOM, await tributary.mint(ROOM, "cyd"));
  await Promise.all([cyd.seeCamera("ann"), ann.seeCamera("cyd")]);
  await expectCall(cyd, "ann");
  await expectCall(ann, "cyd");
  expect((await cyd.stats()).connection.transport).toBe("webtransport");
  expect((await ann.stats()).connection.transport).toBe("websocket");
  await page.close();
});

it("both go on over UDP when it is let through, without a reload", async () => {
  const left = ann.page.evaluate(() => {
    let count = 0;
    window.tributary.room?.on("participant-left", () => count++);
    return new Promise<number>((resolve) => setTimeout(() => resolve(count), 5_000));
  });
  for (const direction of ["up", "down"] as const) proxy.change(direction, OPEN);
  for (const { page } of [ann, bob]) {
    await page.waitForFunction(
      async () => (await window.tributary.room?.getStats())?.connection.transport === "webtransport",
      undefined,
      { timeout: BACK_TIMEOUT_MS, polling: 250 },
    );
  }
  await expectCall(ann, "bob");
  await expectCall(bob, "ann");
  expect(await left).toBe(0);
  expect(proxy.counters.down.forwarded).toBeGreaterThan(100);
});
