import { describe, expect, test } from "vitest";
import { ingestJob } from "../../core/directory/bridge-directory-harness.contract.ts";
import { BridgeCluster, TTL_MS } from "../../test/sim/bridge-cluster.ts";
import type { IngestAnswer, IngestEndReason, IngestGrant, IngestRefusal } from "./ingest-keys.ts";
import { MAX_TAKEOVERS, REATTACH_MS, TAKEOVER_WINDOW_MS } from "./limits.ts";

const job = ingestJob("job-0001");
const SOON_MS = 200;

interface Sender {
  answer: IngestAnswer;
  ended: IngestEndReason[];
}

/** Two bridges and one ingest. */
async function withIngest(options: { capacity?: number } = {}) {
  const cluster = new BridgeCluster(options);
  const runners = { a: cluster.add("a"), b: cluster.add("b") };
  await cluster.directory.putJob(job);
  await cluster.clock.advance(SOON_MS);
  const send = async (bridge: "a" | "b", key = job.streamKey, type: "rtmp" | "icecast" = "rtmp") => {
    const ended: IngestEndReason[] = [];
    // Hashing takes real time, and nothing else of it any.
    const answer = await runners[bridge].ingests.open(type, key, (reason) => ended.push(reason));
    return { answer, ended } satisfies Sender;
  };
  const holder = async () => (await cluster.directory.job(job.id))?.claim?.bridgeId;
  return { cluster, runners, send, holder };
}

function grantOf({ answer }: Sender): IngestGrant {
  if (!answer.granted) throw new Error(`refused: ${answer.message}`);
  return answer.grant;
}

function refusalOf({ answer }: Sender): IngestRefusal | "granted" {
  return answer.granted ? "granted" : answer.refusal;
}

describe("stream keys", () => {
  test("a sender with the right key has the ingest until it goes, and says how it goes", async () => {
    const { cluster, runners, send, holder } = await withIngest();
    const sender = await send("a");
    expect(grantOf(sender).job).toEqual(job);
    expect(await holder()).toBe("a");
    expect(runners.a.load).toBe(1);
    grantOf(sender).report({ state: "running", latencyMs: 90 });
    await cluster.clock.advance(SOON_MS);
    expect((await cluster.directory.job(job.id))?.status).toMatchObject({ state: "running", latencyMs: 90 });
    await cluster.clock.until(grantOf(sender).close());
    expect(await holder()).toBeUndefined();
    expect(sender.ended).toEqual([]);
    expect(runners.a.load).toBe(0);
    await cluster.clock.until(grantOf(sender).close());
  });

  test.each([
    ["another key", "key-of-job-0002-0123456789", "rtmp", "unknown-key"],
    ["a part of the key", job.streamKey.slice(0, -1), "rtmp", "unknown-key"],
    ["more than the key", `${job.streamKey}x`, "rtmp", "unknown-key"],
    ["no key", "", "rtmp", "unknown-key"],
    ["a huge key", "x".repeat(1_000_000), "rtmp", "unknown-key"],
    ["the other protocol", job.streamKey, "icecast", "wrong-type"],
  ] as const)("%s is refused, and the message does not repeat it", async (_what, key, type, refusal) => {
    const { send, holder } = await withIngest();
    const { answer } = await send("a", key, type);
    expect(answer).toMatchObject({ granted: false, refusal });
    if (!answer.granted && key.length > 5) expect(answer.message).not.toContain(key);
    expect(await holder()).toBeUndefined();
  });

  test("of a job that is deleted does nothing any more, and its sender goes", async () => {
    const { cluster, send } = await withIngest();
    const sender = await send("a");
    await cluster.directory.deleteJob(job.id);
    expect(sender.ended).toEqual(["deleted"]);
    expect(refusalOf(await send("a"))).toBe("unknown-key");
    await cluster.directory.putJob(job);
    expect(refusalOf(await send("b"))).toBe("granted");
  });
});

