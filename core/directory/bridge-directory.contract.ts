/**
 * What every BridgeDirectory does, whatever it stands on, as named cases for any test runner.
 * `for (const { name, run } of bridgeDirectoryContract) test(name, () => run(harness))`, with a fresh harness for each.
 */
import assert from "node:assert/strict";
import type { BridgeDirectory } from "./bridge-directory.ts";
import {
  type BridgeDirectoryCase,
  bridgeNamed,
  hlsJob,
  ingestJob,
  mp3Job,
  recordingJob,
  statusOf,
  until,
  watched,
} from "./bridge-directory-harness.contract.ts";
import { DirectoryError } from "./directory.ts";
import { jobClaimCases } from "./job-claims.contract.ts";

const TTL_MS = 2_000;

async function idsOf(directory: BridgeDirectory): Promise<string[]> {
  return (await directory.jobs()).map(({ job }) => job.id);
}

const bridgeCases: BridgeDirectoryCase[] = [
  {
    name: "a bridge is there from register to end, and its record is replaced by update",
    run: async ({ directory }) => {
      const a = await directory.registerBridge(bridgeNamed("a"), TTL_MS);
      await directory.registerBridge(bridgeNamed("b", { region: "us" }), TTL_MS);
      await a.update(bridgeNamed("a", { jobs: 7, draining: true }));
      const byId = (await directory.bridges()).sort((one, other) => (one.id < other.id ? -1 : 1));
      assert.deepEqual(byId, [
        bridgeNamed("a", { jobs: 7, draining: true }),
        bridgeNamed("b", { region: "us" }),
      ]);
      await assert.rejects(a.update(bridgeNamed("b")), DirectoryError);
      await a.end();
      await a.lost;
      assert.deepEqual(await directory.bridges(), [bridgeNamed("b", { region: "us" })]);
      await assert.rejects(a.update(bridgeNamed("a")), DirectoryError);
    },
  },
  {
    name: "the lease is kept alive without help, for many times its length",
    run: async ({ directory, pass }) => {
      await directory.registerBridge(bridgeNamed("a"), TTL_MS);
      await pass(TTL_MS * 3);
      assert.equal((await directory.bridges()).length, 1);
    },
  },
  {
    name: "an id that is there is taken over: the older registration is lost, with its claims",
    run: async (harness) => {
      const { directory } = harness;
      await directory.putJob(hlsJob("job-0001"));
      const older = await directory.registerBridge(bridgeNamed("a"), TTL_MS);
      await older.claimJob("job-0001");
      let lost = false;
      void older.lost.then(() => {
        lost = true;
      });
      const newer = await directory.registerBridge(bridgeNamed("a"), TTL_MS);
      await until(harness, () => lost);
      assert.equal(lost, true);
      assert.equal((await directory.job("job-0001"))?.claim, undefined);
      await assert.rejects(older.claimJob("job-0001"), DirectoryError);
      assert.equal((await newer.claimJob("job-0001"))?.bridgeId, "a");
    },
  },
];

