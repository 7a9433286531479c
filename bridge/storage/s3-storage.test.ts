import { beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../core/clock.ts";
import { S3Storage, type S3StorageOptions } from "./s3-storage.ts";
import { bytesOf, readAll, storageContract } from "./storage.contract.ts";
import type { Appending, StorageError } from "./storage.ts";
import { ACCESS, type Fault, MemoryS3 } from "./testing/memory-s3.ts";
import { MemoryStorage } from "./testing/memory-storage.ts";

/** Runs so many times faster than time does: hashing takes time, so a clock that is moved by hand would run ahead of it. */
const SPEED = 400;
function swiftClock(): Clock {
  const began = performance.now();
  return {
    nowUs: () => Math.round(1_800_000_000_000_000 + (performance.now() - began) * 1000 * SPEED),
    after(delayMs, task) {
      const timer = setTimeout(task, delayMs / SPEED);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

const TYPE = "video/mp4";
let s3: MemoryS3;
let spool: MemoryStorage;
let clock: Clock;
let problems: (StorageError | undefined)[];
beforeEach(() => {
  s3 = new MemoryS3();
  spool = new MemoryStorage();
  clock = swiftClock();
  problems = [];
});

function open(change: Partial<S3StorageOptions> = {}): Promise<S3Storage> {
  return S3Storage.open({
    endpoint: "http://s3.test:9000",
    bucket: "bucket",
    region: "eu-test-1",
    credentials: () => ACCESS,
    pathStyle: true,
    send: s3.send,
    clock,
    random: () => 0.5,
    spool,
    partBytes: 10_000,
    onProblem: (error) => problems.push(error),
    ...change,
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 3_000 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(isTrue()).toBe(true);
}

/** Nothing waits for S3 any more. */
const drain = (storage: S3Storage): Promise<void> => until(() => storage.pending.objects === 0);

const partsSent = (): number => [...s3.uploads.values()].reduce((sum, { parts }) => sum + parts.size, 0);

/** What fails so often before all is well; asked of each request, or of those that `only` names. */
function failing(times: number, fault: Fault, only = /./): void {
  let left = times;
  s3.fault = ({ method, key, query }) =>
    only.test(`${method} ${key} ${query}`) && left-- > 0 ? fault : undefined;
}

describe("S3", () => {
  for (const { name, run } of storageContract) {
    it(name, async () => {
      let storage = await open();
      const afterCrash = async (): Promise<S3Storage> => {
        storage.close();
        spool.crash();
        storage = await open();
        return storage;
      };
      await run({ storage, afterCrash });
    });
  }

  it("sends full parts while an object grows, and one object is there in the end, with nothing in the spool", async () => {
    const storage = await open();
    const bytes = bytesOf(47_000);
    const growing = await storage.append("a/media.mp4", TYPE);
    for (let at = 0; at < bytes.length; at += 1_700) {
      await growing.append(bytes.subarray(at, at + 1_700));
    }
    await until(() => partsSent() === 4);
    await growing.finish();
    await drain(storage);
    expect(s3.objects.get("a/media.mp4")?.body).toEqual(bytes);
    expect(s3.uploads.size).toBe(0);
    expect(spool.objects.size).toBe(0);
  });

  it.each<[string, number, Fault, RegExp]>([
    ["503", 12, { status: 503, code: "SlowDown" }, /./],
    ["503 with Retry-After", 3, { status: 503, headers: { "retry-after": "7" } }, /PUT/],
    ["403", 10, { status: 403, code: "AccessDenied" }, /./],
    ["connections that are cut before", 10, "lost", /./],
    ["answers that are cut", 10, "cut", /PUT/],
    ["ETags of something else", 2, "wrong-etag", /partNumber/],
    ["a complete that is not answered", 1, "cut", /POST .*uploadId/],
    ["500 at complete", 3, { status: 500, code: "InternalError" }, /POST .*uploadId/],
    ["an upload that S3 has forgotten", 1, { status: 404, code: "NoSuchUpload" }, /partNumber=3/],
    ["400 for a part", 1, { status: 400, code: "XAmzContentSHA256Mismatch" }, /partNumber=2/],
  ])("loses nothing under %s", async (_, times, fault, only) => {
    const storage = await open();
    failing(times, fault, only);
    const bytes = bytesOf(35_000);
    const begin = (): Promise<Appending> => storage.append("x/media.mp4", TYPE).catch(() => begin());
    const growing = await begin();
    await growing.append(bytes);
    await Promise.all([growing.finish(), storage.put("x/record.json", bytesOf(300), "application/json")]);
    expect(await readAll(storage, "x/record.json")).toEqual(bytesOf(300));
    await drain(storage);
    expect(s3.objects.get("x/media.mp4")?.body).toEqual(bytes);
    expect(s3.objects.get("x/record.json")?.body).toEqual(bytesOf(300));
    expect(s3.uploads.size).toBeLessThanOrEqual(fault === "wrong-etag" ? 0 : 1);
  });

  it("says what is wrong while S3 refuses, and that it is well again", async () => {
    const storage = await open();
    failing(2, { status: 403, code: "AccessDenied" }, /PUT/);
    await storage.put("a", bytesOf(10), TYPE);
    await until(() => problems.length > 0);
    expect(problems[0]?.message).toMatch(/403 AccessDenied: check the access key/);
    expect(await readAll(storage, "a")).toEqual(bytesOf(10));
    await drain(storage);
    expect(problems.at(-1)).toBeUndefined();
  });

  it("obeys Retry-After within reason, and backs off with jitter", async () => {
    const storage = await open();
    failing(1, { status: 429, headers: { "retry-after": "20" } }, /PUT/);
    const beganUs = clock.nowUs();
    await storage.put("a", bytesOf(10), TYPE);
    await drain(storage);
    expect(clock.nowUs() - beganUs).toBeGreaterThan(20_000_000);
    // A day would be too long.
    failing(1, { status: 503, headers: { "retry-after": "86400" } }, /PUT/);
    await storage.put("b", bytesOf(10), TYPE);
    await drain(storage);
    expect(s3.objects.has("b")).toBe(true);
  });

  it("refuses more than the spool may hold, and takes it again later", async () => {
    const storage = await open({ maxSpoolBytes: 50_000 });
    const growing = await storage.append("big", TYPE);
    s3.fault = () => "lost";
    await growing.append(bytesOf(40_000));
    const refused = { name: "StorageError", temporary: true };
    await expect(growing.append(bytesOf(20_000))).rejects.toMatchObject(refused);
    await expect(storage.put("other", bytesOf(20_000), TYPE)).rejects.toMatchObject(refused);
    expect(growing.safeBytes).toBe(40_000);
    s3.fault = () => undefined;
    await growing.finish();
    await drain(storage);
    expect(s3.objects.get("big")?.body).toEqual(bytesOf(40_000));
    await storage.put("other", bytesOf(20_000), TYPE);
  });

  it("a process that was killed goes on with the parts that were sent, after a restart", async () => {
    const first = await open();
    const bytes = bytesOf(55_000, 7);
    const growing = await first.append("r/media.mp4", TYPE);
    await growing.append(bytes.subarray(0, 33_000));
    await until(() => partsSent() === 3);
    first.close();
    spool.crash();
    const second = await open();
    const again = await second.append("r/media.mp4", TYPE);
    expect(again.safeBytes).toBe(33_000);
    await again.append(bytes.subarray(33_000));
    await again.finish();
    await drain(second);
    expect(s3.objects.get("r/media.mp4")?.body).toEqual(bytes);
    expect(s3.asked.filter((line) => line.includes("partNumber")).length).toBe(6);
    expect(
      s3.asked.filter((line) => line.includes("uploads=")).filter((l) => l.startsWith("POST")).length,
    ).toBe(1);
  });

  it("what was finished or put before a kill is sent after the restart", async () => {
    const first = await open();
    s3.fault = () => "lost";
    await expect(first.append("r/media.mp4", TYPE)).rejects.toThrow(/cannot be reached/);
    await first.put("r/record.json", bytesOf(99), TYPE);
    first.close();
    spool.crash();
    s3.fault = () => undefined;
    const second = await open();
    await drain(second);
    expect(s3.objects.get("r/record.json")?.body).toEqual(bytesOf(99));
  });

  it("another machine goes on with what the lost one had sent", async () => {
    const lost = await open();
    const bytes = bytesOf(64_000, 3);
    await (await lost.append("m/media.mp4", TYPE)).append(bytes.subarray(0, 45_000));
    await until(() => partsSent() === 4);
    lost.close();
    spool = new MemoryStorage();
    const other = await open();
    const growing = await other.append("m/media.mp4", TYPE);
    expect(growing.safeBytes).toBe(40_000);
    expect(await readAll(other, "m/media.mp4")).toEqual(bytes.slice(0, 40_000));
    await growing.append(bytes.subarray(40_000));
    await growing.finish();
    await drain(other);
    expect(s3.objects.get("m/media.mp4")?.body).toEqual(bytes);
    expect(s3.uploads.size).toBe(0);
  });

  it("works where uploads cannot be listed", async () => {
    s3.canListUploads = false;
    const storage = await open();
    const growing = await storage.append("n", TYPE);
    await growing.append(bytesOf(25_000));
    await growing.finish();
    expect(await readAll(storage, "n")).toEqual(bytesOf(25_000));
    expect(await storage.abortOrphans("", 0, async () => true)).toBe(0);
  });

  it("gives up orphans: old ones that are not ours", async () => {
    const storage = await open();
    for (let n = 0; n < 8; n++) {
      s3.nowMs = n < 6 ? 1_000 : 1_800_000_000_000;
      await s3.send(...(await begin(`old/${n}`)));
    }
    await (await storage.append("old/mine", TYPE)).append(bytesOf(12_000));
    await until(() => partsSent() === 1);
    expect(await storage.abortOrphans("old/", 86_400_000, async (key) => key !== "old/3")).toBe(5);
    expect([...s3.uploads.values()].map(({ key }) => key).sort()).toEqual([
      "old/3",
      "old/6",
      "old/7",
      "old/mine",
    ]);
  });

  it("deleting a growing object gives its upload up", async () => {
    const storage = await open();
    const growing = await storage.append("d", TYPE);
    await growing.append(bytesOf(25_000));
    await until(() => partsSent() === 2);
    await storage.delete("d");
    expect(s3.uploads.size).toBe(0);
    expect(spool.objects.size).toBe(0);
  });

  it("speaks to the bucket's own host, with a session token", async () => {
    const hosts: string[] = [];
    s3.sessionToken = "token/of=a+session";
    const send = (url: string, init: RequestInit): Promise<Response> => {
      const at = new URL(url);
      hosts.push(at.host);
      const headers = new Headers(init.headers);
      expect(headers.get("x-amz-security-token")).toBe(s3.sessionToken);
      expect(headers.get("authorization")).toMatch(/SignedHeaders=[^,]*x-amz-security-token/);
      return Promise.resolve(new Response(null, { status: 404 }));
    };
    const credentials = () => ({ ...ACCESS, sessionToken: s3.sessionToken });
    const storage = await open({ pathStyle: false, send, credentials });
    expect(await storage.read("k")).toBeUndefined();
    expect(hosts).toEqual(["bucket.s3.test:9000"]);
    const byPath = await open({ credentials });
    await byPath.put("k", bytesOf(5), TYPE);
    expect(s3.objects.get("k")?.body).toEqual(bytesOf(5));
  });
});

/** A request that begins an upload as another client would. */
async function begin(key: string): Promise<[string, RequestInit]> {
  const caught: [string, RequestInit][] = [];
  const send = async (url: string, init: RequestInit): Promise<Response> => {
    caught.push([url, init]);
    return new Response("<UploadId>x</UploadId>");
  };
  const { beginUpload } = await import("./s3-multipart.ts");
  const { S3Client } = await import("./s3-client.ts");
  const client = new S3Client({
    endpoint: "http://s3.test:9000",
    bucket: "bucket",
    region: "eu-test-1",
    credentials: () => ACCESS,
    pathStyle: true,
    send,
    clock,
    random: () => 0.5,
  });
  await beginUpload(client, key, TYPE, "");
  return caught[0]!;
}
