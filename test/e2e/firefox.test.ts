/** Firefox and Chromium in one room: what the one publishes, the other sees and hears. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { checkCall } from "./call-checks.ts";
import type { DrivenPage } from "./driven-page.ts";
import { openFirefox, type TestFirefox } from "./firefox.ts";
import { RoomPage } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { type RunningTributary, startTributary } from "./tributary.ts";

const ROOM = "two-browsers";

let tributary: RunningTributary;
let chromium: TestBrowser;
let firefox: TestFirefox;
let ann: RoomPage;
let bob: RoomPage<DrivenPage>;

describe.skipIf(process.platform !== "linux")("Ann in Chromium and Bob in Firefox", () => {
  beforeAll(async () => {
    const clip = testClip();
    [tributary, chromium, firefox] = await Promise.all([
      startTributary(),
      openBrowser(clip),
      openFirefox(clip),
    ]);
    const token = (identity: string) => tributary.mint(ROOM, identity);
    ann = await RoomPage.join(await chromium.newPage(), tributary.url, ROOM, await token("ann"));
    bob = await RoomPage.join(await firefox.newPage(), tributary.url, ROOM, await token("bob"));
    await Promise.all([ann.seeCamera("bob"), bob.seeCamera("ann")]);
    await Promise.all([ann.firstPicture("bob"), bob.firstPicture("ann")]);
  });

  afterAll(async () => {
    await Promise.all([firefox?.close(), chromium?.close()]);
    await tributary?.stop();
  });

  checkCall(() => ({ ann, bob }));

  it("nothing went wrong in either page", () => {
    expect(chromium.problems).toEqual([]);
    expect(firefox.problems).toEqual([]);
  });
});
