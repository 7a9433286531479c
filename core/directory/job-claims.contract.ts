/** The part of the bridge directories' contract that is about claims: who does a job, and what is said of it. */
import assert from "node:assert/strict";
import {
  type BridgeDirectoryCase,
  bridgeNamed,
  hlsJob,
  recordingJob,
  statusOf,
  until,
  watched,
} from "./bridge-directory-harness.contract.ts";
import { DirectoryError } from "./directory.ts";

const TTL_MS = 2_000;
const job = hlsJob("job-0001");

export const jobClaimCases: BridgeDirectoryCase[] = [
  {
    name: "of several bridges that claim a job one has it; who claims again changes nothing",
    run: async ({ directory }) => {
      await directory.putJob(job);
      const bridges = await Promise.all(
        ["a", "b", "c"].map((id) => directory.registerBridge(bridgeNamed(id), TTL_MS)),
      );
      const claims = await Promise.all(bridges.map((bridge) => bridge.claimJob(job.id)));
      const standing = (await directory.job(job.id))?.claim;
      assert.ok(standing);
      for (const claim of claims) assert.deepEqual(claim, standing);
      for (const bridge of bridges) assert.deepEqual(await bridge.claimJob(job.id), standing);
    },
  },
  {
    name: "there is no claim on a job that is not there",
    run: async ({ directory }) => {
      const a = await directory.registerBridge(bridgeNamed("a"), TTL_MS);
      assert.equal(await a.claimJob("job-none"), undefined);
      assert.equal(await a.takeJob("job-none"), undefined);
      await a.releaseJob("job-none");
    },
  },
  {
    name: "a job that is released, or whose bridge ends, has no claim and no status, and the next has a larger epoch",
    run: async ({ directory }) => {
      await directory.putJob(job);
      const a = await directory.registerBridge(bridgeNamed("a"), TTL_MS);
      const b = await directory.registerBridge(bridgeNamed("b"), TTL_MS);
      const first = await a.claimJob(job.id);
      await a.report(statusOf(job, "a"));
      await b.releaseJob(job.id);
      assert.deepEqual(await directory.job(job.id), { job, claim: first, status: statusOf(job, "a") });
      await a.releaseJob(job.id);
      assert.deepEqual(await directory.job(job.id), { job });
      const second = await a.claimJob(job.id);
      assert.ok(first && second && second.epoch > first.epoch);
      assert.deepEqual(await directory.job(job.id), { job, claim: second });
      await a.report(statusOf(job, "a"));
      await a.end();
      assert.deepEqual(await directory.job(job.id), { job });
      const third = await b.claimJob(job.id);
      assert.ok(third && third.epoch > second.epoch);
      assert.deepEqual(await directory.jobs(), [{ job, claim: third }]);
    },
  },
  {
    name: "a job is taken from whoever has it, with what was said of it; the old holder's release changes nothing",
    run: async (harness) => {
      const { directory } = harness;
      await directory.putJob(job);
      const a = await directory.registerBridge(bridgeNamed("a"), TTL_MS);
      const b = await directory.registerBridge(bridgeNamed("b"), TTL_MS);
      const first = await a.takeJob(job.id);
      assert.deepEqual(await a.takeJob(job.id), first);
      await a.report(statusOf(job, "a"));
      const watch = watched(directory);
      await until(harness, () => watch.events.length >= 5);
      watch.events.length = 0;
      const second = await b.takeJob(job.id);
      assert.ok(first && second && second.bridgeId === "b" && second.epoch > first.epoch);
      await a.report(statusOf(job, "a"));
      await a.releaseJob(job.id);
      assert.deepEqual(await directory.job(job.id), { job, claim: second });
      await b.report(statusOf(job, "b"));
      await until(harness, () => watch.events.length >= 2);
      assert.deepEqual(watch.events, [
        { type: "claim", claim: second },
        { type: "status", status: statusOf(job, "b") },
      ]);
      await a.end();
      assert.deepEqual(await directory.job(job.id), { job, claim: second, status: statusOf(job, "b") });
      watch.end();
    },
  },
  {
    name: "only the bridge that has a job says how it goes, in its own name",
    run: async ({ directory }) => {
      await directory.putJob(job);
      const a = await directory.registerBridge(bridgeNamed("a"), TTL_MS);
      const b = await directory.registerBridge(bridgeNamed("b"), TTL_MS);
      const claim = await a.claimJob(job.id);
      await b.report(statusOf(job, "b"));
      await a.report(statusOf(job, "b"));
      await a.report(statusOf(recordingJob("job-none"), "a"));
      assert.deepEqual(await directory.jobs(), [{ job, claim }]);
    },
  },
  {
    name: "a bridge that is cut off loses its jobs after its ttl and learns of it; another may claim them",
    run: async (harness) => {
      const { directory, pass, cutOff, reconnect } = harness;
      await directory.putJob(job);
      const a = await directory.registerBridge(bridgeNamed("a"), TTL_MS);
      const b = await directory.registerBridge(bridgeNamed("b"), TTL_MS);
      const first = await a.claimJob(job.id);
      await a.report(statusOf(job, "a"));
      const watch = watched(directory);
      let lost = false;
      void a.lost.then(() => {
        lost = true;
      });
      await cutOff("a");
      await pass(TTL_MS / 4);
      assert.deepEqual(await b.claimJob(job.id), first);
      await assert.rejects(a.report(statusOf(job, "a")), DirectoryError);
      await until(harness, () => watch.events.some(({ type }) => type === "claim-gone") && lost);
      assert.equal(lost, true);
      assert.deepEqual(await directory.job(job.id), { job });
      assert.equal((await b.claimJob(job.id))?.bridgeId, "b");
      await reconnect("a");
      await assert.rejects(a.claimJob(job.id), DirectoryError);
      await assert.rejects(a.releaseJob(job.id), DirectoryError);
      watch.end();
    },
  },
];