const jobCases: BridgeDirectoryCase[] = [
  {
    name: "a job is there from put to delete, and what was handed in or out is not shared",
    run: async ({ directory }) => {
      const job = recordingJob("job-0001");
      assert.deepEqual(await directory.putJob(job), recordingJob("job-0001"));
      job.spec.gainsDb.ann = 3;
      const [read] = await directory.jobs();
      assert.deepEqual(read, { job: recordingJob("job-0001") });
      if (read?.job.kind === "output") read.job.spec.gainsDb.ann = 3;
      assert.deepEqual(await directory.job("job-0001"), { job: recordingJob("job-0001") });
      assert.equal(await directory.job("job-0002"), undefined);
      assert.equal(await directory.deleteJob("job-0001"), true);
      assert.equal(await directory.deleteJob("job-0001"), false);
      assert.deepEqual(await directory.jobs(), []);
    },
  },
  {
    name: "a job is only put, never changed: the one that stands is returned",
    run: async ({ directory }) => {
      const first = recordingJob("job-0001");
      await directory.putJob(first);
      assert.deepEqual(await directory.putJob(recordingJob("job-0001", { room: "other" })), first);
      assert.deepEqual(await idsOf(directory), ["job-0001"]);
    },
  },
  {
    name: "a room has one HLS and one MP3 output, any number of others, and nobody twice",
    run: async ({ directory }) => {
      for (const [first, second] of [
        [hlsJob("hls-0001"), hlsJob("hls-0002")],
        [mp3Job("mp3-0001"), mp3Job("mp3-0002")],
        [ingestJob("ing-0001", "ann"), ingestJob("ing-0002", "ann")],
      ] as const) {
        assert.deepEqual(await directory.putJob(first), first);
        assert.deepEqual(await directory.putJob(second), first);
      }
      const others = [
        hlsJob("hls-0003", "room2"),
        ingestJob("ing-0003", "bob"),
        ingestJob("ing-0004", "ann", "room2"),
        recordingJob("rec-0001"),
        recordingJob("rec-0002"),
      ];
      for (const job of others) assert.deepEqual(await directory.putJob(job), job);
      const ids = ["hls-0001", "hls-0003", "ing-0001", "ing-0003", "ing-0004", "mp3-0001"];
      assert.deepEqual(await idsOf(directory), [...ids, "rec-0001", "rec-0002"]);
    },
  },
  {
    name: "of two that are put at once for one place one stands, and the place is free again after its end",
    run: async ({ directory }) => {
      const put = await Promise.all(
        ["hls-0001", "hls-0002", "hls-0003"].map((id) => directory.putJob(hlsJob(id))),
      );
      const [standing] = await idsOf(directory);
      assert.deepEqual(new Set(put.map(({ id }) => id)), new Set([standing]));
      await directory.deleteJob(standing ?? "");
      assert.equal((await directory.putJob(hlsJob("hls-0009"))).id, "hls-0009");
    },
  },
  {
    name: "jobs are listed by time of creation",
    run: async ({ directory }) => {
      for (const [id, createdAt] of [
        ["job-0001", "2027-01-15T08:00:02.000Z"],
        ["job-0002", "2027-01-15T08:00:01Z"],
        ["job-0003", "2027-01-15T08:00:01.500Z"],
      ] as const) {
        await directory.putJob(recordingJob(id, { createdAt }));
      }
      assert.deepEqual(await idsOf(directory), ["job-0002", "job-0003", "job-0001"]);
    },
  },
  {
    name: "what is no job is refused",
    run: async ({ directory }) => {
      await assert.rejects(directory.putJob(recordingJob("short")), DirectoryError);
      await assert.rejects(directory.putJob(recordingJob("job-0001", { room: "a b" })), DirectoryError);
      assert.deepEqual(await directory.jobs(), []);
    },
  },
];

const watchCases: BridgeDirectoryCase[] = [
  {
    name: "a watch tells what is there, then each change, and nothing after its end",
    run: async (harness) => {
      const { directory } = harness;
      const job = hlsJob("job-0001");
      await directory.putJob(job);
      const a = await directory.registerBridge(bridgeNamed("a"), TTL_MS);
      const claim = await a.claimJob(job.id);
      assert.ok(claim);
      await a.report(statusOf(job, "a"));
      const watch = watched(directory);
      await until(harness, () => watch.events.length >= 4);
      assert.deepEqual(watch.events, [
        { type: "bridge", bridge: bridgeNamed("a") },
        { type: "job", job },
        { type: "claim", claim },
        { type: "status", status: statusOf(job, "a") },
      ]);
      watch.events.length = 0;
      await a.update(bridgeNamed("a", { jobs: 1 }));
      await a.report(statusOf(job, "a", { state: "failed", message: "no" }));
      await a.releaseJob(job.id);
      await directory.deleteJob(job.id);
      await a.end();
      await until(harness, () => watch.events.length >= 5);
      assert.deepEqual(watch.events, [
        { type: "bridge", bridge: bridgeNamed("a", { jobs: 1 }) },
        { type: "status", status: statusOf(job, "a", { state: "failed", message: "no" }) },
        { type: "claim-gone", claim },
        { type: "job-gone", jobId: job.id, forgotten: false },
        { type: "bridge-gone", bridgeId: "a" },
      ]);
      watch.end();
      await directory.putJob(job);
      await harness.pass(300);
      assert.equal(watch.events.length, 5);
    },
  },
  {
    name: "a job that is deleted while a bridge has it is told as gone, once",
    run: async (harness) => {
      const { directory } = harness;
      const a = await directory.registerBridge(bridgeNamed("a"), TTL_MS);
      await directory.putJob(hlsJob("job-0001"));
      await a.claimJob("job-0001");
      await a.report(statusOf(hlsJob("job-0001"), "a"));
      const watch = watched(directory);
      await until(harness, () => watch.events.length >= 4);
      watch.events.length = 0;
      await directory.deleteJob("job-0001");
      await directory.putJob(recordingJob("job-0002"));
      await until(harness, () => watch.events.length >= 2);
      assert.deepEqual(watch.events, [
        { type: "job-gone", jobId: "job-0001", forgotten: false },
        { type: "job", job: recordingJob("job-0002") },
      ]);
      assert.equal(await a.claimJob("job-0001"), undefined);
      watch.end();
    },
  },
];

export const bridgeDirectoryContract: readonly BridgeDirectoryCase[] = [
  ...bridgeCases,
  ...jobCases,
  ...jobClaimCases,
  ...watchCases,
];
