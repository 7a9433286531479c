/** The road to the relay is bad for a moment, or what the browser was connected with is dead: the call goes on in the same room. */
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

const ROOM = "fail-over";
const PAUSE_MS = 2_000;
/** Frames a second: a busy machine draws fewer than were captured. */
const LEAST_RATE = 5;
const WATCHED_MS = 5_000;

let tributary: RunningTributary;
let browser: TestBrowser;
let proxy: UdpProxy;
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
  const relayPort = await freeUdpPort();
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
  await ann.page.waitForFunction(() =>
    [...(window.tributary.room?.participants.values() ?? [])].some(({ tracks }) => tracks.size >= 2),
  );
  for (const one of [ann, bob]) await one.page.evaluate(() => window.happenings.splice(0));
});

afterAll(async () => {
  await browser?.close();
  await tributary?.stop();
  await proxy?.close();
});

/** Both see and hear each other, on the canvases that they had from the start; nobody came, left or published. */
async function expectSameCall(): Promise<void> {
  const rates = await untilGood(
    () => Promise.all([ann.renderedRate("bob", 1500), bob.renderedRate("ann", 1500)]),
    (both) => Math.min(...both) > LEAST_RATE,
  );
  expect(Math.min(...rates)).toBeGreaterThan(LEAST_RATE);
  const { toneShare } = await untilGood(
    async () => judgeTone(await bob.listen(1500)),
    (tone) => tone.toneShare > 0.8 && tone.loudShare > 0.2,
  );
  expect(toneShare).toBeGreaterThan(0.8);
  for (const one of [ann, bob]) {
    const happenings = await one.page.evaluate(() => window.happenings.splice(0));
    console.info(`  ${one.identity}: ${happenings.join(", ") || "nothing was seen of it"}`);
    expect(happenings.filter((what) => what !== "reconnecting" && what !== "connected")).toEqual([]);
    expect(await one.page.evaluate(() => window.tributary.room?.state)).toBe("connected");
  }
}

/** Resolves to the longest time within `forMs` in which no new picture of the other was drawn. */
async function longestGapMs(one: RoomPage, other: string, forMs: number): Promise<number> {
  let frames = -1;
  let [gapMs, sinceMs] = [0, performance.now()];
  const endMs = sinceMs + forMs;
  while (performance.now() < endMs) {
    const drawn = (await one.inbound(other, "video")).framesRendered ?? 0;
    const nowMs = performance.now();
    gapMs = Math.max(gapMs, nowMs - sinceMs);
    if (drawn !== frames) sinceMs = nowMs;
    frames = drawn;
    await one.page.waitForTimeout(30);
  }
  return gapMs;
}

/** Does something to the road, and says how long pictures stood still for it. */
async function meanwhile(act: () => Promise<void>): Promise<void> {
  const gaps = [longestGapMs(ann, "bob", WATCHED_MS), longestGapMs(bob, "ann", WATCHED_MS)];
  await act();
  console.info(
    `  pictures stood still for ${(await Promise.all(gaps)).map((ms) => ms.toFixed(0)).join(" and ")} ms`,
  );
}

it("a call outlasts a road that carries nothing for a while", async () => {
  await meanwhile(async () => {
    for (const direction of ["up", "down"] as const) proxy.change(direction, { loss: 1 });
    await bob.page.waitForTimeout(PAUSE_MS);
    for (const direction of ["up", "down"] as const) proxy.change(direction, { loss: 0 });
  });
  await expectSameCall();
});

it("a call goes on in other sessions when those that it had are dead", async () => {
  const before = await Promise.all([ann.stats(), bob.stats()]);
  await meanwhile(async () => proxy.forsakeClients());
  await untilGood(
    async () => {
      await bob.page.waitForTimeout(500);
      return await Promise.all([ann.stats(), bob.stats()]);
    },
    (after) => after.every(({ connection }, i) => connection.reconnects > before[i]!.connection.reconnects),
  );
  await expectSameCall();
  const after = await Promise.all([ann.stats(), bob.stats()]);
  for (const [i, { connection }] of after.entries())
    expect(connection.reconnects).toBeGreaterThan(before[i]!.connection.reconnects);
});
