/** A call on a network that lets no UDP through: over TCP from the first second, and over UDP as soon as that works. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { UdpProxy } from "../udp-proxy/udp-proxy.ts";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { judgeTone, RoomPage, untilGood } from "./room-page.ts";
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

async function judgeCall(): Promise<void> {
  for (const [listener, speaker] of [
    [ann, "bob"],
    [bob, "ann"],
  ] as const) {
    await listener.firstPicture(speaker);
    const rate = await untilGood(
      () => listener.renderedRate(speaker, 2_000),
      (perSecond) => perSecond > 24,
    );
    const tone = await untilGood(
      async () => judgeTone(await listener.listen(2_000)),
      ({ toneShare, loudShare }) => toneShare > 0.9 && loudShare < 0.9,
    );
    const { connection } = await listener.stats();
    const video = await listener.inbound(speaker, "video");
    const audio = await listener.inbound(speaker, "audio");
    console.info(
      `  ${connection.transport}: in the room after ${connection.joinMs} ms, ${rate.toFixed(1)} frames a second,`,
      `${(tone.toneShare * 100).toFixed(0)} % tone, rtt ${connection.rttMs} ms, sound before picture ${video.avOffsetMs?.toFixed(0)} ms`,
      `capture to speaker ${audio.captureToRenderMs?.toFixed(0)} ms, to screen ${video.captureToRenderMs?.toFixed(0)} ms`,
    );
    expect(rate).toBeGreaterThan(24);
    expect(tone.toneShare).toBeGreaterThan(0.9);
  }
}

it("two see and hear each other over TCP", async () => {
  for (const page of [ann, bob]) expect((await page.stats()).connection.transport).toBe("websocket");
  await judgeCall();
  expect(proxy.counters.down.forwarded).toBe(0);
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
  await judgeCall();
  expect(await left).toBe(0);
  expect(proxy.counters.down.forwarded).toBeGreaterThan(100);
});
