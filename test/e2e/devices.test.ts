/** Joining without any device, sound that the browser holds back, pages without shared memory, and sharing a screen. */
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findChromium } from "../chromium.mjs";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { judgeTone, RoomPage, untilGood } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { type RunningTributary, startTributary } from "./tributary.ts";

const ROOM = "devices";

let tributary: RunningTributary;
let equipped: TestBrowser;
let bare: Browser;

beforeAll(async () => {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("Chromium is missing: run `npm test`, which installs it.");
  [tributary, equipped, bare] = await Promise.all([
    startTributary(),
    openBrowser(testClip()),
    // No devices, and sound only after a click, as people have it.
    chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] }),
  ]);
});

afterAll(async () => {
  await equipped?.close();
  await bare?.close();
  await tributary?.stop();
});

const token = (identity: string) => tributary.mint(ROOM, identity);

it("somebody without devices joins, and hears after a click", async () => {
  const page = await bare.newPage();
  const joined = await RoomPage.join(page, tributary.url, ROOM, await token("bare"));
  await page.getByText(/Joined without camera/).waitFor({ timeout: 15_000 });
  const failure = await page.evaluate(() =>
    window.tributary.room?.publishCamera().catch((error: { code: string }) => error.code),
  );
  expect(failure).toBe("no-device");
  const devices = await page.evaluate(async () => (await window.tributary.room?.devices())?.cameras.length);
  expect(devices).toBe(0);
  expect(await page.evaluate(() => window.tributary.room?.needsGesture)).toBe(true);
  await page.evaluate(() => {
    document.addEventListener("click", () => void window.tributary.room?.startAudio(), { once: true });
  });
  await page.mouse.click(5, 5);
  await page.waitForFunction(() => window.tributary.room?.needsGesture === false);
  expect(joined.identity).toBe("bare");
  await page.close();
});

it("a screen is shared and seen, and its end is told", async () => {
  const ann = await RoomPage.join(await equipped.newPage(), tributary.url, ROOM, await token("ann"));
  const bob = await RoomPage.join(await equipped.newPage(), tributary.url, ROOM, await token("bob"));
  // Asking for a screen takes a click.
  await ann.page.evaluate(() => {
    document.addEventListener(
      "click",
      () => void window.tributary.room?.publishScreen({ audio: true }).catch(reportError),
      { once: true },
    );
  });
  await ann.page.mouse.click(5, 5);
  const hasScreen = (wanted: boolean) =>
    bob.page.waitForFunction(
      (want) =>
        [...(window.tributary.room?.participants.get("ann")?.tracks.values() ?? [])].some(
          ({ source, width }) => source === "screen" && width > 0,
        ) === want,
      wanted,
    );
  await hasScreen(true);
  // What a browser does when its own "stop sharing" is pressed.
  await ann.page.evaluate(() => {
    const media = window.tributary.room?.localTracks.get("screen")?.mediaStreamTrack;
    media?.stop();
  });
  await hasScreen(false);
  await ann.page.waitForFunction(() => window.tributary.room?.localTracks.has("screen") === false);
  expect(await ann.page.evaluate(() => window.tributary.room?.localTracks.has("screen-audio"))).toBe(false);
  await ann.page.close();
  await bob.page.close();
});

/** The same site without the headers that isolate a page. */
async function plainSite(): Promise<{ url: string; server: Server }> {
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const onward = request(tributary.url + url, { method, headers }, (answer) => {
      const kept = Object.entries(answer.headers).filter(([name]) => !name.startsWith("cross-origin-"));
      outgoing.writeHead(answer.statusCode ?? 500, Object.fromEntries(kept));
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://localhost:${(server.address() as AddressInfo).port}` };
}

it("without shared memory the sound travels as messages", async () => {
  const room = "plain";
  const { url, server } = await plainSite();
  try {
    const mint = (identity: string) => tributary.mint(room, identity);
    await RoomPage.join(await equipped.newPage(), tributary.url, room, await mint("ann"));
    const eve = await RoomPage.join(await equipped.newPage(), url, room, await mint("eve"));
    expect(await eve.page.evaluate(() => globalThis.crossOriginIsolated)).toBe(false);
    const bob = await RoomPage.join(await equipped.newPage(), tributary.url, room, await mint("bob"));
    const tone = await untilGood(
      async () => judgeTone(await eve.listen(2000)),
      ({ toneShare, loudShare }) => toneShare > 0.8 && loudShare > 0.2,
    );
    const [plain, isolated] = [await eve.inbound("ann", "audio"), await bob.inbound("ann", "audio")];
    console.info(
      `  sound's delay: ${plain.captureToRenderMs} ms by messages, ${isolated.captureToRenderMs} ms by shared memory`,
    );
    expect(tone.toneShare).toBeGreaterThan(0.8);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
