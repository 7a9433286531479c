/** A camera is unplugged and plugged in again, forbidden, and turned off by the system, in the middle of a call. */
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findChromium } from "../chromium.mjs";
import { RoomPage, untilGood } from "./room-page.ts";
import { type RunningTributary, startTributary } from "./tributary.ts";

const ROOM = "device-changes";

let tributary: RunningTributary;
let browser: Browser;
let ann: RoomPage;
let bob: RoomPage;

beforeAll(async () => {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("Chromium is missing: run `npm test`, which installs it.");
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--use-fake-device-for-media-stream=fps=30,device-count=3",
    "--autoplay-policy=no-user-gesture-required",
  ];
  [tributary, browser] = await Promise.all([startTributary(), chromium.launch({ executablePath, args })]);
  ann = await join("ann");
  bob = await join("bob");
  await bob.page.waitForFunction(
    () => (window.tributary.room?.participants.get("ann")?.tracks.size ?? 0) >= 2,
  );
});

afterAll(async () => {
  await browser?.close();
  await tributary?.stop();
});

async function join(identity: string): Promise<RoomPage> {
  const context = await browser.newContext();
  await context.grantPermissions(["camera", "microphone"], { origin: tributary.url });
  const token = await tributary.mint(ROOM, identity);
  return await RoomPage.join(await context.newPage(), tributary.url, ROOM, token);
}

const notices = (page: Page) =>
  page.evaluate(() => {
    const all: string[] = [];
    const walk = (root: ParentNode): void => {
      for (const element of root.querySelectorAll("*")) {
        if (element.shadowRoot !== null) walk(element.shadowRoot);
        if (element.getAttribute("role") === "log") all.push(element.textContent ?? "");
      }
    };
    walk(document);
    return all.join(" ");
  });

async function camera() {
  await ann.page.waitForTimeout(150);
  return await ann.page.evaluate(() => {
    const track = window.tributary.room?.localTracks.get("camera");
    const { deviceId = "" } = track?.mediaStreamTrack.getSettings() ?? {};
    return { trackId: track?.trackId, deviceId };
  });
}

/** Takes a camera out of what the browser lists and gives, or puts it back; no fake device can be unplugged. */
async function setUnplugged(deviceId: string, isUnplugged: boolean): Promise<void> {
  await ann.page.evaluate(
    ({ id, gone }) => {
      const { mediaDevices } = navigator;
      const plain = Object.getPrototypeOf(mediaDevices) as MediaDevices;
      mediaDevices.enumerateDevices = async () =>
        (await plain.enumerateDevices.call(mediaDevices)).filter((one) => !gone || one.deviceId !== id);
      mediaDevices.getUserMedia = async (wish) => {
        const video = typeof wish?.video === "object" ? wish.video : undefined;
        if (gone && video !== undefined && video.deviceId === undefined) {
          const others = (await mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
          // The second one of the fakes is a depth camera, which nobody can encode.
          video.deviceId = { exact: others.at(-1)?.deviceId ?? "" };
        }
        return await plain.getUserMedia.call(mediaDevices, wish);
      };
      if (gone) window.tributary.room?.localTracks.get("camera")?.mediaStreamTrack.stop();
      mediaDevices.dispatchEvent(new Event("devicechange"));
    },
    { id: deviceId, gone: isUnplugged },
  );
}

async function expectPictures(): Promise<void> {
  const rate = await untilGood(
    () => bob.renderedRate("ann", 1_000),
    (frames) => frames > 3,
  );
  expect(rate).toBeGreaterThan(3);
}

it("an unplugged camera is replaced in the same track, and taken again when it is back", async () => {
  const first = await camera();
  await setUnplugged(first.deviceId, true);
  const second = await untilGood(camera, ({ deviceId }) => deviceId !== first.deviceId && deviceId !== "");
  expect(second.deviceId).not.toBe(first.deviceId);
  expect(second.trackId).toBe(first.trackId);
  await expectPictures();
  expect(await notices(ann.page)).toContain("The camera went away");
  await setUnplugged(first.deviceId, false);
  const third = await untilGood(camera, ({ deviceId }) => deviceId === first.deviceId);
  expect(third).toMatchObject({ deviceId: first.deviceId, trackId: first.trackId });
  await expectPictures();
  expect(await notices(ann.page)).toContain("The camera is back");
});

it("what the system turns off is told, and shown as off", async () => {
  const setMuted = (muted: boolean) =>
    ann.page.evaluate((is) => {
      const media = window.tributary.room?.localTracks.get("camera")?.mediaStreamTrack;
      if (media === undefined) return;
      Object.defineProperty(media, "muted", { value: is, configurable: true });
      media.dispatchEvent(new Event(is ? "mute" : "unmute"));
    }, muted);
  await setMuted(true);
  await ann.page.waitForFunction(() => window.tributary.room?.localTracks.get("camera")?.silenced === true);
  expect(await notices(ann.page)).toContain("has turned your camera off");
  await setMuted(false);
  await ann.page.waitForFunction(() => window.tributary.room?.localTracks.get("camera")?.silenced === false);
});

it("a permission that is taken back ends the track, and says what to do", async () => {
  const session = await browser.newBrowserCDPSession();
  const { targetInfo } = await (await ann.page.context().newCDPSession(ann.page)).send(
    "Target.getTargetInfo",
  );
  await session.send("Browser.setPermission", {
    permission: { name: "camera" },
    setting: "denied",
    origin: tributary.url,
    ...(targetInfo.browserContextId === undefined ? {} : { browserContextId: targetInfo.browserContextId }),
  });
  await ann.page.waitForFunction(() => window.tributary.room?.localTracks.has("camera") === false);
  const told = await untilGood(
    () => notices(ann.page),
    (text) => text.includes("not allowed any more"),
  );
  expect(told).toContain("The camera is not allowed any more");
  await bob.page.waitForFunction(() => window.tributary.room?.participants.get("ann")?.tracks.size === 1);
});
