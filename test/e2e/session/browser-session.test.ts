/** The Session contract with Chromium's WebTransport as the near end and a session of relay/deno as the far one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sessionContract } from "../../../core/session/session.contract.ts";
import { denoExecutable, ROOT } from "../../../start/dependencies.mjs";
import { findChromium } from "../../chromium.mjs";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Chromium tells a page of a session's end over two channels, and when the wrong one is first (about one time in five)
 * `closed` rejects with "Connection lost." although the code has come: such a case has a few tries.
 */
const TRIES_AFTER_FAILURE = 7;

let farEnd: ChildProcess;
let browser: Browser;
let page: Page;

async function startFarEnd(): Promise<{ page: string; url: string; hash: string }> {
  const config = join(ROOT, "deno.json");
  farEnd = spawn(denoExecutable(), ["run", "-A", "--quiet", "--config", config, here("./far-end.deno.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
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
  const [address, script, opened] = await Promise.all([
    startFarEnd(),
    pageScript(),
    chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] }),
  ]);
  browser = opened;
  page = await browser.newPage();
  await page.goto(address.page);
  await page.addScriptTag({ content: script });
  await page.evaluate(({ url, hash }) => listenToFarEnd(url, hash), address);
});

afterAll(async () => {
  await browser?.close();
  farEnd?.stdin?.end();
});

it.each(sessionContract.map(({ name }) => name))("%s", { retry: TRIES_AFTER_FAILURE }, async (name) => {
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
