/** The way to the relay is gone for a while: the call comes back by itself, and nobody else sees more than a leave and a join. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import { UdpProxy } from "../udp-proxy/udp-proxy.ts";
import { ProxiedCall } from "./proxied-call.ts";
import { judgeTone, type RoomPage, untilGood } from "./room-page.ts";

const ROOM = "outage";
/**
 * Longer than the silence after which a client gives its session up. Both are back before the relay gives theirs up, after 10 s: who
 * is back before it sees the other leave and join when that one comes after it.
 */
const OUTAGE_MS = 6_000;
/** Frames a second: a busy machine draws fewer than were captured. */
const LEAST_RATE = 5;
const RECOVERY_MS = 15_000;

let call: ProxiedCall;
let ann: RoomPage;
let bob: RoomPage;

beforeAll(async () => {
  call = await ProxiedCall.open(ROOM);
  ({ ann, bob } = call);
});

afterAll(() => call?.close());

/** Nothing gets through for this long. */
async function outage(durationMs: number): Promise<void> {
  const { port } = call.proxy;
  await call.proxy.close();
  // Something must hold the port: nobody there would be told at once (ICMP), which is no silence.
  const nobody = createSocket("udp4").bind(port, "127.0.0.1");
  await bob.page.waitForTimeout(durationMs);
  nobody.close();
  await once(nobody, "close");
  call.proxy = await UdpProxy.listen({ port, targetPort: call.relayPort, seed: 2 });
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
  const later = await untilGood(
    async () => {
      await bob.page.waitForTimeout(300);
      return (await bob.firstPicture("ann")).frame;
    },
    (frame) => frame !== seen.frame,
  );
  expect(later).not.toBe(seen.frame);
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
