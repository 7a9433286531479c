/** The audience's pages in a real Chromium that keeps sound back until somebody clicks: real media by ffmpeg, the API from memory; long because all share server and browser. */
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RecordingInfo } from "../../core/wire/bridge-jobs.ts";
import { findChromium } from "../chromium.mjs";
import { AudienceServer } from "./audience-server.ts";

let server: AudienceServer;
let browser: Browser;
const pages: Page[] = [];
/** What went wrong in pages; answers that are no success are asked for. */
const problems: string[] = [];

async function open(path: string, prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 800 }, locale: "en-GB" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
  pages.push(page);
  await prepare?.(page);
  await page.goto(path.startsWith("/") ? server.url + path : path);
  return page;
}

/** What the page's <video> or <audio> does. */
function media(page: Page, tag: "video" | "audio") {
  return page.locator(tag).evaluate((element: HTMLMediaElement) => ({
    atS: element.currentTime,
    paused: element.paused,
    muted: element.muted,
    width: element instanceof HTMLVideoElement ? element.videoWidth : 0,
  }));
}

/** Resolves once it has played on for a second. */
async function plays(page: Page, tag: "video" | "audio"): Promise<void> {
  await expect.poll(async () => (await media(page, tag)).atS, { timeout: 20_000 }).toBeGreaterThan(0);
  const { atS } = await media(page, tag);
  await expect.poll(async () => (await media(page, tag)).atS, { timeout: 20_000 }).toBeGreaterThan(atS + 1);
}

/**
 * Opens a page and resolves to what its <video> does once `selector` is there, without a look from outside before: any look by
 * the browser's debugger counts as a person's touch, and unlocks sound.
 */
async function untouched(path: string, selector: string): Promise<{ page: Page; video: unknown }> {
  const page = await open("about:blank", (fresh) => fresh.addInitScript(watchFor, selector));
  const said = page.waitForEvent("console", (message) => message.text().startsWith("{"));
  await page.goto(server.url + path);
  return { page, video: JSON.parse((await said).text()) };
}

/** In the page: writes what the video does to the console when the selector is first found, shadow roots included. */
function watchFor(selector: string): void {
  const find = (root: ParentNode, wanted: string): Element | null => {
    const inside = [...root.querySelectorAll("*")].flatMap((one) => (one.shadowRoot ? [one.shadowRoot] : []));
    return (
      root.querySelector(wanted) ??
      inside.reduce<Element | null>((found, one) => found ?? find(one, wanted), null)
    );
  };
  const timer = setInterval(() => {
    const video = find(document, "video");
    if (find(document, selector) === null || !(video instanceof HTMLVideoElement)) return;
    clearInterval(timer);
    console.info(JSON.stringify({ paused: video.paused, muted: video.muted }));
  }, 50);
}

const shown = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

beforeAll(async () => {
  server = await AudienceServer.open();
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("Chromium is missing: run `npm test`, which installs it.");
  browser = await chromium.launch({
    executablePath,
    args: ["--headless=new", "--no-sandbox", "--disable-gpu"],
  });
});

afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
  expect(problems.splice(0)).toEqual([]);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

describe("/watch", () => {
  it("waits without a player, starts by itself, seeks back and comes live again, ends and begins anew", async () => {
    const loaded: string[] = [];
    const page = await open("/watch/stage");
    page.on("request", (request) => loaded.push(request.url()));
    await shown(page, "Not streaming right now");
    expect(loaded.filter((url) => url.includes("hls-source"))).toEqual([]);

    await server.goLive("stage", true);
    await plays(page, "video");
    expect(loaded.filter((url) => url.includes("hls-source"))).toHaveLength(1);
    expect(await media(page, "video")).toMatchObject({ paused: false, width: 640 });
    expect(await page.locator(".mark-live").textContent()).toBe("LIVE");
    expect(await page.locator('[data-figure="quality"]').textContent()).toMatch(/^640.×.360/);
    const latencyS = async () =>
      Number.parseFloat((await page.locator('[data-figure="latency"]').textContent()) ?? "");
    // Segments of a second without parts, of which three are held back. That it is small is for a bench to say.
    expect(await latencyS()).toBeGreaterThan(0.5);
    expect(await latencyS()).toBeLessThan(60);

    // Whoever comes now, and has touched nothing, sees it without sound.
    const fresh = await untouched("/watch/stage", ".tap");
    expect(fresh.video).toEqual({ paused: false, muted: true });
    await fresh.page.getByRole("button", { name: "Tap for sound" }).click();
    await expect.poll(async () => (await media(fresh.page, "video")).muted).toBe(false);
    expect(await fresh.page.getByRole("button", { name: "Tap for sound" }).count()).toBe(0);

    await expect.poll(async () => (await media(page, "video")).atS, { timeout: 15_000 }).toBeGreaterThan(8);
    const before = await latencyS();
    await page.locator("main").click({ position: { x: 2, y: 2 } });
    await page.keyboard.press("ArrowLeft");
    const goLive = page.getByRole("button", { name: "Go live" });
    await goLive.waitFor();
    await expect.poll(latencyS).toBeGreaterThan(before + 3);
    // As a person's: the pointer's way brings the controls.
    await page.mouse.move(500, 300);
    const { atS } = await media(page, "video");
    await goLive.click();
    await expect.poll(async () => (await media(page, "video")).atS).toBeGreaterThan(atS + 2);
    await goLive.waitFor({ state: "detached" });

    await server.endLive("stage");
    await shown(page, "The stream has ended");
    await page.getByRole("button", { name: "Watch from the start" }).click();
    await plays(page, "video");
    expect(await page.getByLabel("Position").getAttribute("aria-valuetext")).toMatch(
      /^\d+ seconds? of \d+ seconds$/,
    );
  });

  it("a stream that was over before does not begin by itself", async () => {
    const page = await open("/watch/stage");
    await shown(page, "The stream has ended");
    expect(await media(page, "video")).toMatchObject({ atS: 0, paused: true });
  });

  it("shows something calm where there is sound only, and says when the server is gone and comes back", async () => {
    server.mediaStatus = 500;
    await server.goLive("radio", false);
    const page = await open("/watch/radio");
    await shown(page, "The stream cannot be reached");
    server.mediaStatus = 200;
    await plays(page, "video");
    await page.locator(".calm", { hasText: "radio" }).waitFor();
    expect(await page.locator('[data-figure="quality"]').textContent()).toMatch(/^Sound.only/);
    await server.endLive("radio");
  });

  it("asks for a room where the address names none", async () => {
    const page = await open("/watch");
    await page.getByLabel("Room").fill("Tea time");
    await page.getByRole("button", { name: "Watch" }).click();
    await page.waitForURL("**/watch/Tea-time");
    await shown(page, "Not streaming right now");
  });
});

