/**
 * A real Firefox whose camera and microphone play the test clip. The microphone is a device of the tests' own sound server; the
 * camera is a canvas, since Firefox takes no file for one and knows no other.
 */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { findFirefox } from "../firefox.mjs";
import type { DrivenPage } from "./driven-page.ts";
import { installTap } from "./page-probe.ts";
import { startSoundServer } from "./sound-server.ts";
import { CLIP_FRAME_RATE, CLIP_HEIGHT, CLIP_WIDTH, type TestClip } from "./test-clip.ts";

const PREFERENCES = {
  // Of two devices that it asks for, the camera is never used: installCamera.
  "media.navigator.permission.disabled": true,
  "media.autoplay.default": 0,
  "media.autoplay.blocking_policy": 0,
};
/** Without a graphics processor Firefox has enough to do with every other picture of the clip. */
const FRAMES_A_PICTURE = 2;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_POLLING_MS = 50;

export interface TestFirefox {
  /** A page with a profile of its own. Its console errors end up in `problems`. */
  newPage(): Promise<DrivenPage>;
  readonly problems: string[];
  close(): Promise<void>;
}

/** Throws when there is no Firefox; `npm test` installs one beforehand. */
export async function openFirefox(clip: TestClip): Promise<TestFirefox> {
  const executablePath = findFirefox();
  if (executablePath === undefined) throw new Error("Firefox is missing: run `npm test`, which installs it.");
  const [sound, files] = await Promise.all([startSoundServer(clip), serveClip(clip)]);
  const closeAll = async (browser?: Browser): Promise<void> => {
    await browser?.close();
    files.close();
    await sound.close();
  };
  let browser: Browser;
  try {
    browser = await puppeteer.launch({
      browser: "firefox",
      executablePath,
      headless: true,
      extraPrefsFirefox: PREFERENCES,
      env: { ...process.env, ...sound.env },
      protocolTimeout: DEFAULT_TIMEOUT_MS,
    });
  } catch (error) {
    await closeAll();
    throw error;
  }
  const clipUrl = `http://127.0.0.1:${(files.address() as AddressInfo).port}/`;
  const problems: string[] = [];
  return {
    problems,
    async newPage() {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      await page.setViewport({ width: 640, height: 480 });
      page.on("console", (message) => {
        if (message.type() === "error") problems.push(message.text());
      });
      page.on("pageerror", (error) => {
        problems.push(error instanceof Error ? String(error.stack ?? error) : String(error));
      });
      await page.evaluateOnNewDocument(installTap);
      const camera: CameraArgs = {
        clipUrl,
        width: CLIP_WIDTH,
        height: CLIP_HEIGHT,
        frameRate: CLIP_FRAME_RATE / FRAMES_A_PICTURE,
        framesAPicture: FRAMES_A_PICTURE,
      };
      await page.evaluateOnNewDocument(installCamera, camera);
      return new FirefoxPage(page);
    },
    close: () => closeAll(browser),
  };
}

async function serveClip(clip: TestClip): Promise<Server> {
  const bytes = await readFile(clip.videoPath);
  const headers = { "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin" };
  const server = createServer((_request, response) => response.writeHead(200, headers).end(bytes));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

interface CameraArgs {
  clipUrl: string;
  width: number;
  height: number;
  /** Pictures a second, and how many of the clip's frames each of them goes on. */
  frameRate: number;
  framesAPicture: number;
}

/** Runs in the page, before its own scripts: the camera is the clip on a canvas. */
function installCamera(args: CameraArgs): void {
  const { clipUrl, width, height, frameRate, framesAPicture } = args;
  const mark = "FRAME\n".length;
  const frameBytes = mark + (width * height * 3) / 2;
  const colour = {
    matrix: "smpte170m",
    primaries: "smpte170m",
    transfer: "smpte170m",
    fullRange: false,
  } as const;
  const form = {
    format: "I420",
    codedWidth: width,
    codedHeight: height,
    timestamp: 0,
    colorSpace: colour,
  } as const;
  let clip: Promise<Uint8Array<ArrayBuffer>> | undefined;

  async function load(): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(await (await fetch(clipUrl)).arrayBuffer());
    return bytes.subarray(bytes.indexOf(10) + 1);
  }

  async function openCamera(): Promise<MediaStreamTrack> {
    clip ??= load();
    const bytes = await clip;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d", { alpha: false });
    const startMs = performance.now();
    const draw = (): void => {
      // By the clock: a page that was held up leaves pictures out instead of catching up.
      const next = Math.round(((performance.now() - startMs) * frameRate) / 1000);
      const at = ((next * framesAPicture) % (bytes.length / frameBytes)) * frameBytes;
      const frame = new VideoFrame(bytes.subarray(at + mark, at + frameBytes), form);
      context?.drawImage(frame, 0, 0);
      frame.close();
      setTimeout(draw, Math.max(1, startMs + ((next + 1) * 1000) / frameRate - performance.now()));
    };
    draw();
    return canvas.captureStream(frameRate).getVideoTracks()[0] as MediaStreamTrack;
  }

  // Not on about:blank, which is no secure page.
  if (typeof MediaDevices === "undefined") return;
  const ask = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (this: MediaDevices, constraints = {}) {
    const { audio, video } = constraints;
    // All play the same tone: the microphone's would be cancelled as the echo of what the others are heard to play.
    const heard = { ...(audio as MediaTrackConstraints), echoCancellation: false };
    const stream = audio ? await ask.call(this, { audio: heard }) : new MediaStream();
    if (video) stream.addTrack(await openCamera());
    return stream;
  };
}

class FirefoxPage implements DrivenPage {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  goto(url: string): Promise<unknown> {
    return this.#page.goto(url);
  }

  async evaluate<Result, Arg>(script: (arg: Arg) => Result | Promise<Result>, arg?: Arg): Promise<Result> {
    return (await this.#page.evaluate(script as (arg: unknown) => unknown, arg)) as Result;
  }

  async waitForFunction<Arg>(
    condition: (arg: Arg) => unknown,
    arg: Arg,
    options: { timeout?: number; polling?: number } = {},
  ): Promise<void> {
    const { timeout = DEFAULT_TIMEOUT_MS, polling = DEFAULT_POLLING_MS } = options;
    const endMs = performance.now() + timeout;
    while (!(await this.evaluate(condition, arg))) {
      if (performance.now() > endMs) throw new Error(`not true within ${timeout} ms: ${condition}`);
      await wait(polling);
    }
  }

  waitForTimeout(ms: number): Promise<void> {
    return wait(ms, undefined);
  }

  async close(): Promise<void> {
    await this.#page.close();
  }
}
