/** The call that Tributary is measured against: Chromium's own WebRTC between two pages of one browser. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Figures } from "../report.ts";
import { openContext, type PageSettings, watchErrors } from "./browser.ts";
import type { CallSystem, Viewer } from "./call-system.ts";

/** Never reached: the page is made up here, so that it is a secure context without a server. */
const PAGE_URL = "http://localhost:9/webrtc-call";

/** From a loaded page to the call. */
const SETTLE_MS = 1_000;

interface InboundReport {
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
  concealedSamples?: number;
  totalSamplesReceived?: number;
  bytesReceived?: number;
  framesPerSecond?: number;
}

/** Opens the publishing page and readies a window for viewers. */
export async function openWebRtcCall(
  browser: Browser,
  settings: PageSettings,
  say: (sentence: string) => void,
): Promise<CallSystem> {
  const publishing = await openContext(browser, settings, ["source", "webrtc"]);
  const watching = await openContext(browser, settings, ["probe", "webrtc"]);
  for (const context of [publishing, watching]) await servePage(context);
  const source = await publishing.newPage();
  watchErrors(source, "WebRTC publisher", say);
  let viewing: Page | undefined;
  await source.exposeFunction("benchSignal", (message: unknown) => viewing && deliver(viewing, message));
  await source.goto(PAGE_URL);
  await source.evaluate("benchCall.publish()");
  let calls = 0;
  return {
    source,
    async join(): Promise<Viewer> {
      const call = ++calls;
      const page = await watching.newPage();
      watchErrors(page, "WebRTC viewer", say);
      viewing = page;
      await page.exposeFunction("benchSignal", (message: unknown) => deliver(source, message));
      await page.goto(PAGE_URL);
      await page.evaluate("benchCall.prepare()");
      await page.waitForTimeout(SETTLE_MS);
      const joinedAtMs = Number(await page.evaluate(`benchCall.join(${call})`));
      return {
        page,
        joinedAtMs,
        ownFigures: () => ownFigures(page),
        async leave() {
          await page.close();
          await source.evaluate(`benchCall.hangUp(${call})`);
        },
      };
    },
    async close() {
      await publishing.close();
      await watching.close();
    },
  };
}

async function servePage(context: BrowserContext): Promise<void> {
  const body = "<!doctype html><meta charset=utf-8><title>WebRTC</title><body></body>";
  await context.route(PAGE_URL, (route) => route.fulfill({ contentType: "text/html", body }));
}

async function deliver(page: Page, message: unknown): Promise<void> {
  if (!page.isClosed()) await page.evaluate(`benchCall.receive(${JSON.stringify(message)})`);
}

/** Chromium's own account, to hold the outside measurement against. */
async function ownFigures(page: Page): Promise<Figures> {
  const { audio, video } = (await page.evaluate("benchCall.stats()")) as {
    audio?: InboundReport;
    video?: InboundReport;
  };
  const meanMs = (report: InboundReport | undefined) =>
    report?.jitterBufferEmittedCount
      ? ((report.jitterBufferDelay ?? 0) * 1000) / report.jitterBufferEmittedCount
      : null;
  return {
    statsAudioPlayoutDelayMs: meanMs(audio),
    statsVideoPlayoutDelayMs: meanMs(video),
    statsConcealedShare: audio?.totalSamplesReceived
      ? (audio.concealedSamples ?? 0) / audio.totalSamplesReceived
      : null,
    statsVideoBytes: video?.bytesReceived ?? null,
  };
}