describe("/listen", () => {
  it("notices that something is on the air, plays, comes back after a loss, and stops", async () => {
    const page = await open("/listen/stage");
    await shown(page, "OFF AIR");
    server.startRadio("stage");
    await page.getByRole("button", { name: "Play" }).click();
    await plays(page, "audio");
    await shown(page, "You are listening live.");
    await server.endRadio("stage");
    await shown(page, /Coming back by itself|Not on the air/);
    server.startRadio("stage");
    await shown(page, "You are listening live.");
    await plays(page, "audio");
    await shown(page, "Nobody is speaking");
    server.speaking = ["Ada", "Bob"];
    await shown(page, "Ada and Bob are speaking");
    await shown(page, "12 people listen");
    await page.getByLabel("Volume").fill("0.5");
    expect(await page.locator("audio").evaluate((audio: HTMLAudioElement) => audio.volume)).toBe(0.5);
    await page.getByRole("button", { name: "Stop" }).click();
    await shown(page, "On the air. Press play to listen.");
    expect(await page.locator("audio").getAttribute("src")).toBeNull();
    expect(await page.getByText("are speaking").count()).toBe(0);
    await server.endRadio("stage");
  });

  it("asks who is speaking only while somebody looks", async () => {
    server.startRadio("stage");
    const page = await open("/listen/stage");
    await page.getByRole("button", { name: "Play" }).click();
    await shown(page, "12 people listen");
    const look = (hidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, "hidden", { value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await look(true);
    const asked = server.heardAsked;
    // Longer than between two questions.
    await page.waitForTimeout(4_000);
    expect(server.heardAsked).toBe(asked);
    await look(false);
    await expect.poll(() => server.heardAsked).toBeGreaterThan(asked);
    await server.endRadio("stage");
  });
});

describe("/history", () => {
  const recording = (id: string, more: Partial<RecordingInfo>): RecordingInfo => ({
    id,
    room: "stage",
    state: "complete",
    startedAt: "2026-11-27T13:05:00Z",
    endedAt: "2026-11-27T13:05:08Z",
    durationMs: 8_000,
    bytes: 1_400_000,
    participants: [{ identity: "ada", name: "Ada" }],
    hasPicture: true,
    playlistPath: "/recordings/rec-00000001/index.m3u8",
    downloadPath: "/recordings/rec-00000001/whole.mp4",
    posterPath: "/recordings/rec-00000001/poster.jpg",
    files: [],
    ...more,
  });

  beforeAll(() => server.addRecording("rec-00000001", 8));

  it("says when there is nothing, lists what there is, by room, and deletes after asking", async () => {
    const empty = await open("/history");
    await shown(empty, "Nothing has been recorded yet.");
    server.jobs.recordings = [
      recording("rec-00000001", {}),
      recording("rec-00000002", {
        room: "board",
        state: "interrupted",
        startedAt: "2026-11-28T09:00:00Z",
        durationMs: 3_723_000,
      }),
    ];
    const page = await open("/history");
    await page.locator(".card").nth(1).waitFor();
    expect(await page.locator(".card .name").allTextContents()).toEqual(["board", "stage"]);
    expect(await page.locator(".card").first().textContent()).toMatch(/Interrupted.*1:02:03/s);
    await expect
      .poll(() =>
        page
          .locator("img")
          .last()
          .evaluate((image: HTMLImageElement) => image.naturalWidth),
      )
      .toBe(640);
    expect(await page.getByRole("link", { name: /^Download stage/ }).getAttribute("href")).toBe(
      `${server.url}/recordings/rec-00000001/whole.mp4`,
    );

    await page.getByRole("searchbox", { name: "Room" }).fill("board");
    await page.getByRole("button", { name: "Show" }).click();
    await shown(page, "Recordings of board");
    await expect.poll(() => page.locator(".card .name").allTextContents()).toEqual(["board"]);

    await page.getByRole("button", { name: /^Delete board/ }).click();
    await page.getByRole("button", { name: "Keep" }).click();
    expect(server.jobs.recordings).toHaveLength(2);
    await page.getByRole("button", { name: /^Delete board/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await shown(page, "Nothing of board has been recorded yet.");
    expect(server.jobs.recordings.map(({ id }) => id)).toEqual(["rec-00000001"]);
    await page.goBack();
    await expect.poll(() => page.locator(".card .name").allTextContents()).toEqual(["stage"]);
  });

  it("lists older ones when asked, keeps what is being recorded, and says when a part is missing", async () => {
    server.jobs.pageLength = 2;
    server.jobs.unreachable = ["bridge-2"];
    server.jobs.recordings = [1, 2, 3].map((day) =>
      recording(`rec-0000000${day}`, { room: `day-${day}`, startedAt: `2026-11-0${day}T10:00:00Z` }),
    );
    server.jobs.recordings.push(recording("rec-00000009", { room: "now", state: "recording" }));
    const page = await open("/history");
    await shown(page, "some recordings are missing here");
    expect(await page.locator(".card .name").allTextContents()).toEqual(["now", "day-3"]);
    expect(await page.getByRole("button", { name: /^Delete now/ }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Show older ones" }).click();
    await expect
      .poll(() => page.locator(".card .name").allTextContents())
      .toEqual(["now", "day-3", "day-2", "day-1"]);
    expect(await page.getByRole("button", { name: "Show older ones" }).count()).toBe(0);
    server.jobs.pageLength = 100;
    server.jobs.unreachable = [];
  });

  it("plays a recording and seeks in it", async () => {
    server.jobs.recordings = [recording("rec-00000001", {})];
    const page = await open("/history");
    await page.getByRole("link", { name: /^Play stage/ }).click();
    await page.waitForURL("**/history/rec-00000001");
    // The click on the list counts: no need to press play, and no need to turn the sound on.
    await plays(page, "video");
    expect(await media(page, "video")).toMatchObject({ muted: false, width: 640 });
    await page.getByLabel("Position").fill("6");
    await expect.poll(async () => (await media(page, "video")).atS).toBeGreaterThan(5.9);
    await page.getByRole("button", { name: "Play again" }).waitFor();
  });

  it("offers the files of single people, each with when it begins", async () => {
    const file = (n: number, startMs: number) => ({
      file: `${n}.mp4`,
      identity: "ada",
      name: "Ada",
      startMs,
      durationMs: 3_000,
      bytes: 700_000,
      hasPicture: true,
      downloadPath: `/recordings/rec-00000001/participants/${n}.mp4`,
    });
    server.jobs.recordings = [recording("rec-00000001", { files: [file(1, 0), file(2, 65_000)] })];
    const page = await open("/history");
    await page.getByRole("link", { name: /^Files of single people in stage/ }).click();
    await page.waitForURL("**/history/rec-00000001");
    const links = page.getByRole("link", { name: /^Download what Ada said and showed/ });
    await expect
      .poll(() =>
        links.allTextContents().then((texts) => texts.map((text) => text.trim().replace(/\s+/g, " "))),
      )
      .toEqual(["0:00 700 kB", "1:05 700 kB"]);
    expect(await links.last().getAttribute("href")).toBe(
      `${server.url}/recordings/rec-00000001/participants/2.mp4`,
    );
    server.jobs.recordings = [recording("rec-00000001", {})];
  });

  it("a recording's own address waits for a click; one that is gone is said to be", async () => {
    const { page, video } = await untouched("/history/rec-00000001", ".begin");
    expect(video).toEqual({ paused: true, muted: false });
    await page.getByRole("button", { name: "Play" }).first().click();
    await plays(page, "video");
    await shown(await open("/history/rec-0000none"), "There is no such recording");
  });

  it("asks for a key where the gateway does, and keeps it in this tab only", async () => {
    server.jobs.recordingsKey = "ops:a-secret";
    const page = await open("/history");
    const field = page.getByLabel("API key or join token");
    await field.fill("ops:wrong");
    await page.getByRole("button", { name: "Show recordings" }).click();
    await shown(page, "The API key is not right: copy it again.");
    await field.fill(" Bearer ops:a-secret ");
    await page.getByRole("button", { name: "Show recordings" }).click();
    await page.locator(".card").first().waitFor();
    await page.reload();
    await page.locator(".card").first().waitFor();
    const kept = await page.evaluate(() => ({
      local: Object.values(localStorage),
      tab: Object.values(sessionStorage),
      cookie: document.cookie,
    }));
    expect(kept).toEqual({ local: [], tab: ["ops:a-secret"], cookie: "" });
    server.jobs.recordingsKey = "";
  });
});
