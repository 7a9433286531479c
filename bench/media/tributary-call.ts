/** The product as a person meets it: `npm start`, and room pages of the web app in two windows. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { RoomStats, TrackStats } from "../../client/sdk/api.ts";
import { startTributary } from "../../test/e2e/tributary.ts";
import type { Figures } from "../report.ts";
import { openContext, type PageSettings, watchErrors } from "./browser.ts";
import type { Account, CallSystem, Viewer } from "./call-system.ts";

const ROOM = "bench";
/** From a loaded page to the press of a button. */
const SETTLE_MS = 1_000;
const PUBLISH_TIMEOUT_MS = 30_000;

/**
 * Starts the servers and the publishing page. Rejects when it does not publish camera and microphone.
 * @param publisherRoad sends the publishing page to another UDP port than the gateway tells it
 */
export async function openTributaryCall(
  browser: Browser,
  settings: PageSettings,
  say: (sentence: string) => void,
  environment: Record<string, string> = {},
  publisherRoad?: { toldPort: number; usedPort: number },
): Promise<CallSystem> {
  const server = await startTributary({ env: environment });
  try {
    const publishing = await openContext(browser, settings, ["source"]);
    if (publisherRoad !== undefined) await leadElsewhere(publishing, publisherRoad);
    const watching = await openContext(browser, settings, ["probe"]);
    const source = await publishing.newPage();
    watchErrors(source, "Tributary publisher", say);
    await source.goto(`${server.url}/r/${ROOM}?name=Source&join=1`);
    await source.waitForFunction("globalThis.tributary?.room?.localTracks.size >= 2", undefined, {
      timeout: PUBLISH_TIMEOUT_MS,
    });
    return {
      source,
      join: async () => {
        const page = await watching.newPage();
        watchErrors(page, "Tributary viewer", say);
        return joinFromLobby(page, `${server.url}/r/${ROOM}?name=Viewer`);
      },
      async close() {
        try {
          await publishing.close();
          await watching.close();
        } finally {
          await server.stop();
        }
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function leadElsewhere(
  context: BrowserContext,
  { toldPort, usedPort }: { toldPort: number; usedPort: number },
): Promise<void> {
  await context.route(/\/v1\/rooms\/[^/]+\/join$/, async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replaceAll(`:${toldPort}`, `:${usedPort}`);
    await route.fulfill({ response, body });
  });
}

/**
 * A person in the lobby presses "Join": the page is loaded by then, as WebRTC's is. The web app calls joinRoom as soon
 * as it has its guest's token: that answer's end is where the join begins.
 */
async function joinFromLobby(page: Page, url: string): Promise<Viewer> {
  await page.goto(url, { waitUntil: "load" });
  const button = page.getByRole("button", { name: /join/i });
  await button.waitFor();
  await page.waitForTimeout(SETTLE_MS);
  const tokenAnswer = page.waitForResponse((response) => /\/v1\/rooms\/[^/]+\/guests$/.test(response.url()));
  await button.click();
  const response = await tokenAnswer;
  await response.finished();
  const { startTime, responseEnd } = response.request().timing();
  return {
    page,
    joinedAtMs: startTime + responseEnd,
    ownFigures: async () => ownFigures(await page.evaluate("globalThis.tributary.room.getStats()")),
    account: openAccount(page),
    async leave() {
      await page.evaluate("globalThis.tributary.room?.leave()");
      await page.close();
    },
  };
}

function inbound(stats: RoomStats, kind: TrackStats["kind"]): TrackStats | undefined {
  return stats.tracks.find((track) => track.kind === kind && track.direction === "inbound");
}

/** Looks at the SDK's own account; the sound's buffer is a mean since the look before. */
function openAccount(page: Page): () => Promise<Account> {
  let before: TrackStats | undefined;
  return async () => {
    const stats: RoomStats = await page.evaluate("globalThis.tributary.room.getStats()");
    const audio = inbound(stats, "audio");
    const video = inbound(stats, "video");
    const count = (audio?.jitterBufferEmittedCount ?? 0) - (before?.jitterBufferEmittedCount ?? 0);
    const delayMs = (audio?.jitterBufferDelayMs ?? 0) - (before?.jitterBufferDelayMs ?? 0);
    const isFirst = before === undefined;
    before = audio;
    return {
      atMs: Date.now(),
      receivedBytes: stats.connection.bytesReceived,
      concealedMs: audio?.concealedMs ?? 0,
      playedMs: audio?.totalPlayedMs ?? 0,
      audioBufferMs: isFirst || count <= 0 ? null : delayMs / count,
      videoBufferMs: video?.playoutDelayMs ?? null,
      pictureWidth: video?.frameWidth || null,
    };
  };
}

/** The SDK's own account, to hold the outside measurement against. */
function ownFigures(stats: RoomStats): Figures {
  const audio = inbound(stats, "audio");
  const video = inbound(stats, "video");
  return {
    statsAudioCaptureToRenderMs: audio?.captureToRenderMs ?? null,
    statsVideoCaptureToRenderMs: video?.captureToRenderMs ?? null,
    statsAudioPlayoutDelayMs: audio?.playoutDelayMs ?? null,
    statsVideoPlayoutDelayMs: video?.playoutDelayMs ?? null,
    statsAvOffsetMs: video?.avOffsetMs ?? null,
    statsConcealedShare: audio?.totalPlayedMs ? (audio.concealedMs ?? 0) / audio.totalPlayedMs : null,
    statsVideoBytes: video?.bytes ?? null,
    statsFramesDropped: video?.framesDropped ?? null,
    statsRttMs: stats.connection.rttMs ?? null,
    statsJoinMs: stats.connection.joinMs,
    statsFirstAudioMs: audio?.timeToFirstAudioMs ?? null,
    statsFirstFrameMs: video?.timeToFirstFrameMs ?? null,
  };
}
