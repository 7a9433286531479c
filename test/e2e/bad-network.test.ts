/** A call through somebody else's UDP proxy: the relay listens on one port, and browsers are told another. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { UdpProxy } from "../udp-proxy/udp-proxy.ts";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { judgeTone, RoomPage, untilGood } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { freeUdpPort, type RunningTributary, startTributary } from "./tributary.ts";

const ROOM = "far-away";
/** Little: how well a call gets over loss is for `npm run bench`; here it is that it stands at all. */
const LOSS = 0.005;
const DELAY_MS = 20;
/** Enough for a browser's own congestion control to send less than a camera takes. */
const MUCH_LOSS = 0.2;

let tributary: RunningTributary;
let browser: TestBrowser;
let proxy: UdpProxy;

beforeAll(async () => {
  const relayPort = await freeUdpPort();
  const impairment = { delayMs: DELAY_MS, loss: LOSS };
  proxy = await UdpProxy.listen({
    port: 0,
    targetPort: relayPort,
    up: impairment,
    down: impairment,
    seed: 3,
  });
  [tributary, browser] = await Promise.all([
    startTributary({
      env: { RELAY_PORT: String(relayPort), RELAY_PUBLIC_URL: `https://127.0.0.1:${proxy.port}` },
    }),
    openBrowser(testClip()),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await tributary?.stop();
  await proxy?.close();
});

const join = async (identity: string): Promise<RoomPage> =>
  RoomPage.join(await browser.newPage(), tributary.url, ROOM, await tributary.mint(ROOM, identity));

it("two see and hear each other through loss and delay", async () => {
  const [ann, bob] = [await join("ann"), await join("bob")];
  await bob.seeCamera("ann");
  await bob.firstPicture("ann");
  const rate = await untilGood(
    () => bob.renderedRate("ann", 3000),
    (perSecond) => perSecond > 3,
  );
  const { toneShare } = judgeTone(await bob.listen(3000));
  const { connection } = await bob.stats();
  console.info(
    `  ${rate.toFixed(1)} frames a second, ${(toneShare * 100).toFixed(0)} % tone, rtt ${connection.rttMs?.toFixed(0)} ms`,
    JSON.stringify(proxy.counters),
  );
  expect(proxy.counters.down.forwarded).toBeGreaterThan(500);
  expect(proxy.counters.down.random).toBeGreaterThan(0);
  expect(rate).toBeGreaterThan(3);
  expect(toneShare).toBeGreaterThan(0.5);
  expect(ann.page.isClosed()).toBe(false);
});

it("lanes carry on where the browser takes much loss for congestion", async () => {
  const cyd = await join("cyd");
  for (const direction of ["up", "down"] as const) proxy.change(direction, { loss: MUCH_LOSS, delayMs: 60 });
  const { lanes } = await untilGood(
    async () => {
      await cyd.page.waitForTimeout(3_000);
      const { connection } = await cyd.stats();
      console.info(`  ${connection.lanes} lanes, ${((connection.sendRateBps ?? 0) / 1000).toFixed(0)} kb/s`);
      return connection;
    },
    (connection) => connection.lanes > 0,
  );
  expect(lanes).toBeGreaterThan(0);
});
