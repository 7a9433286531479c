/** The Session contract with Chromium as the near end, over WebTransport and over the WebSocket ponyfill, and with relays' sessions as the far one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sessionContract } from "../../../core/session/session.contract.ts";
import { denoExecutable, ROOT } from "../../../start/dependencies.mjs";
import { findChromium } from "../../chromium.mjs";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Chromium tells a page of a session's end over two channels, and when the wrong one is first (about one time in five)
 * `closed` rejects with "Connection lost." although the code has come: such a case has a few tries.
 */
const TRIES_AFTER_FAILURE = 7;

interface FarEnd {
  page: string;
  url: string;
  tcpUrl: string;
  hash: string;
}

const roads = [
  { name: "WebTransport to Deno", program: "far-end.deno.ts", over: "WebTransport" },
  { name: "WebSocket to Deno", program: "far-end.deno.ts", over: "WebSocket" },
  { name: "WebSocket to Node", program: "far-end.node.ts", over: "WebSocket" },
] as const;

const farEnds: ChildProcess[] = [];
let browser: Browser;
let script: string;

async function startFarEnd(program: string): Promise<FarEnd> {
  const [command, args] = program.endsWith(".deno.ts")
    ? [denoExecutable(), ["run", "-A", "--quiet", "--config", join(ROOT, "deno.json")]]
    : [process.execPath, [join(ROOT, "node_modules", "tsx", "dist", "cli.mjs")]];
  const farEnd = spawn(command, [...args, here(`./${program}`)], { stdio: ["pipe", "pipe", "inherit"] });
  farEnds.push(farEnd);
  const [line] = (await once(farEnd.stdout!, "data")) as [Buffer];
  return JSON.parse(line.toString());
}

async function pageScript(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      target: "es2024",
      lib: { entry: here("./contract-page.ts"), formats: ["iife"], name: "contractPage" },
    },
  });
  const [bundle] = Array.isArray(result) ? result : [];
  const [chunk] = bundle?.output ?? [];
  if (chunk === undefined) throw new Error("the contract's page could not be built");
  return chunk.code;
}

beforeAll(async () => {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("Chromium is missing: run `npm test`, which installs it.");
  [script, browser] = await Promise.all([
    pageScript(),
    chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  for (const farEnd of farEnds) farEnd.stdin?.end();
});

describe.each(roads)("$name", ({ program, over }) => {
  let page: Page;
  const said: string[] = [];

  beforeAll(async () => {
    const far = await startFarEnd(program);
    // Certificate hashes are no use to a WebSocket.
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    page = await context.newPage();
    page.on("console", (message) => said.push(message.text()));
    await page.goto(far.page);
    await page.addScriptTag({ content: script });
    const url = over === "WebTransport" ? far.url : far.tcpUrl;
    await page.evaluate((at) => listenToFarEnd(at.url, at.hash, at.over), { url, hash: far.hash, over });
  });

  const retry = over === "WebTransport" ? TRIES_AFTER_FAILURE : 0;
  it.each(sessionContract.map(({ name }) => name))("%s", { retry }, async (name) => {
    const failure = await page.evaluate(
      (wanted) =>
        runContractCase(wanted).then(
          () => undefined,
          (error: unknown) => String(error),
        ),
      name,
    );
    expect(failure).toBeUndefined();
  });

  it("dials the far end alone, and leaves the page its WebTransport", async () => {
    // The ponyfill's package dials a made-up host where it finds a WebTransport while it is loaded.
    expect(said.filter((line) => line.includes("example.com"))).toEqual([]);
    expect(await page.evaluate(() => typeof WebTransport)).toBe("function");
  });
});
