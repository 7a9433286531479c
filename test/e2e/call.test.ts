/**
 * A call as people have it: real Chromium, the product as `npm start` runs it, and a camera and microphone whose content
 * the test knows. Bounds here are those that a busy machine keeps too; `npm run bench -- call` measures speed.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { checkCall, report } from "./call-checks.ts";
import { judgeTone, RoomPage, untilGood } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { type RunningTributary, startTributary } from "./tributary.ts";

const ROOM = "call";

let tributary: RunningTributary;
let browser: TestBrowser;
let ann: RoomPage;
let bob: RoomPage;

async function join(identity: string, grants?: Record<string, unknown>): Promise<RoomPage> {
  const token = await tributary.mint(ROOM, identity, grants);
  return RoomPage.join(await browser.newPage(), tributary.url, ROOM, token);
}

beforeAll(async () => {
  [tributary, browser] = await Promise.all([startTributary(), openBrowser(testClip())]);
  ann = await join("ann");
  bob = await join("bob");
  await Promise.all([ann.seeCamera("bob"), bob.seeCamera("ann")]);
  await Promise.all([ann.firstPicture("bob"), bob.firstPicture("ann")]);
});

afterAll(async () => {
  await browser?.close();
  await tributary?.stop();
});

describe("two in a room", () => {
  checkCall(() => ({ ann, bob }));

  it("send it in three temporal layers, all of which arrive and are shown", async () => {
    const sent = (await ann.stats()).tracks.find(
      (track) => track.direction === "outbound" && track.kind === "video",
    );
    expect(sent?.temporalLayers).toBe(3);
    const watch = async () => {
      const before = await bob.inbound("ann", "video");
      await bob.page.waitForTimeout(2000);
      const after = await bob.inbound("ann", "video");
      const missed = (reason: string): number =>
        (after.framesDroppedBy?.[reason] ?? 0) - (before.framesDroppedBy?.[reason] ?? 0);
      return {
        decoded: (after.framesDecoded ?? 0) - (before.framesDecoded ?? 0),
        missed: missed("late") + missed("no-reference"),
      };
    };
    const seen = await untilGood(watch, ({ decoded, missed }) => decoded > 50 && missed === 0);
    report("decoded in 2 s", seen.decoded, "pictures");
    report("missed", seen.missed, "pictures");
    expect(seen.decoded).toBeGreaterThan(50);
    expect(seen.missed).toBe(0);
  });

  it("read each other's chat", async () => {
    const heard = ann.page.evaluate(
      () =>
        new Promise<{ from: string; text: string }>((resolve) => {
          window.tributary.room?.on("chat", ({ from, text }) => resolve({ from, text }));
        }),
    );
    await bob.page.evaluate(() => window.tributary.room?.sendChat("good morning, ann \u{1f44b}"));
    expect(await heard).toEqual({ from: "bob", text: "good morning, ann \u{1f44b}" });
  });

  it("fall silent when muted, and are heard again", async () => {
    const mute = (muted: boolean) =>
      ann.page.evaluate((to) => window.tributary.room?.localTracks.get("microphone")?.setMuted(to), muted);
    await mute(true);
    await bob.page.waitForFunction(() =>
      [...(window.tributary.room?.participants.get("ann")?.tracks.values() ?? [])].some(
        (track) => track.source === "microphone" && track.muted,
      ),
    );
    const heard = async () => judgeTone(await bob.listen(1500));
    expect((await untilGood(heard, (tone) => tone.loudShare < 0.05)).loudShare).toBeLessThan(0.05);
    await mute(false);
    const again = await untilGood(heard, (tone) => tone.loudShare > 0.3 && tone.toneShare > 0.9);
    expect(again.loudShare).toBeGreaterThan(0.3);
    expect(again.toneShare).toBeGreaterThan(0.9);
  });
});

describe("comings and goings", () => {
  it("a late joiner has a picture at once", async () => {
    const eve = await join("eve");
    await eve.seeCamera("ann");
    await eve.firstPicture("ann");
    const { timeToFirstFrameMs = Number.NaN } = await eve.inbound("ann", "video");
    const { joinMs } = (await eve.stats()).connection;
    report("late joiner in the room after", joinMs, "ms");
    report("late joiner's first picture", timeToFirstFrameMs - joinMs, "ms later");
    expect(timeToFirstFrameMs).toBeGreaterThan(joinMs);
    await eve.page.context().close();
  });

  it("a closed page is noticed", async () => {
    const dan = await join("dan");
    await bob.timeUntil(({ identity }) => window.tributary.room?.participants.has(identity) === true, "dan");
    const gone = bob.timeUntil(
      ({ identity }) => window.tributary.room?.participants.has(identity) === false,
      "dan",
    );
    const closedMs = performance.now();
    // Closing the whole profile instead makes Chromium drop its sockets without a word, now and then.
    await dan.page.close();
    await gone;
    // An idle timeout would notice a closed page too, after ten seconds.
    const noticedMs = performance.now() - closedMs;
    report("leave noticed after", noticedMs, "ms");
    expect(noticedMs).toBeLessThan(9000);
  });

  it("a removed participant is out, and stays out", async () => {
    const token = await tributary.mint(ROOM, "mallory");
    const mallory = await RoomPage.join(await browser.newPage(), tributary.url, ROOM, token);
    await bob.timeUntil(
      ({ identity }) => window.tributary.room?.participants.has(identity) === true,
      "mallory",
    );
    const removed = await tributary.api("DELETE", `/v1/rooms/${ROOM}/participants/mallory`);
    expect(removed.status).toBeLessThan(300);
    const outMs = await bob.timeUntil(
      ({ identity }) => window.tributary.room?.participants.has(identity) === false,
      "mallory",
    );
    report("removed after", outMs, "ms");
    await mallory.page.waitForFunction(
      () => window.tributary.room === undefined || window.tributary.room.state === "closed",
    );
    const again = await tributary.api("POST", `/v1/rooms/${ROOM}/join`, undefined, `Bearer ${token}`);
    expect(again.status).toBe(403);
    await mallory.page.context().close();
  });

  it("nothing went wrong in any page", () => {
    expect(browser.problems).toEqual([]);
  });
});
