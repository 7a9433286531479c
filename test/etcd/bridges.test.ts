/** Bridges and their jobs in a real etcd that is killed, made to forget, cut off, or holds what nobody of ours wrote. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { JobRunner } from "../../bridge/jobs/job-runner.ts";
import type { JobEnd, StopReason } from "../../bridge/jobs/running-job.ts";
import type { JobEvent } from "../../core/directory/bridge-directory.ts";
import {
  bridgeNamed,
  hlsJob,
  ingestJob,
  recordingJob,
  statusOf,
} from "../../core/directory/bridge-directory-harness.contract.ts";
import { DirectoryError } from "../../core/directory/directory.ts";
import { MAX_WORK_VALUE_CHARS } from "../../core/directory/limits.ts";
import { pause, realClock, TestDirectory } from "./etcd-cluster.ts";
import { EtcdProcess } from "./etcd-process.ts";

const TTL_MS = 2_000;
const LONG_TTL_MS = 60_000;
const PATIENCE = { timeout: 20_000, interval: 50 };
const PREFIX = "bridges/";
const job = hlsJob("job-0001");

let etcd: EtcdProcess;
let open: TestDirectory[];
let runners: JobRunner[];
beforeEach(async () => {
  open = [];
  runners = [];
  etcd = await EtcdProcess.start();
});
afterEach(async () => {
  await Promise.all(runners.map((runner) => runner.close()));
  await Promise.all(open.map(({ directory }) => directory.close()));
  await etcd.stop();
});

function newDirectory(): TestDirectory {
  const test = new TestDirectory([etcd.url], { prefix: PREFIX });
  open.push(test);
  return test;
}

interface Run {
  bridgeId: string;
  jobId: string;
  stopped: StopReason | undefined;
}

/** Bridges as processes would be, each with a connection of its own. */
function newBridge(id: string, runs: Run[]): { test: TestDirectory; runner: JobRunner } {
  const test = newDirectory();
  const { jobs: _, draining: __, ...record } = bridgeNamed(id);
  const runner = new JobRunner({
    directory: test.directory.bridges,
    record,
    ttlMs: TTL_MS,
    clock: realClock,
    random: Math.random,
    log: () => undefined,
    start: (started, report) => {
      const run: Run = { bridgeId: id, jobId: started.id, stopped: undefined };
      runs.push(run);
      report({ state: "running", latencyMs: 100 });
      return {
        ended: new Promise<JobEnd>(() => undefined),
        stop: async (reason) => {
          run.stopped = reason;
        },
      };
    },
  });
  runners.push(runner);
  runner.start();
  return { test, runner };
}

const running = (runs: Run[]) => runs.filter(({ stopped }) => stopped === undefined);

