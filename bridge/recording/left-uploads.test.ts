import { beforeEach, expect, it } from "vitest";
import type { Clock } from "../../core/clock.ts";
import { S3Storage } from "../storage/s3-storage.ts";
import { readAll } from "../storage/storage.contract.ts";
import { ACCESS, MemoryS3 } from "../storage/testing/memory-s3.ts";
import { MemoryStorage } from "../storage/testing/memory-storage.ts";
import { Catalogue } from "./catalogue.ts";
import { CHECKPOINT_MS, ORPHAN_AGE_MS } from "./limits.ts";
import type { Recorder } from "./recorder.ts";
import { keysOf } from "./recording-record.ts";
import { Recordings } from "./recordings.ts";
import { madeInit, madeParts } from "./testing/made-media.ts";

const T0 = 1_800_000_000_000_000;
const PART_BYTES = 5_000;
const init = madeInit(0, true);
let s3: MemoryS3;
let hourMs: number;
let logged: string[];
const clock: Clock = {
  nowUs: () => T0 + hourMs * 1000,
  after(delayMs, task) {
    // A killed recorder's checkpoints do not come any more; nothing else waits so long here.
    const timer = delayMs < CHECKPOINT_MS ? setTimeout(task, 20) : undefined;
    return { cancel: () => clearTimeout(timer) };
  },
};
beforeEach(() => {
  s3 = new MemoryS3();
  hourMs = 0;
  logged = [];
});

/** A bridge with a disk of its own. */
async function machine(bridgeId: string, spool = new MemoryStorage()) {
  s3.nowMs = clock.nowUs() / 1000;
  const storage = await S3Storage.open({
    endpoint: "http://s3.test:9000",
    bucket: "bucket",
    region: "eu-test-1",
    credentials: () => ACCESS,
    pathStyle: true,
    send: s3.send,
    clock,
    random: () => 0.5,
    spool,
    partBytes: PART_BYTES,
    onProblem: () => undefined,
  });
  const log = (_: string, message: string): void => void logged.push(message);
  const catalogue = new Catalogue({ storage, clock, log });
  const recordings = new Recordings({ storage, catalogue, clock, random: () => 0.5, log, bridgeId });
  const open = () => recordings.open({ jobId: "job-00001", room: "standup", participants: () => [] });
  return { storage, spool, recordings, open };
}

async function until(isTrue: () => boolean): Promise<void> {
  await expect.poll(isTrue, { timeout: 10_000, interval: 5 }).toBe(true);
}

async function feed(recorder: Recorder, fromMs: number, count: number): Promise<void> {
  const before = recorder.index.durationUs;
  recorder.onInit(init);
  for (const part of madeParts(init, T0 + fromMs * 1000, count, fromMs * 1000)) recorder.onPart(part);
  await until(() => recorder.index.durationUs === before + count * 200_000);
}

/** As a kill leaves it. */
function kill({ storage, spool }: Awaited<ReturnType<typeof machine>>): void {
  storage.close();
  spool.crash();
}

const partsSent = (): number => [...s3.uploads.values()].reduce((sum, { parts }) => sum + parts.size, 0);

it("what an old bridge has left of a recording that another one ended is set aside when only it had some, and its disk is free", async () => {
  const one = await machine("one");
  const recorder = await one.open();
  const { media } = keysOf(recorder.id);
  await feed(recorder, 0, 20);
  await until(() => partsSent() === 4 && s3.objects.has(keysOf(recorder.id).record));
  const mine = (await readAll(one.storage, media))!;
  kill(one);
  // Another one goes on with what S3 had, less than that.
  const two = await machine("two");
  const going = await two.open();
  expect(going.id).toBe(recorder.id);
  expect(going.index.bytes).toBeLessThan(mine.length);
  await feed(going, 60_000, 20);
  await going.close("complete");
  await until(() => two.storage.pending.objects === 0);
  const theirs = s3.objects.get(media)!.body;

  const again = await machine("one", one.spool);
  expect(again.storage.left).toEqual([media]);
  await again.recordings.recover(async () => "nobodys");
  await until(() => again.storage.pending.objects === 0);
  expect(s3.objects.get(media)?.body).toEqual(theirs);
  const aside = [...s3.objects.keys()].filter((key) => key.includes("/aside-"));
  expect(aside).toHaveLength(1);
  expect(s3.objects.get(aside[0]!)?.body).toEqual(mine);
  expect(one.spool.objects.size).toBe(0);
  expect(logged.at(-1)).toMatch(/only this one had some of it: that was set aside/);
});

it("what everybody has is dropped, and a recording that comes back goes on with the other bridge's part", async () => {
  const one = await machine("one");
  const recorder = await one.open();
  const { media } = keysOf(recorder.id);
  await feed(recorder, 0, 4);
  await recorder.close("recording");
  kill(one);
  // The machine moves with its disk: everything is there.
  const copy = new MemoryStorage();
  for (const [key, object] of one.spool.objects) copy.objects.set(key, { ...object });
  const two = await machine("two", copy);
  const going = await two.open();
  await feed(going, 10_000, 20);
  await until(() => partsSent() > 2);
  await going.close("recording");
  await until(() => s3.objects.has(keysOf(recorder.id).record));
  kill(two);

  const again = await machine("one", one.spool);
  const back = await again.open();
  expect(logged).toContain("what the spool had of an object is in S3 too: dropped here");
  expect(back.index.durationUs).toBeGreaterThan(2_000_000);
  await feed(back, 30_000, 10);
  await back.close("complete");
  await until(() => again.storage.pending.objects === 0);
  expect(s3.objects.get(media)?.body.length).toBe(back.index.bytes);
});

it("uploads of recordings that are over or deleted are given up; those of running ones stay, however old", async () => {
  const one = await machine("one");
  const running = await one.open();
  await feed(running, 0, 20);
  await until(() => partsSent() === 4 && s3.objects.has(keysOf(running.id).record));
  const gone = "f".repeat(32);
  const stray = await machine("stray");
  await (await stray.storage.append(keysOf(gone).media, "video/mp4", true)).append(new Uint8Array(12_000));
  await (await stray.storage.append("elsewhere/big", "video/mp4", true)).append(new Uint8Array(12_000));
  await until(() => partsSent() === 8);
  kill(stray);

  const young = await machine("two");
  await young.recordings.recover(async () => "theirs");
  expect(s3.uploads.size).toBe(3);
  hourMs = ORPHAN_AGE_MS + 60_000;
  const two = await machine("two");
  await two.recordings.recover(async () => "theirs");
  expect([...s3.uploads.values()].map(({ key }) => key).sort()).toEqual([
    "elsewhere/big",
    keysOf(running.id).media,
  ]);
  expect(logged.at(-1)).toBe("uploads that were left were given up");
  // It is not looked for again and again.
  const asked = s3.asked.length;
  await two.recordings.recover(async () => "theirs");
  expect(s3.asked.slice(asked).filter((line) => line.includes("uploads"))).toEqual([]);
  await running.close("complete");
  await until(() => one.storage.pending.objects === 0);
  expect(s3.objects.get(keysOf(running.id).media)?.body.length).toBe(running.index.bytes);
});
