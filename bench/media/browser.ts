/**
 * One Chromium for a benchmark of media: pages that publish a measurable clip (source-page.js) or measure what they
 * show and play (probe-page.js), and what all of it costs in processor time.
 */
import { readFileSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { findChromium } from "../../test/chromium.mjs";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-device-for-media-stream=fps=30",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
  "--allow-loopback-in-peer-connection",
];

/** Scripts that can be put into a page before its own. */
export type PageScript = "source" | "probe" | "webrtc";

export interface PageSettings {
  seed: number;
  /** 0 to 15, in every barcode. */
  sourceNumber: number;
  /** Upper bound that WebRTC's encoder is given. */
  maxBitrateBps: number;
}

/**
 * @param extraArguments Chromium switches of this benchmark's own
 * @throws Error that says what to install when there is no Chromium
 */
export async function openBrowser(extraArguments: string[] = []): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw new Error("This benchmark needs Chromium: install it, or name its binary in CHROMIUM_PATH.");
  }
  return chromium.launch({ executablePath, args: [...ARGUMENTS, ...extraArguments] });
}

/** A context whose pages carry the scripts, in order. A context is a window: none of them hides another. */
export async function openContext(
  browser: Browser,
  settings: PageSettings,
  scripts: readonly PageScript[],
): Promise<BrowserContext> {
  const context = await browser.newContext({
    viewport: { width: 800, height: 600 },
    bypassCSP: true,
    permissions: ["camera", "microphone"],
  });
  await context.addInitScript({ content: `globalThis.benchSettings = ${JSON.stringify(settings)};` });
  for (const script of scripts) {
    await context.addInitScript({
      content: readFileSync(new URL(`./${script}-page.js`, import.meta.url), "utf8"),
    });
  }
  return context;
}

/** Errors of a page, told once each on standard error: a benchmark that measures a broken page should say so. */
export function watchErrors(page: Page, name: string, say: (sentence: string) => void): void {
  const told = new Set<string>();
  const tell = (text: string) => {
    if (told.has(text) || told.size > 20) return;
    told.add(text);
    say(`  ${name}: ${text.slice(0, 300)}`);
  };
  page.on("pageerror", (error) => tell(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") tell(message.text());
  });
}

/** Processor seconds that the browser's processes have used until now, those that have ended left out. */
export async function browserCpuSeconds(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  try {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  } finally {
    await session.detach();
  }
}