describe("bridges over etcd", () => {
  test("a bridge that is cut off is replaced within its lease, and comes back with nothing to do", async () => {
    const runs: Run[] = [];
    const bridges = { a: newBridge("a", runs), b: newBridge("b", runs) };
    const { directory } = newDirectory();
    await directory.bridges.putJob(job);
    await vi.waitFor(() => expect(running(runs)).toHaveLength(1), PATIENCE);
    const [first] = runs;
    if (!first) throw new Error("nothing runs");
    await vi.waitFor(
      async () => expect((await directory.bridges.job(job.id))?.status).toMatchObject({ latencyMs: 100 }),
      PATIENCE,
    );
    bridges[first.bridgeId as "a" | "b"].test.cut();
    await vi.waitFor(() => expect(runs).toHaveLength(2), PATIENCE);
    expect(runs[1]?.bridgeId).not.toBe(first.bridgeId);
    await vi.waitFor(() => expect(first.stopped).toBe("claim-lost"), PATIENCE);
    bridges[first.bridgeId as "a" | "b"].test.isCut = false;
    await vi.waitFor(async () => expect(await directory.bridges.bridges()).toHaveLength(2), PATIENCE);
    await pause(500);
    expect(running(runs)).toEqual([runs[1]]);
    expect((await directory.bridges.job(job.id))?.claim?.bridgeId).toBe(runs[1]?.bridgeId);
  });

  test("etcd that is killed and comes back with its data disturbs no job", async () => {
    const runs: Run[] = [];
    newBridge("a", runs);
    const gateway = newDirectory();
    gateway.directory.bridges.follow();
    const seen = new Set<JobEvent["type"]>();
    gateway.directory.bridges.watchJobs(({ type }) => seen.add(type));
    await gateway.directory.bridges.putJob(job);
    await vi.waitFor(() => expect(runs).toHaveLength(1), PATIENCE);
    await vi.waitFor(
      async () => expect((await gateway.directory.bridges.job(job.id))?.status).toBeDefined(),
      PATIENCE,
    );
    // What a watch has not brought yet cannot be answered without etcd.
    await vi.waitFor(() => expect(seen).toEqual(new Set(["bridge", "job", "claim", "status"])), PATIENCE);
    const known = await gateway.directory.bridges.jobs();
    await etcd.kill();
    await vi.waitFor(async () => expect(await gateway.directory.bridges.jobs()).toEqual(known), PATIENCE);
    expect(await gateway.directory.bridges.job(job.id)).toEqual(known[0]);
    expect(await gateway.directory.bridges.job("job-none")).toBeUndefined();
    expect((await gateway.directory.bridges.bridges()).map(({ id }) => id)).toEqual(["a"]);
    await expect(gateway.directory.bridges.putJob(recordingJob("job-0002"))).rejects.toThrow(DirectoryError);
    await etcd.restart();
    await vi.waitFor(() => gateway.directory.bridges.putJob(recordingJob("job-0002")), PATIENCE);
    await vi.waitFor(() => expect(runs).toHaveLength(2), PATIENCE);
    expect(running(runs)).toHaveLength(2);
  });

  test("etcd that comes back knowing nothing is told all jobs, those that run go on as they are", async () => {
    const runs: Run[] = [];
    const { runner } = newBridge("a", runs);
    newBridge("b", runs);
    const { directory } = newDirectory();
    const jobs = [job, recordingJob("job-0002"), recordingJob("job-0003"), ingestJob("job-0004")];
    for (const each of jobs) await directory.bridges.putJob(each);
    await vi.waitFor(() => expect(runs).toHaveLength(3), PATIENCE);
    await pause(300);
    await etcd.kill();
    await etcd.forget();
    await etcd.restart();
    await vi.waitFor(async () => {
      const views = await directory.bridges.jobs();
      expect(views.map((view) => view.job)).toEqual(jobs);
      expect(views.filter(({ claim }) => claim)).toHaveLength(3);
    }, PATIENCE);
    await pause(1_000);
    expect(runs).toHaveLength(3);
    expect(running(runs)).toHaveLength(3);
    const answer = await runner.ingests.open("rtmp", ingestJob("job-0004").streamKey, () => undefined);
    expect(answer.granted).toBe(true);
  });
});

describe("what happens to calls", () => {
  test("a job whose answer was lost is put once, and a claim is taken for what it is", async () => {
    const test = newDirectory();
    const { bridges } = test.directory;
    const a = await bridges.registerBridge(bridgeNamed("a"), LONG_TTL_MS);
    for (let lose = 1; lose <= 3; lose++) {
      const each = recordingJob(`job-100${lose}`);
      test.loseAnswer = lose;
      expect(await bridges.putJob(each).catch(() => bridges.putJob(each))).toEqual(each);
      test.loseAnswer = lose;
      const claim = await a.claimJob(each.id).catch(() => a.claimJob(each.id));
      expect(claim).toMatchObject({ bridgeId: "a", jobId: each.id });
      test.loseAnswer = 0;
    }
    expect(await bridges.jobs()).toHaveLength(3);
  });

  test("the largest job that the schema allows is taken, and read back whole", async () => {
    const { directory } = newDirectory();
    // Characters of four bytes, and names are keys of which there are many.
    const name = (n: number): string => String.fromCodePoint(0x20000 + n).repeat(32);
    const gainsDb = Object.fromEntries(Array.from({ length: 256 }, (_, n) => [name(n), 1]));
    const url = `rtmp://live.example.org/app/${"k".repeat(2_000)}`;
    const spec = {
      type: "rtmp",
      targets: Array.from({ length: 8 }, () => ({ url })),
      picture: { mode: "none" },
      gainsDb,
    } as const;
    const largest = recordingJob("job-0001", { spec: { ...spec, targets: [...spec.targets] } });
    expect(await directory.bridges.putJob(largest)).toEqual(largest);
    expect((await directory.bridges.jobs()).map((view) => view.job)).toEqual([largest]);
  });
});

