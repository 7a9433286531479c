/**
 * `npm run picture`: takes docs/pictures/room.png, the README's picture, from the real app in a real call: four pages whose
 * cameras are drawn people.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { build } from "vite";
import { ROOT } from "../../start/dependencies.mjs";
import { findChromium } from "../chromium.mjs";
import { startTributary } from "./tributary.ts";

const PEOPLE = ["Ada", "Grace", "Alan", "Hedy"];
const SIZE = { width: 1280, height: 800 };
const SETTLE_MS = 5_000;

/** Script that makes `getUserMedia` give a drawn person; `__seed` says which. */
async function cameraScript(): Promise<string> {
  const entry = join(ROOT, "client/app/testing/fake-picture.ts");
  const result = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, lib: { entry, formats: ["iife"], name: "pictures" }, minify: false },
  });
  const [bundle] = Array.isArray(result) ? result : [result];
  if (bundle === undefined || !("output" in bundle))
    throw new Error("The drawn people could not be bundled.");
  return `${bundle.output[0].code}\nwindow.pictures = pictures;`;
}

function useDrawnCamera(seed: number): void {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    if (!constraints?.video) return real(constraints);
    const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
    const { pictures } = window as unknown as {
      pictures: { drawPerson(canvas: HTMLCanvasElement, seed: number, stopped: AbortSignal): void };
    };
    pictures.drawPerson(canvas, seed, new AbortController().signal);
    const stream = canvas.captureStream(15);
    if (constraints.audio)
      for (const track of (await real({ audio: constraints.audio })).getTracks()) stream.addTrack(track);
    return stream;
  };
}

const executablePath = findChromium();
if (executablePath === undefined) throw new Error("Chromium is missing: run `npm test`, which installs it.");
const tributary = await startTributary();
const browser = await chromium.launch({
  executablePath,
  args: [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-device-for-media-stream=fps=30",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
  ],
});
try {
  const script = await cameraScript();
  const pages: Page[] = [];
  for (const [seed, name] of PEOPLE.entries()) {
    const context = await browser.newContext({ viewport: SIZE, deviceScaleFactor: 1, colorScheme: "light" });
    const page = await context.newPage();
    await page.addInitScript(script);
    await page.addInitScript(useDrawnCamera, seed + 1);
    await page.goto(`${tributary.url}/r/riverside?name=${name}&join=1`);
    await page.waitForFunction(() => window.tributary?.room?.state === "connected");
    pages.push(page);
  }
  for (const [i, text] of ["Can everybody hear me?", "Loud and clear", "Shall we begin?"].entries()) {
    await pages[i + 1]!.evaluate((line) => window.tributary.room?.sendChat(line), text);
  }
  // The fake microphones all sound alike: one speaks, one listens with a closed microphone.
  for (const page of [pages[0]!, pages[3]!]) await page.keyboard.press("m");
  await pages[0]!.keyboard.press("c");
  await pages[0]!.waitForTimeout(SETTLE_MS);
  mkdirSync(join(ROOT, "docs/pictures"), { recursive: true });
  await pages[0]!.screenshot({ path: join(ROOT, "docs/pictures/room.png") });
} finally {
  await browser.close();
  await tributary.stop();
}
