/** The call that Tributary is measured against: Chromium's own WebRTC between two pages of one browser. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Figures } from "../report.ts";
import { openContext, type PageSettings, watchErrors } from "./browser.ts";
import type { Account, CallSystem, Viewer } from "./call-system.ts";
import { candidateAddress, withAddress, withoutCandidates } from "./ice-candidates.ts";

/** Never reached: the page is made up here, so that it is a secure context without a server. */
const PAGE_URL = "http://localhost:9/webrtc-call";

/** From a loaded page to the call. */
const SETTLE_MS = 1_000;

/** Opus is counted at 48 kHz. */
const SAMPLES_PER_MS = 48;

interface InboundReport {
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
  concealedSamples?: number;
  totalSamplesReceived?: number;
  bytesReceived?: number;
  framesPerSecond?: number;
  frameWidth?: number;
}

interface CallReports {
  audio?: InboundReport;
  video?: InboundReport;
  transport?: { bytesReceived?: number };
}

/** Opens a road to a UDP address of this machine; resolves to the port on 127.0.0.1 where it begins. */
export type OpenRoad = (targetPort: number, targetAddress: string) => Promise<number>;

/**
 * Opens the publishing page and readies a window for viewers.
 * @param openRoad puts a road between the two pages: the viewer is told its beginning as the publisher's only address,
 *   the publisher is told none and learns the viewer's from what comes through (peer-reflexive)
 */
export async function openWebRtcCall(
  browser: Browser,
  settings: PageSettings,
  say: (sentence: string) => void,
  openRoad?: OpenRoad,
): Promise<CallSystem> {
  const publishing = await openContext(browser, settings, ["source", "webrtc"]);
  const watching = await openContext(browser, settings, ["probe", "webrtc"]);
  for (const context of [publishing, watching]) await servePage(context);
  const source = await publishing.newPage();
  watchErrors(source, "WebRTC publisher", say);
  let viewing: Page | undefined;
  let toViewer = openRoad === undefined ? asTheyAre : roadSignals(openRoad);
  await source.exposeFunction("benchSignal", async (message: Signal) => {
    const told = await toViewer(message);
    if (told !== undefined && viewing !== undefined) await deliver(viewing, told);
  });
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
      if (openRoad !== undefined) toViewer = roadSignals(openRoad);
      await page.exposeFunction("benchSignal", async (message: Signal) => {
        if (openRoad === undefined) await deliver(source, message);
        else if (message.offer !== undefined)
          await deliver(source, { ...message, offer: withoutCandidates(message.offer) });
      });
      await page.goto(PAGE_URL);
      await page.evaluate("benchCall.prepare()");
      await page.waitForTimeout(SETTLE_MS);
      const joinedAtMs = Number(await page.evaluate(`benchCall.join(${call})`));
      return {
        page,
        joinedAtMs,
        ownFigures: () => ownFigures(page),
        account: openAccount(page),
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

/** What the two pages tell each other. */
interface Signal {
  call: number;
  offer?: Description;
  answer?: Description;
  candidate?: { candidate: string };
}

interface Description {
  type: string;
  sdp: string;
}

type Translate = (message: Signal) => Promise<Signal | undefined>;

const asTheyAre: Translate = async (message) => message;

/** Of the publisher's addresses the first becomes the road's; the others are not told. One for each call. */
function roadSignals(openRoad: OpenRoad): Translate {
  let opened = false;
  return async (message) => {
    if (message.answer !== undefined) return { ...message, answer: withoutCandidates(message.answer) };
    if (message.candidate === undefined) return message;
    const address = candidateAddress(message.candidate.candidate);
    if (address === undefined || opened) return undefined;
    opened = true;
    const port = await openRoad(address.port, address.host);
    const candidate = withAddress(message.candidate.candidate, "127.0.0.1", port);
    return { ...message, candidate: { ...message.candidate, candidate } };
  };
}

async function servePage(context: BrowserContext): Promise<void> {
  const body = "<!doctype html><meta charset=utf-8><title>WebRTC</title><body></body>";
  await context.route(PAGE_URL, (route) => route.fulfill({ contentType: "text/html", body }));
}

async function deliver(page: Page, message: unknown): Promise<void> {
  if (!page.isClosed()) await page.evaluate(`benchCall.receive(${JSON.stringify(message)})`);
}

/** Looks at the browser's own account; jitter buffer delays are means since the look before. */
function openAccount(page: Page): () => Promise<Account> {
  const last = new Map<string, InboundReport>();
  const bufferMs = (kind: string, report: InboundReport | undefined): number | null => {
    const before = last.get(kind);
    if (report !== undefined) last.set(kind, report);
    const count = (report?.jitterBufferEmittedCount ?? 0) - (before?.jitterBufferEmittedCount ?? 0);
    const delayS = (report?.jitterBufferDelay ?? 0) - (before?.jitterBufferDelay ?? 0);
    return before === undefined || count <= 0 ? null : (delayS * 1_000) / count;
  };
  return async () => {
    const { audio, video, transport } = (await page.evaluate("benchCall.stats()")) as CallReports;
    return {
      atMs: Date.now(),
      receivedBytes: transport?.bytesReceived ?? 0,
      concealedMs: (audio?.concealedSamples ?? 0) / SAMPLES_PER_MS,
      playedMs: (audio?.totalSamplesReceived ?? 0) / SAMPLES_PER_MS,
      audioBufferMs: bufferMs("audio", audio),
      videoBufferMs: bufferMs("video", video),
      pictureWidth: video?.frameWidth ?? null,
    };
  };
}

/** Chromium's own account, to hold the outside measurement against. */
async function ownFigures(page: Page): Promise<Figures> {
  const { audio, video } = (await page.evaluate("benchCall.stats()")) as CallReports;
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