describe("values that are not ours", () => {
  const bridge = JSON.stringify(bridgeNamed("b"));
  const hostile: [string, string, string][] = [
    ["a bridge that is no JSON", "work/bridges/b", "{"],
    ["another bridge's record", "work/bridges/x", bridge],
    ["a bridge of negative capacity", "work/bridges/b", bridge.replace("100", "-1")],
    ["a job of another id", "work/jobs/job-9999", JSON.stringify(job)],
    ["a job that is none", "work/jobs/job-0002", '{"kind":"output"}'],
    ["a huge job", "work/jobs/job-0002", `"${"x".repeat(MAX_WORK_VALUE_CHARS)}"`],
    ["a claim without bridge", "work/claims/job-0001", "{}"],
    ["a status of another job", "work/statuses/job-9999", JSON.stringify(statusOf(job, "a"))],
    ["a status in words", "work/statuses/job-0001", '"fine"'],
    ["a key of nothing", "work/more/x", "1"],
    ["a name encoded otherwise", "work/jobs/%6aob-0001", JSON.stringify(job)],
  ];

  test.each(hostile)("%s: passed over and counted", async (_what, key, value) => {
    const before = newDirectory();
    const { bridges } = before.directory;
    const events: JobEvent[] = [];
    bridges.watchJobs((event) => events.push(event));
    const a = await bridges.registerBridge(bridgeNamed("a"), LONG_TTL_MS);
    await bridges.putJob(job);
    await vi.waitFor(() => expect(events).toHaveLength(2), PATIENCE);
    await etcd.post("/v3/kv/put", {
      key: Buffer.from(PREFIX + key).toString("base64"),
      value: Buffer.from(value).toString("base64"),
    });
    const claim = await a.claimJob(job.id);
    await vi.waitFor(() => expect(events.at(-1)).toEqual({ type: "claim", claim }), PATIENCE);
    expect(events).toHaveLength(3);
    expect(bridges.skippedValues).toBeGreaterThan(0);
    expect(await bridges.jobs()).toEqual([{ job, claim }]);
    expect(await bridges.bridges()).toEqual([bridgeNamed("a")]);
    // Relays do not even see it.
    const relays = newDirectory();
    relays.directory.follow();
    await relays.directory.relays();
    expect(relays.directory.skippedValues).toBe(0);
    const events2: JobEvent[] = [];
    relays.directory.bridges.watchJobs((event) => events2.push(event));
    await vi.waitFor(() => expect(events2).toHaveLength(3), PATIENCE);
  });

  test("a place that is taken by no job is free", async () => {
    const { directory } = newDirectory();
    for (const value of ['{"jobId":"job-gone"}', "{", ""]) {
      await etcd.post("/v3/kv/put", {
        key: Buffer.from(`${PREFIX}work/taken/room/hls`).toString("base64"),
        value: Buffer.from(value).toString("base64"),
      });
      expect(await directory.bridges.putJob(job)).toEqual(job);
      expect((await directory.bridges.putJob(hlsJob("job-0002"))).id).toBe(job.id);
      expect(await directory.bridges.deleteJob(job.id)).toBe(true);
    }
  });
});