describe("takeover", () => {
  test("on one bridge: who comes has it, who was there goes and can do nothing any more", async () => {
    const { cluster, send, holder } = await withIngest();
    const first = await send("a");
    const second = await send("a");
    expect(first.ended).toEqual(["taken-over"]);
    await cluster.clock.until(grantOf(first).close());
    expect(await holder()).toBe("a");
    grantOf(first).report({ state: "failed" });
    grantOf(second).report({ state: "running" });
    await cluster.clock.advance(SOON_MS);
    expect((await cluster.directory.job(job.id))?.status?.state).toBe("running");
    expect(second.ended).toEqual([]);
  });

  test("of many that come at the same moment one has it in the end", async () => {
    const { cluster, runners, holder } = await withIngest();
    const ended: string[] = [];
    const opened = await Promise.all(
      [1, 2, 3].map((n) =>
        runners.a.ingests.open("rtmp", job.streamKey, (reason) => ended.push(`${n} ${reason}`)),
      ),
    );
    await cluster.clock.advance(SOON_MS);
    expect(opened.map(({ granted }) => granted)).toEqual([true, true, true]);
    expect(ended).toEqual([expect.stringMatching(/taken-over$/), expect.stringMatching(/taken-over$/)]);
    expect(new Set(ended).size).toBe(2);
    expect(await holder()).toBe("a");
    expect(runners.a.ingests.size).toBe(1);
  });

  test("from another bridge", async () => {
    const { cluster, runners, send, holder } = await withIngest();
    const first = await send("a");
    const second = await send("b");
    await cluster.clock.advance(SOON_MS);
    expect(first.ended).toEqual(["claim-lost"]);
    expect(second.ended).toEqual([]);
    expect(await holder()).toBe("b");
    expect([runners.a.load, runners.b.load]).toEqual([0, 1]);
    await cluster.clock.until(grantOf(first).close());
    expect(await holder()).toBe("b");
  });

  test("again and again is refused, who is there stays, and later it is possible again", async () => {
    const { cluster, send } = await withIngest();
    let last = await send("a");
    for (let n = 0; n < MAX_TAKEOVERS; n++) last = await send("a");
    expect(refusalOf(await send("a"))).toBe("flapping");
    expect(last.ended).toEqual([]);
    await cluster.clock.advance(TAKEOVER_WINDOW_MS);
    expect(refusalOf(await send("a"))).toBe("granted");
    expect(last.ended).toEqual(["taken-over"]);
  });
});

describe("an ingest on a bridge that", () => {
  test("drains: the sender goes, nobody new comes, and another bridge takes it", async () => {
    const { cluster, runners, send, holder } = await withIngest();
    const sender = await send("a");
    await cluster.clock.until(runners.a.drain());
    expect(sender.ended).toEqual(["draining"]);
    expect(await holder()).toBeUndefined();
    expect(refusalOf(await send("a"))).toBe("draining");
    expect(refusalOf(await send("b"))).toBe("granted");
  });

  test("is full: refused, but who has it already may come again", async () => {
    const { cluster, send } = await withIngest({ capacity: 1 });
    const other = ingestJob("job-0002", "other");
    await cluster.directory.putJob(other);
    await send("a");
    expect(refusalOf(await send("a", other.streamKey))).toBe("full");
    expect(refusalOf(await send("a"))).toBe("granted");
  });

  test("dies: another takes it at once, since the sender is there", async () => {
    const { cluster, send, holder } = await withIngest();
    await send("a");
    cluster.kill("a");
    expect(refusalOf(await send("b"))).toBe("granted");
    expect(await holder()).toBe("b");
  });

  test("the directory has lost: new senders wait, one that is there stays if the bridge is back in time", async () => {
    const { cluster, send, holder } = await withIngest();
    const sender = await send("a");
    cluster.cut("a");
    await cluster.clock.advance(TTL_MS + 100);
    expect(refusalOf(await send("a"))).toBe("unavailable");
    cluster.mend("a");
    await cluster.clock.advance(REATTACH_MS);
    expect(sender.ended).toEqual([]);
    expect(await holder()).toBe("a");
    cluster.cut("a");
    await cluster.clock.advance(TTL_MS + REATTACH_MS);
    expect(sender.ended).toEqual(["claim-lost"]);
  });

  test("a directory that forgot everything has its keys again, with and without a sender", async () => {
    const { cluster, send, holder } = await withIngest();
    const other = ingestJob("job-0002", "other");
    await cluster.directory.putJob(other);
    const sender = await send("a");
    cluster.directory.forget();
    await cluster.clock.advance(TTL_MS);
    expect(sender.ended).toEqual([]);
    expect(await holder()).toBe("a");
    expect(refusalOf(await send("b", other.streamKey))).toBe("granted");
  });
});
