/**
 * Two bridges of a real cluster: pages and players that know only a gateway find the bridge that has an output. It is killed, and the other
 * goes on with it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JobStatus } from "../../core/wire/bridge-jobs.ts";
import { ensureClient } from "../../start/build.mjs";
import { findChromium } from "../chromium.mjs";
import { Cluster } from "../cluster/cluster.ts";
import { ensureEtcd } from "../etcd-binary.mjs";

const APART = { port: 0, loss: 0, rttMs: 20 };
const folder = mkdtempSync(join(tmpdir(), "takeover-"));
let cluster: Cluster;
let browser: Browser;

beforeAll(async () => {
  // The cluster's gateways serve the pages.
  ensureClient();
  process.env.ETCD_PATH = await ensureEtcd((line: string) => console.info(line));
  cluster = await Cluster.start(APART, () => undefined);
  for (const id of ["bridge-a", "bridge-b"]) await cluster.startBridge(id, join(folder, id));
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("Chromium is missing: run `npm test`, which installs it.");
  browser = await chromium.launch({
    executablePath,
    args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
  });
});

afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
  rmSync(folder, { recursive: true });
});

async function api(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(cluster.gateways[1]!.url + path, {
    method,
    headers: { authorization: cluster.authorization, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.status).toBeLessThan(300);
  return response.json();
}

/** The first output's status, once a bridge other than `not` runs it. */
async function running(not?: string): Promise<JobStatus> {
  for (;;) {
    const { outputs } = (await api("GET", "/v1/rooms/stage/outputs")) as {
      outputs: { status: JobStatus | null }[];
    };
    const status = outputs[0]?.status;
    if (status?.state === "running" && status.bridgeId !== not) return status;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A page of the gateway that the outputs were not asked for at. */
async function open(path: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(cluster.gateways[0]!.url + path);
  return page;
}

/** Resolves once the page's player has gone on for a second. */
async function plays(page: Page, tag: "video" | "audio"): Promise<void> {
  const atS = () => page.locator(tag).evaluate((element: HTMLMediaElement) => element.currentTime);
  await expect.poll(atS, { timeout: 20_000 }).toBeGreaterThan(0);
  const before = await atS();
  await expect.poll(atS, { timeout: 20_000 }).toBeGreaterThan(before + 1);
}

it("pages on a gateway play what bridges have", { timeout: 90_000 }, async () => {
  await api("POST", "/v1/rooms/stage/outputs", { type: "hls" });
  await api("POST", "/v1/rooms/stage/outputs", { type: "mp3" });
  await running();
  const watch = await open("/watch/stage");
  await plays(watch, "video");
  // The clock of the bridge is known although it is of another origin.
  expect(await watch.locator('[data-figure="latency"]').textContent()).toMatch(/\d/);
  const listen = await open("/listen/stage");
  await listen.getByRole("button", { name: "Play" }).click();
  await plays(listen, "audio");
  await listen.close();
  await watch.close();
});

it("an output outlives the bridge that has it, at one address", { timeout: 90_000 }, async () => {
  const before = await running();
  const address = `${cluster.gateways[0]!.url}/hls/stage/index.m3u8`;
  const first = await fetch(address);
  expect([first.status, first.url]).toEqual([200, before.url]);
  const killedAtMs = performance.now();
  cluster.bridges.find(({ id }) => id === before.bridgeId)!.process.kill("SIGKILL");
  const after = await running(before.bridgeId);
  console.info(`  runs on another bridge after ${((performance.now() - killedAtMs) / 1_000).toFixed(1)} s`);
  const playlist = await fetch(address);
  expect([playlist.status, playlist.url]).toEqual([200, after.url]);
  expect(await playlist.text()).toContain("#EXT-X-STREAM-INF");
});
