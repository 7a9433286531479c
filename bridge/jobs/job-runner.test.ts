import { describe, expect, test, vi } from "vitest";
import { bridgeNamed, hlsJob, recordingJob } from "../../core/directory/bridge-directory-harness.contract.ts";
import { BridgeCluster, TTL_MS } from "../../test/sim/bridge-cluster.ts";
import { MAX_CLAIM_WAIT_MS, REATTACH_MS, RECORD_INTERVAL_MS, RESTART_MS } from "./limits.ts";

const job = hlsJob("job-0001");
/** Enough for a claim. */
const SOON_MS = 200;

async function withJob(ids: string[], options: ConstructorParameters<typeof BridgeCluster>[0] = {}) {
  const cluster = new BridgeCluster(options);
  for (const id of ids) cluster.add(id);
  await cluster.clock.advance(SOON_MS);
  await cluster.directory.putJob(job);
  await cluster.clock.advance(SOON_MS);
  const [run, ...more] = cluster.running(job.id);
  if (!run || more.length > 0) throw new Error(`the job runs ${more.length + (run ? 1 : 0)} times`);
  return { cluster, run, other: ids.find((id) => id !== run.bridgeId) ?? "" };
}

describe("job runner", () => {
  test("one of several bridges runs a job, says how it goes, and counts it in its record", async () => {
    const { cluster, run } = await withJob(["a", "b", "c"]);
    run.report({ state: "running", latencyMs: 1234, url: "https://a.example.org/hls/room/index.m3u8" });
    await cluster.clock.advance(6_000);
    expect(await cluster.directory.job(job.id)).toMatchObject({
      claim: { bridgeId: run.bridgeId },
      status: { bridgeId: run.bridgeId, state: "running", latencyMs: 1234, message: "" },
    });
    const loads = (await cluster.directory.bridges()).map(({ id, jobs }) => [id, jobs]);
    expect(Object.fromEntries(loads)).toEqual({ a: 0, b: 0, c: 0, [run.bridgeId]: 1 });
  });

  test("a job whose bridge dies goes on elsewhere when the lease has ended", async () => {
    const { cluster, run, other } = await withJob(["a", "b"]);
    cluster.kill(run.bridgeId);
    await cluster.clock.advance(TTL_MS - 100);
    expect(cluster.running(job.id)).toEqual([]);
    await cluster.clock.advance(100 + SOON_MS);
    expect(cluster.running(job.id).map(({ bridgeId }) => bridgeId)).toEqual([other]);
  });

  test("a deleted job stops; while it stops nobody starts it", async () => {
    const { cluster, run } = await withJob(["a", "b"], { stopMs: 1_000 });
    await cluster.directory.deleteJob(job.id);
    await cluster.clock.advance(10);
    expect(run.stopReason).toBe("deleted");
    await cluster.clock.advance(2_000);
    expect(run.endedMs).toBeDefined();
    expect(cluster.runs).toHaveLength(1);
  });

  test("a bridge that drains hands its jobs over, each when it has stopped, and takes none", async () => {
    const { cluster, run, other } = await withJob(["a", "b"], { stopMs: 500 });
    const drained = cluster.bridges.get(run.bridgeId)!.runner.drain();
    await cluster.clock.until(drained);
    await cluster.directory.putJob(recordingJob("job-0002"));
    await cluster.clock.advance(RECORD_INTERVAL_MS);
    expect(run.stopReason).toBe("draining");
    expect(cluster.running().map(({ bridgeId }) => bridgeId)).toEqual([other, other]);
    expect(cluster.longestOverlapMs()).toBeLessThanOrEqual(0);
    const record = (await cluster.directory.bridges()).find(({ id }) => id === run.bridgeId);
    expect(record).toMatchObject({ draining: true, jobs: 0 });
    await cluster.clock.until(cluster.bridges.get(run.bridgeId)!.runner.close());
    expect((await cluster.directory.bridges()).map(({ id }) => id)).toEqual([other]);
  });

  test("nothing is taken beyond the capacity, and it is taken when there is space", async () => {
    const cluster = new BridgeCluster({ capacity: 2 });
    cluster.add("a");
    for (const n of [1, 2, 3]) await cluster.directory.putJob(recordingJob(`job-000${n}`));
    await cluster.clock.advance(5_000);
    expect(cluster.running()).toHaveLength(2);
    await cluster.directory.deleteJob(cluster.running()[0]?.jobId ?? "");
    await cluster.clock.advance(SOON_MS);
    expect(cluster.running()).toHaveLength(2);
    cluster.add("b");
    await cluster.directory.putJob(recordingJob("job-0004"));
    await cluster.clock.advance(SOON_MS);
    expect(cluster.running(undefined, "b").map(({ jobId }) => jobId)).toEqual(["job-0004"]);
  });

  test("the emptiest bridge takes new jobs", async () => {
    const cluster = new BridgeCluster({ capacity: 20 });
    cluster.add("a");
    for (let n = 10; n < 20; n++) await cluster.directory.putJob(recordingJob(`job-00${n}`));
    await cluster.clock.advance(2_000);
    expect(cluster.running(undefined, "a")).toHaveLength(10);
    cluster.add("b");
    cluster.add("c");
    await cluster.clock.advance(SOON_MS);
    for (let n = 20; n < 40; n++) await cluster.directory.putJob(recordingJob(`job-00${n}`));
    await cluster.clock.advance(MAX_CLAIM_WAIT_MS * 2);
    expect(cluster.running()).toHaveLength(30);
    for (const id of ["a", "b", "c"]) {
      expect(Math.abs(cluster.running(undefined, id).length - 10), id).toBeLessThanOrEqual(1);
    }
  });
});

