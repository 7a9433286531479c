/** `deno task start`, for people who have Deno and neither Node.js nor npm: a page joins, and nothing outlives it. */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import { denoExecutable } from "../../start/dependencies.mjs";
import { findChromium } from "../chromium.mjs";
import { RoomPage } from "./room-page.ts";
import { startTributary } from "./tributary.ts";

it("deno task start works without Node.js: it says one line, and a page joins a room", async () => {
  const deno = denoExecutable();
  const folder = mkdtempSync(join(tmpdir(), "tributary-deno-only-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(deno, join(folder, "deno"));
  const tributary = await startTributary({ command: [deno, "task", "start"], env: { PATH: folder } });
  onTestFinished(() => tributary.stop());
  expect(tributary.output().match(/^.*ready.*$/gm)).toEqual([`Tributary is ready: ${tributary.url}`]);

  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("Chromium is missing: run `npm test`, which installs it.");
  const args = ["--headless=new", "--no-sandbox", "--disable-gpu"];
  const browser = await chromium.launch({ executablePath, args });
  onTestFinished(() => browser.close());
  const token = await tributary.mint("deno-only", "ann");
  const { identity } = await RoomPage.join(await browser.newPage(), tributary.url, "deno-only", token);
  expect(identity).toBe("ann");
  expect(await tributary.api("GET", "/v1/rooms/deno-only")).toMatchObject({
    body: { members: [{ identity: "ann" }] },
  });

  await tributary.stop();
  await expect(fetch(`${tributary.url}/healthz`)).rejects.toThrow();
});
