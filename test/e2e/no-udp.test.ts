/** A call on a network that lets no UDP through: over TCP from the first second, and over UDP as soon as that works. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UdpProxy } from "../udp-proxy/udp-proxy.ts";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { checkCall } from "./call-checks.ts";
import { RoomPage } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { freeUdpPort, type RunningTributary, startTributary } from "./tributary.ts";

const ROOM = "no-udp";
const BLOCKED = { loss: 1 };
const OPEN = { loss: 0 };
/** The way back is looked for every few seconds at first. */
const BACK_TIMEOUT_MS = 40_000;

let tributary: RunningTributary;
let browser: TestBrowser;
let proxy: UdpProxy;
let ann: RoomPage;
let bob: RoomPage;

const join = async (identity: string): Promise<RoomPage> =>
  RoomPage.join(await browser.newPage(), tributary.url, ROOM, await tributary.mint(ROOM, identity));

beforeAll(async () => {
  const relayPort = await freeUdpPort();
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

describe("without UDP", () => {
  it("two are in a room over TCP", async () => {
    for (const page of [ann, bob]) {
      const { connection } = await page.stats();
      console.info(`  ${connection.transport}: in the room after ${connection.joinMs} ms`);
      expect(connection.transport).toBe("websocket");
    }
    expect(proxy.counters.down.forwarded).toBe(0);
  });

  checkCall(() => ({ ann, bob }));
});

describe("with UDP again", () => {
  it("both go on over it without a reload, and nobody sees anybody leave", async () => {
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
    expect(await left).toBe(0);
    expect(proxy.counters.down.forwarded).toBeGreaterThan(100);
  });

  checkCall(() => ({ ann, bob }));
});