test("every bridge knows what is wanted, once it knows anything", async () => {
  const cluster = new BridgeCluster();
  const runner = cluster.add("a");
  await cluster.clock.advance(SOON_MS);
  expect(runner.isWanted(job.room, "hls")).toBe(false);
  await cluster.directory.putJob(job);
  await cluster.clock.advance(SOON_MS);
  expect([runner.isWanted(job.room, "hls"), runner.isWanted(job.room, "mp3")]).toEqual([true, false]);
  expect(runner.isWanted("elsewhere", "hls")).toBe(false);
  await cluster.directory.deleteJob(job.id);
  await cluster.clock.advance(SOON_MS);
  expect(runner.isWanted(job.room, "hls")).toBe(false);
  vi.spyOn(cluster.directory, "watchJobs").mockReturnValueOnce(() => undefined);
  expect(cluster.add("b").isWanted(job.room, "hls")).toBeUndefined();
});

describe("a bridge that has more to do than another", () => {
  test("takes what the other leaves, without waiting for it again and again", async () => {
    const cluster = new BridgeCluster({ capacity: 40 });
    cluster.add("a");
    for (let n = 10; n < 30; n++) await cluster.directory.putJob(recordingJob(`job-00${n}`));
    await cluster.clock.advance(2_000);
    // It is registered, and that is all that it does.
    await cluster.directory.registerBridge(bridgeNamed("idle", { capacity: 40 }), TTL_MS);
    for (let n = 30; n < 50; n++) await cluster.directory.putJob(recordingJob(`job-00${n}`));
    await cluster.clock.advance(MAX_CLAIM_WAIT_MS / 2);
    expect(cluster.running()).toHaveLength(20);
    await cluster.clock.advance(MAX_CLAIM_WAIT_MS);
    expect(cluster.running(undefined, "a")).toHaveLength(40);
  });
});

describe("a job that fails", () => {
  test("is started again, after longer and longer, and from the shortest pause once it has run", async () => {
    const { cluster, run } = await withJob(["a"]);
    run.end({ failed: true, message: "the target refused" });
    await cluster.clock.advance(RESTART_MS * 0.4);
    expect(cluster.running()).toEqual([]);
    expect(await cluster.directory.job(job.id)).toMatchObject({
      status: { state: "failed", message: "the target refused" },
    });
    const pauses: number[] = [];
    for (let failure = 0; failure < 9; failure++) {
      const fromMs = cluster.runs.at(-1)?.endedMs ?? 0;
      await cluster.clock.advance(60_000);
      pauses.push((cluster.runs.at(-1)?.startedMs ?? 0) - fromMs);
      // It has run for less than a minute, since it was not started at once.
      cluster.runs.at(-1)?.end({ failed: true, message: "again" });
    }
    for (const [failure, pauseMs] of pauses.entries()) {
      const middleMs = Math.min(30_000, RESTART_MS * 2 ** failure);
      expect(pauseMs).toBeGreaterThanOrEqual(middleMs * 0.5);
      expect(pauseMs).toBeLessThanOrEqual(middleMs * 1.5);
    }
    await cluster.clock.advance(45_000 + 61_000);
    cluster.runs.at(-1)?.end({ failed: true, message: "again" });
    await cluster.clock.advance(RESTART_MS * 1.5);
    expect(cluster.running()).toHaveLength(1);
    expect(new Set(cluster.runs.map(({ bridgeId }) => bridgeId))).toEqual(new Set(["a"]));
  });

  test("also when it throws as it begins; a job that ended well is left alone", async () => {
    let refusals = 2;
    const cluster = new BridgeCluster({
      onStart: () => {
        if (refusals-- > 0) throw new Error("no ffmpeg here");
      },
    });
    cluster.add("a");
    await cluster.directory.putJob(job);
    await cluster.clock.advance(300);
    expect(await cluster.directory.job(job.id)).toMatchObject({
      status: { state: "failed", message: "no ffmpeg here" },
    });
    await cluster.clock.advance(5_000);
    expect(cluster.running()).toHaveLength(1);
    cluster.running()[0]?.end({ failed: false, message: "the room is over" });
    await cluster.clock.advance(120_000);
    expect(cluster.running()).toEqual([]);
    expect(await cluster.directory.job(job.id)).toMatchObject({
      claim: { bridgeId: "a" },
      status: { state: "ended", message: "the room is over" },
    });
  });

  test("stops for good when it is deleted in its pause", async () => {
    const { cluster, run } = await withJob(["a"]);
    run.end({ failed: true, message: "no" });
    await cluster.directory.deleteJob(job.id);
    await cluster.clock.advance(60_000);
    expect(cluster.runs).toHaveLength(1);
  });

  test("names no stream key in what it says", async () => {
    const url = "rtmp://live.example.org/app/secret-key-123";
    const rtmp = recordingJob("job-0002", {
      spec: { type: "rtmp", targets: [{ url }], picture: { mode: "speaker" }, gainsDb: {} },
    });
    const cluster = new BridgeCluster();
    cluster.add("a");
    await cluster.directory.putJob(rtmp);
    await cluster.clock.advance(SOON_MS);
    cluster.running()[0]?.end({ failed: true, message: `${url} refused secret-key-123` });
    await cluster.clock.advance(400);
    const { status } = (await cluster.directory.job(rtmp.id)) ?? {};
    expect(status?.message).toBe("rtmp://live.example.org/app/•••• refused ••••");
    expect(cluster.log.join()).not.toContain("secret-key");
  });
});

