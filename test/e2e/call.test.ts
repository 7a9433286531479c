/**
 * A call as people have it: real Chromium, the product as `npm start` runs it, and a camera and microphone whose content
 * the test knows. Bounds here are those that a busy machine keeps too; `npm run bench -- call` measures speed.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { judgeTone, RoomPage } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { type RunningTributary, startTributary } from "./tributary.ts";

const ROOM = "call";
const report = (what: string, value: number, unit: string): void =>
  console.info(`  ${what}: ${value.toFixed(1)} ${unit}`);

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
  it("see each other at the camera's rate", async () => {
    const rates = await Promise.all([ann.renderedRate("bob", 5000), bob.renderedRate("ann", 5000)]);
    for (const rate of rates) report("rendered", rate, "frames a second");
    expect(Math.min(...rates)).toBeGreaterThan(24);
    expect(Math.max(...rates)).toBeLessThan(32);
  });

  it("see the picture that went in", async () => {
    const verdicts = [];
    for (let i = 0; i < 5; i++) {
      verdicts.push(await bob.firstPicture("ann"), await ann.firstPicture("bob"));
    }
    report("worst picture", Math.min(...verdicts.map((one) => one.psnrDb)), "dB PSNR");
    for (const { psnrDb, colourError } of verdicts) {
      expect(psnrDb).toBeGreaterThan(28);
      expect(colourError).toBeLessThan(40);
    }
    expect(new Set(verdicts.map((one) => one.frame)).size).toBeGreaterThan(2);
  });

  it("hear the tone that went in", async () => {
    for (const listener of [ann, bob]) {
      const { loudShare, toneShare } = judgeTone(await listener.listen(3000));
      report("heard as the tone", toneShare * 100, "% of what was loud");
      expect(toneShare).toBeGreaterThan(0.9);
      // Beats of 250 ms with pauses of 250 ms, and windows that reach over edges.
      expect(loudShare).toBeGreaterThan(0.35);
      expect(loudShare).toBeLessThan(0.9);
    }
  });

  it("hear in step with what they see", async () => {
    const { avOffsetMs } = await bob.inbound("ann", "video");
    report("sound before picture", avOffsetMs ?? Number.NaN, "ms");
    expect(Math.abs(avOffsetMs ?? Number.NaN)).toBeLessThanOrEqual(45);
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
    await bob.page.waitForTimeout(500);
    expect(judgeTone(await bob.listen(1500)).loudShare).toBeLessThan(0.05);
    await mute(false);
    await bob.page.waitForTimeout(1000);
    const { toneShare, loudShare } = judgeTone(await bob.listen(2000));
    expect(loudShare).toBeGreaterThan(0.3);
    expect(toneShare).toBeGreaterThan(0.9);
  });
});

describe("comings and goings", () => {
  it("a late joiner has a picture at once", async () => {
    const eve = await join("eve");
    await eve.seeCamera("ann");
    await eve.firstPicture("ann");
    const { timeToFirstFrameMs } = await eve.inbound("ann", "video");
    report("late joiner's first picture after", timeToFirstFrameMs ?? Number.NaN, "ms");
    expect(timeToFirstFrameMs).toBeLessThan(3000);
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
    await dan.page.context().close();
    await gone;
    report("leave noticed after", performance.now() - closedMs, "ms");
    expect(performance.now() - closedMs).toBeLessThan(5000);
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
