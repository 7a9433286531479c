/** The road to the relay is bad for a moment, or what the browser was connected with is dead: the call goes on in the same room. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { ProxiedCall } from "./proxied-call.ts";
import { judgeTone, type RoomPage, untilGood } from "./room-page.ts";

const ROOM = "fail-over";
const PAUSE_MS = 2_000;
/** Frames a second: a busy machine draws fewer than were captured. */
const LEAST_RATE = 5;
const WATCHED_MS = 5_000;

let call: ProxiedCall;
let ann: RoomPage;
let bob: RoomPage;

beforeAll(async () => {
  call = await ProxiedCall.open(ROOM);
  ({ ann, bob } = call);
  await ann.page.waitForFunction(() =>
    [...(window.tributary.room?.participants.values() ?? [])].some(({ tracks }) => tracks.size >= 2),
  );
  for (const one of call.pages) await one.page.evaluate(() => window.happenings.splice(0));
});

afterAll(() => call?.close());

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
    for (const direction of ["up", "down"] as const) call.proxy.change(direction, { loss: 1 });
    await bob.page.waitForTimeout(PAUSE_MS);
    for (const direction of ["up", "down"] as const) call.proxy.change(direction, { loss: 0 });
  });
  await expectSameCall();
});

it("a call goes on in other sessions when those that it had are dead", async () => {
  const before = await Promise.all([ann.stats(), bob.stats()]);
  await meanwhile(async () => call.proxy.cut());
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
