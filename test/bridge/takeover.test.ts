/** Two bridges of a real cluster: the one that has an output is killed, and the other goes on with it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JobStatus } from "../../core/wire/bridge-jobs.ts";
import { ensureClient } from "../../start/build.mjs";
import { Cluster } from "../cluster/cluster.ts";
import { ensureEtcd } from "../etcd-binary.mjs";

const APART = { port: 0, loss: 0, rttMs: 20 };
const folder = mkdtempSync(join(tmpdir(), "takeover-"));
let cluster: Cluster;

beforeAll(async () => {
  // The cluster's gateways serve the pages.
  ensureClient();
  process.env.ETCD_PATH = await ensureEtcd((line: string) => console.info(line));
  cluster = await Cluster.start(APART, () => undefined);
  for (const id of ["bridge-a", "bridge-b"]) await cluster.startBridge(id, join(folder, id));
});

afterAll(async () => {
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

/** The output's status, once a bridge other than `not` runs it. */
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

it("an output outlives the bridge that has it", { timeout: 90_000 }, async () => {
  await api("POST", "/v1/rooms/stage/outputs", { type: "hls" });
  const before = await running();
  expect((await fetch(before.url!)).status).toBe(200);
  const killedAtMs = performance.now();
  cluster.bridges.find(({ id }) => id === before.bridgeId)!.process.kill("SIGKILL");
  const after = await running(before.bridgeId);
  console.info(`  runs on another bridge after ${((performance.now() - killedAtMs) / 1_000).toFixed(1)} s`);
  const playlist = await fetch(after.url!);
  expect(playlist.status).toBe(200);
  expect(await playlist.text()).toContain("#EXT-X-STREAM-INF");
});
