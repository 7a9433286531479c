/** A real Chromium whose camera and microphone play the test clip, and what can be read from a page in it. */
import { type Browser, chromium, type Page } from "playwright-core";
import { findChromium } from "../chromium.mjs";
import { installTap, runFirstInWorkers } from "./page-probe.ts";
import type { TestClip } from "./test-clip.ts";

const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Pages of a call all count as seen, though only one can be in front.
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
];

/** Where WebTransport takes its time on a busy machine, TCP is tried too, and the relay's own certificate is not trusted there. */
const NOT_TRUSTED_OVER_TCP = /^WebSocket connection to 'wss:.*ERR_CERT_/;

export interface TestBrowser {
  /** A page with a profile of its own. Its console errors end up in `problems`. `prelude`: a script that page and workers run first. */
  newPage(prelude?: string): Promise<Page>;
  readonly problems: string[];
  close(): Promise<void>;
}

/**
 * Throws when there is no Chromium; `npm test` installs one beforehand.
 * @param trustsAnyCertificate also the relay's own, for sessions over TCP: browsers take its hash for WebTransport only
 */
export async function openBrowser(
  clip: TestClip,
  { trustsAnyCertificate = false } = {},
): Promise<TestBrowser> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("Chromium is missing: run `npm test`, which installs it.");
  const browser: Browser = await chromium.launch({
    executablePath,
    args: [
      ...FLAGS,
      ...(trustsAnyCertificate ? ["--ignore-certificate-errors"] : []),
      "--use-fake-device-for-media-stream=fps=30",
      `--use-file-for-fake-video-capture=${clip.videoPath}`,
      `--use-file-for-fake-audio-capture=${clip.audioPath}`,
    ],
  });
  const problems: string[] = [];
  return {
    problems,
    async newPage(prelude) {
      const context = await browser.newContext({ viewport: { width: 1000, height: 700 } });
      const page = await context.newPage();
      page.on("console", (message) => {
        const text = message.text();
        if (message.type() === "error" && !NOT_TRUSTED_OVER_TCP.test(text)) problems.push(text);
      });
      page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
      await page.addInitScript(installTap);
      if (prelude !== undefined) {
        await page.addInitScript(prelude);
        await page.addInitScript(runFirstInWorkers, prelude);
      }
      return page;
    },
    close: () => browser.close(),
  };
}
