/** hls.js in Chromium on a page of ours, and what it says of playing: delay read from the picture itself, stalls, errors. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";
import { findChromium } from "../chromium.mjs";

/** Bits of the picture number that coded pictures carry as black and white columns, lowest first. */
export const CODE_BITS = 16;
/** An ffmpeg source whose pictures show their own number, for testPictures. */
export const CODED_SOURCE = "nullsrc";
export const CODED_FILTER =
  "scale=16:9,format=gray,geq=lum='if(mod(floor(N/pow(2,X)),2),235,16)',scale=320:180:flags=neighbor,format=yuv420p";

const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

/** hls.js as a browser takes it. */
export function hlsScript(): string {
  return readFileSync(createRequire(import.meta.url).resolve("hls.js/dist/hls.min.js"), "utf8");
}

export function playerPage(): string {
  return `<!doctype html><meta charset="utf-8"><video muted playsinline width="320" height="180"></video>
<script src="/hls.js"></script><script>
const video = document.querySelector("video");
const state = { samples: [], stalls: 0, errors: [], sizes: [], waitingSince: 0 };
window.state = state;
const hls = new Hls({ lowLatencyMode: true, backBufferLength: 60, maxLiveSyncPlaybackRate: 1.1 });
window.hls = hls;
hls.on(Hls.Events.ERROR, (_, data) => {
  state.errors.push([data.details, data.fatal, String(data.error ?? data.reason ?? "")].join(" "));
  if (data.fatal && data.type === "mediaError") hls.recoverMediaError();
});
// Plays a browser that does not know a codec.
const without = new URLSearchParams(location.search).get("without");
const asks = MediaSource.isTypeSupported.bind(MediaSource);
MediaSource.isTypeSupported = (type) => asks(type) && (without === null || !type.toLowerCase().includes(without));
let playing = false;
video.addEventListener("playing", () => { playing = true; });
video.addEventListener("waiting", () => { if (playing) state.stalls += 1; });
video.addEventListener("resize", () => state.sizes.push(video.videoWidth + "x" + video.videoHeight));
const canvas = new OffscreenCanvas(320, 180);
const ink = canvas.getContext("2d", { willReadFrequently: true });
let shown = 0;
const look = (now, about) => {
  video.requestVideoFrameCallback(look);
  // Reading pixels costs more than decoding them.
  if (shown++ % 6 !== 0) return;
  ink.drawImage(video, 0, 0, 320, 180);
  const row = ink.getImageData(0, 90, 320, 1).data;
  let number = 0;
  for (let bit = 0; bit < ${CODE_BITS}; bit++) if (row[(bit * 20 + 10) * 4] > 128) number += 2 ** bit;
  const atMs = performance.timeOrigin + (about.expectedDisplayTime ?? now);
  state.samples.push({ atMs, number, latency: hls.latency, dateMs: hls.playingDate?.getTime() ?? 0, mediaTime: about.mediaTime });
};
video.requestVideoFrameCallback(look);
hls.loadSource(new URLSearchParams(location.search).get("src"));
hls.attachMedia(video);
video.play().catch((error) => state.errors.push(String(error)));
</script>`;
}

export interface PlayerState {
  /** One each shown picture. */
  samples: { atMs: number; number: number; latency: number; dateMs: number; mediaTime: number }[];
  stalls: number;
  errors: string[];
  sizes: string[];
}

export async function openPlayer(
  url: string,
): Promise<{ page: Page; state(): Promise<PlayerState>; close(): Promise<void> }> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("Chromium is missing: run `npm test`, which installs it.");
  const browser: Browser = await chromium.launch({ executablePath, args: FLAGS });
  const page = await browser.newPage();
  await page.goto(url);
  return {
    page,
    state: () => page.evaluate(() => (window as unknown as { state: PlayerState }).state),
    close: () => browser.close(),
  };
}