describe("the directory goes away", () => {
  test("for less than the lease: nothing happens", async () => {
    const { cluster, run } = await withJob(["a", "b"]);
    cluster.cut(run.bridgeId);
    await cluster.clock.advance(TTL_MS - 1_000);
    cluster.mend(run.bridgeId);
    await cluster.clock.advance(60_000);
    expect(cluster.runs).toEqual([run]);
    expect(run.endedMs).toBeUndefined();
  });

  test("for longer: another bridge has the job, and the old one stops soon, whether it hears of it or not", async () => {
    const { cluster, run, other } = await withJob(["a", "b"]);
    cluster.cut(run.bridgeId);
    await cluster.clock.advance(TTL_MS + REATTACH_MS + SOON_MS);
    expect(cluster.running(job.id).map(({ bridgeId }) => bridgeId)).toEqual([other]);
    expect(run.stopReason).toBe("claim-lost");
    expect(cluster.longestOverlapMs()).toBeLessThanOrEqual(REATTACH_MS);
    cluster.mend(run.bridgeId);
    await cluster.clock.advance(60_000);
    expect(cluster.running(job.id).map(({ bridgeId }) => bridgeId)).toEqual([other]);
    expect(cluster.bridges.get(run.bridgeId)?.runner.isRegistered).toBe(true);
  });

  test("a bridge alone that loses its lease and is back soon does not disturb its job", async () => {
    const { cluster, run } = await withJob(["a"]);
    cluster.cut("a");
    await cluster.clock.advance(TTL_MS + 1_000);
    cluster.mend("a");
    await cluster.clock.advance(60_000);
    expect(cluster.running(job.id)).toEqual([run]);
    expect((await cluster.directory.job(job.id))?.claim?.bridgeId).toBe("a");
    expect((await cluster.directory.job(job.id))?.status?.state).toBe("running");
  });

  test("a directory that lost everything gets all jobs back, and running ones are not disturbed", async () => {
    const cluster = new BridgeCluster();
    for (const id of ["a", "b", "c"]) cluster.add(id);
    for (let n = 10; n < 30; n++) await cluster.directory.putJob(recordingJob(`job-00${n}`));
    await cluster.clock.advance(5_000);
    const before = cluster.running();
    expect(before).toHaveLength(20);
    cluster.directory.forget();
    await cluster.clock.advance(60_000);
    expect(
      cluster
        .running()
        .map(({ jobId }) => jobId)
        .sort(),
    ).toEqual(before.map(({ jobId }) => jobId).sort());
    expect(cluster.running()).toEqual(before);
    expect(await cluster.directory.jobs()).toHaveLength(20);
  });

  test("also those of a bridge that died with it, and those that nobody had", async () => {
    const cluster = new BridgeCluster({ capacity: 1 });
    for (const id of ["a", "b"]) cluster.add(id);
    for (const n of [1, 2, 3]) await cluster.directory.putJob(recordingJob(`job-000${n}`));
    await cluster.clock.advance(3_000);
    cluster.kill("a");
    cluster.directory.forget();
    await cluster.clock.advance(TTL_MS * 2);
    expect((await cluster.directory.jobs()).map(({ job: { id } }) => id)).toEqual([
      "job-0001",
      "job-0002",
      "job-0003",
    ]);
    // What is deleted now stays deleted.
    await cluster.directory.deleteJob("job-0001");
    await cluster.clock.advance(TTL_MS * 10);
    expect(await cluster.directory.jobs()).toHaveLength(2);
  });
});
