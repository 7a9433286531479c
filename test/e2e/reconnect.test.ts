/** The way to the relay is gone for a while: the call comes back by itself, and nobody else sees more than a leave and a join. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import { UdpProxy } from "../udp-proxy/udp-proxy.ts";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { judgeTone, RoomPage, untilGood } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { freeUdpPort, type RunningTributary, startTributary } from "./tributary.ts";

declare global {
  interface Window {
    /** What happened in the room, in order. */
    happenings: string[];
  }
}

const ROOM = "outage";
/** Longer than the silence after which a client gives its session up. */
const OUTAGE_MS = 8_000;
/** Frames a second: a busy machine draws fewer than were captured. */
const LEAST_RATE = 5;
const RECOVERY_MS = 15_000;

let tributary: RunningTributary;
let browser: TestBrowser;
let proxy: UdpProxy;
let relayPort: number;
let ann: RoomPage;
let bob: RoomPage;

async function join(identity: string): Promise<RoomPage> {
  const token = await tributary.mint(ROOM, identity);
  const one = await RoomPage.join(await browser.newPage(), tributary.url, ROOM, token);
  await one.page.evaluate(() => {
    const { room } = window.tributary;
    window.happenings = [];
    room?.on("state", ({ state }) => window.happenings.push(state));
    for (const name of ["participant-joined", "participant-left"] as const)
      room?.on(name, ({ participant }) => window.happenings.push(`${name} ${participant.identity}`));
    for (const name of ["track-published", "track-unpublished"] as const)
      room?.on(name, ({ track }) => window.happenings.push(`${name} ${track.source}`));
  });
  return one;
}

beforeAll(async () => {
  relayPort = await freeUdpPort();
  proxy = await UdpProxy.listen({ port: 0, targetPort: relayPort, seed: 1 });
  [tributary, browser] = await Promise.all([
    startTributary({
      env: { RELAY_PORT: String(relayPort), RELAY_PUBLIC_URL: `https://127.0.0.1:${proxy.port}` },
    }),
    openBrowser(testClip()),
  ]);
  ann = await join("ann");
  bob = await join("bob");
  await Promise.all([ann.seeCamera("bob"), bob.seeCamera("ann")]);
  await Promise.all([ann.firstPicture("bob"), bob.firstPicture("ann")]);
});

afterAll(async () => {
  await browser?.close();
  await tributary?.stop();
  await proxy?.close();
});

/** Nothing gets through for this long. */
async function outage(durationMs: number): Promise<void> {
  const { port } = proxy;
  await proxy.close();
  // Something must hold the port: nobody there would be told at once (ICMP), which is no silence.
  const nobody = createSocket("udp4").bind(port, "127.0.0.1");
  await bob.page.waitForTimeout(durationMs);
  nobody.close();
  await once(nobody, "close");
  proxy = await UdpProxy.listen({ port, targetPort: relayPort, seed: 2 });
}

/** Both see and hear each other, on the canvases that they had from the start. */
async function expectCall(): Promise<void> {
  for (const one of [ann, bob]) {
    await one.page.waitForFunction(() =>
      [...(window.tributary.room?.participants.values() ?? [])].some(({ tracks }) => tracks.size >= 2),
    );
    const happenings = await one.page.evaluate(() => window.happenings);
    console.info(`  ${one.identity}: ${happenings.join(", ")}`);
  }
  const rates = await untilGood(
    () => Promise.all([ann.renderedRate("bob", 1500), bob.renderedRate("ann", 1500)]),
    (both) => Math.min(...both) > LEAST_RATE,
  );
  expect(Math.min(...rates)).toBeGreaterThan(LEAST_RATE);
  const seen = await bob.firstPicture("ann");
  await bob.page.waitForTimeout(300);
  expect((await bob.firstPicture("ann")).frame).not.toBe(seen.frame);
  const { toneShare } = await untilGood(
    async () => judgeTone(await bob.listen(1500)),
    (tone) => tone.toneShare > 0.8 && tone.loudShare > 0.2,
  );
  expect(toneShare).toBeGreaterThan(0.8);
}

it("a call comes back by itself, and nobody leaves", async () => {
  await outage(OUTAGE_MS);
  const backMs = performance.now();
  for (const one of [ann, bob]) {
    await one.page.waitForFunction(
      () => window.tributary.room?.state === "connected" && window.happenings.includes("reconnecting"),
      undefined,
      { timeout: RECOVERY_MS },
    );
  }
  console.info(`  connected ${(performance.now() - backMs).toFixed(0)} ms after the way was there again`);
  await expectCall();
  for (const one of [ann, bob]) {
    const happenings = await one.page.evaluate(() => window.happenings);
    console.info(`  ${one.identity}: ${happenings.join(", ")}`);
    expect(happenings.filter((what) => what === "reconnecting" || what === "connected")).toEqual([
      "reconnecting",
      "connected",
    ]);
    // Each took its own place, so the other's tracks and canvases went on.
    expect(happenings.filter((what) => /left|unpublished/.test(what))).toEqual([]);
    expect((await one.stats()).connection.reconnects).toBeGreaterThanOrEqual(1);
  }
});
