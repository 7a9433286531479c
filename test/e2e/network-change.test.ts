/**
 * Somebody changes networks in a call: comes from another address, loses every socket, is offline for a while, or was asleep. The join
 * token is good for a few seconds only, so that who is back is back by the relay's ticket.
 */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ProxiedCall } from "./proxied-call.ts";
import { type RoomPage, untilGood } from "./room-page.ts";

const ROOM = "network-change";
/** With the clock tolerance of the gateway, over before the first change. */
const TOKEN_SECONDS = 6;
const TOLERANCE_SECONDS = 6;
/** Frames a second: a busy machine draws fewer than were captured. */
const LEAST_RATE = 5;
const AWAY_MS = 1_500;

let call: ProxiedCall;
let ann: RoomPage;
let bob: RoomPage;

beforeAll(async () => {
  const bornMs = performance.now();
  call = await ProxiedCall.open(ROOM, TOKEN_SECONDS);
  ({ ann, bob } = call);
  await ann.page.waitForFunction(() =>
    [...(window.tributary.room?.participants.values() ?? [])].some(({ tracks }) => tracks.size >= 2),
  );
  await wait(Math.max(0, (TOKEN_SECONDS + TOLERANCE_SECONDS) * 1000 - (performance.now() - bornMs)));
  for (const { page } of call.pages) await page.evaluate(() => window.happenings.splice(0));
});

afterAll(() => call?.close());

const reconnects = async (one: RoomPage) => (await one.stats()).connection.reconnects;
const trackIds = (one: RoomPage) =>
  one.page.evaluate(() =>
    [...(window.tributary.room?.localTracks.values() ?? [])].map(({ trackId }) => trackId),
  );

/** Does something to Ann's and Bob's ways; afterwards they see each other as before, and nobody left or published. */
async function expectSameCall(act: () => Promise<void>, isNewSession: boolean): Promise<void> {
  const before = await Promise.all([reconnects(ann), reconnects(bob), trackIds(ann)]);
  await act();
  const news = await untilGood(
    async () => {
      await wait(400);
      return Math.min((await reconnects(ann)) - before[0], (await reconnects(bob)) - before[1]);
    },
    (count) => !isNewSession || count > 0,
  );
  if (isNewSession) expect(news).toBeGreaterThan(0);
  const rates = await untilGood(
    () => Promise.all([ann.renderedRate("bob", 1000), bob.renderedRate("ann", 1000)]),
    (both) => Math.min(...both) > LEAST_RATE,
  );
  expect(Math.min(...rates)).toBeGreaterThan(LEAST_RATE);
  expect(await trackIds(ann)).toEqual(before[2]);
  for (const { identity, page } of call.pages) {
    const happenings = await page.evaluate(() => window.happenings.splice(0));
    console.info(`  ${identity}: ${happenings.join(", ") || "nothing was seen of it"}`);
    expect(happenings.filter((what) => what !== "reconnecting" && what !== "connected")).toEqual([]);
    expect(await page.evaluate(() => window.tributary.room?.state)).toBe("connected");
  }
}

it("another address behind the same socket costs nothing: QUIC takes the session along", async () => {
  const before = await Promise.all([reconnects(ann), reconnects(bob)]);
  await expectSameCall(async () => call.proxy.rebind(), false);
  expect(await Promise.all([reconnects(ann), reconnects(bob)])).toEqual(before);
});

it("sockets that are dead for ever are replaced, by the relay's ticket", async () => {
  await expectSameCall(async () => call.proxy.cut(), true);
});

it("no network at all for a while, and the browser says when there is one again", async () => {
  await expectSameCall(async () => {
    const networks = await Promise.all(call.pages.map(({ page }) => page.context().newCDPSession(page)));
    const setOffline = (offline: boolean) => {
      const conditions = { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
      return Promise.all(networks.map((one) => one.send("Network.emulateNetworkConditions", conditions)));
    };
    for (const way of ["up", "down"] as const) call.proxy.change(way, { loss: 1 });
    await setOffline(true);
    await wait(AWAY_MS);
    call.proxy.cut();
    for (const way of ["up", "down"] as const) call.proxy.change(way, { loss: 0 });
    await setOffline(false);
  }, true);
});

it("a page that was frozen while its network changed goes on when it wakes", async () => {
  await expectSameCall(async () => {
    const pages = await Promise.all(call.pages.map(({ page }) => page.context().newCDPSession(page)));
    const set = (state: "frozen" | "active") =>
      Promise.all(pages.map((one) => one.send("Page.setWebLifecycleState", { state })));
    await set("frozen");
    call.proxy.cut();
    await wait(AWAY_MS);
    await set("active");
  }, true);
});
