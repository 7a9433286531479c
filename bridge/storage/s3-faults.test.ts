/** What S3 may do to an upload: refuse, hang up, forget, lie. Nothing that was appended or put is lost by it. */
import { afterEach, expect, test } from "vitest";
import { wallClock } from "../../test/sim/wall-clock.ts";
import { HandClock, settled } from "../recording/testing/hand-clock.ts";
import { UPLOAD_PART_BYTES } from "./limits.ts";
import { openS3Storage, type S3Storage } from "./s3-storage.ts";
import { bytesOf, readAll } from "./storage.contract.ts";
import { FakeS3, failed } from "./testing/fake-s3.ts";
import { MemoryStorage } from "./testing/memory-storage.ts";

const access = {
  endpoint: "http://s3.test",
  region: "eu-central-1",
  bucket: "tests",
  accessKeyId: "key",
  secretAccessKey: "secret",
  pathStyle: true,
};
const KEY = "recordings/a/media.mp4";
/** Two whole parts and a bit. */
const MEDIA = bytesOf(UPLOAD_PART_BYTES * 2 + 12_345, 77);

/** Time passes a hundred times faster than it is waited for, so that no test waits for a back-off. */
const hurried = {
  nowUs: wallClock.nowUs,
  after: (delayMs: number, task: () => void) => wallClock.after(delayMs / 100, task),
};

const opened: S3Storage[] = [];
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
});

async function open(s3: FakeS3, spool = new MemoryStorage(), clock = hurried) {
  const problems: (string | undefined)[] = [];
  const storage = await openS3Storage({
    access,
    spool,
    fetch: s3.fetch,
    clock,
    random: () => 0.5,
    onProblem: (error) => problems.push(error?.message),
  });
  opened.push(storage);
  return { storage, spool, problems };
}

async function record(storage: S3Storage, bytes = MEDIA, step = 4_000_000) {
  const growing = await storage.append(KEY, "video/mp4");
  for (let at = growing.safeBytes; at < bytes.length; at += step) {
    await growing.append(bytes.subarray(at, at + step));
  }
  return growing;
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { timeout: 15_000, interval: 5 }).toBe(true);
}

const partsSent = (s3: FakeS3): string[] =>
  s3.seen
    .filter(({ method, query }) => method === "PUT" && query.has("partNumber"))
    .map(({ query }) => query.get("partNumber")!);

const stored = (s3: FakeS3): Uint8Array | undefined => s3.objects.get(KEY)?.bytes;

test("parts go out while the object grows, and it is one object at its end; the spool is empty then", async () => {
  const s3 = new FakeS3();
  const { storage, spool } = await open(s3);
  const growing = await record(storage);
  await until(() => partsSent(s3).length === 2);
  expect(stored(s3)).toBeUndefined();
  await growing.finish();
  expect(Buffer.compare(stored(s3)!, MEDIA)).toBe(0);
  expect([...spool.objects.keys()]).toEqual([]);
  expect(storage.waiting).toEqual({ objects: 0, bytes: 0, problem: undefined });
});

test("an upload goes on after a crash with the parts that S3 has", async () => {
  const s3 = new FakeS3();
  s3.pageSize = 1;
  const first = await open(s3);
  await record(first.storage);
  await until(() => partsSent(s3).length === 2);
  await first.storage.close();
  first.spool.crash();
  s3.seen.length = 0;

  const { storage } = await open(s3, first.spool);
  const growing = await storage.append(KEY, "video/mp4");
  expect(growing.safeBytes).toBe(MEDIA.length);
  await growing.finish();
  expect(partsSent(s3)).toEqual(["3"]);
  expect(Buffer.compare(stored(s3)!, MEDIA)).toBe(0);
});

test("what a crash has torn is cut off before it goes out, and parts that held it go out anew", async () => {
  const s3 = new FakeS3();
  const first = await open(s3);
  await record(first.storage);
  await until(() => partsSent(s3).length === 2);
  await first.storage.close();
  first.spool.crash();

  const { storage } = await open(s3, first.spool);
  const growing = await storage.append(KEY, "video/mp4");
  const kept = UPLOAD_PART_BYTES + 1_000;
  await growing.cut(kept);
  const rest = bytesOf(UPLOAD_PART_BYTES, 5);
  await growing.append(rest);
  await growing.finish();
  await until(() => storage.waiting.objects === 0);
  expect(Buffer.compare(stored(s3)!, Buffer.concat([MEDIA.subarray(0, kept), rest]))).toBe(0);
  expect(s3.uploads.size).toBe(0);
});

test("a whole object that a crash kept from going out goes out by itself", async () => {
  const s3 = new FakeS3();
  s3.fault = () => failed(403, "AccessDenied");
  const first = await open(s3);
  await first.storage.put("a/record.json", bytesOf(100), "application/json");
  expect(s3.objects.size).toBe(0);
  await first.storage.close();
  first.spool.crash();

  s3.fault = () => undefined;
  const { storage } = await open(s3, first.spool);
  await until(() => s3.objects.has("a/record.json"));
  await until(() => storage.waiting.objects === 0);
});

test("while S3 refuses everything is safe and can be read; the sentence says what to do, and it goes out afterwards", async () => {
  const s3 = new FakeS3();
  s3.fault = () => failed(403, "AccessDenied");
  const { storage, problems } = await open(s3);
  await storage.put("a/record.json", bytesOf(100), "application/json");
  // It is new, but only S3 can say so.
  await expect(storage.append(KEY, "video/mp4")).rejects.toThrow(
    /AccessDenied \(403\).*allow this key to list/,
  );
  expect(await readAll(storage, "a/record.json")).toEqual(bytesOf(100));
  expect(storage.waiting.problem?.message).toMatch(/allow this key/);
  s3.fault = () => undefined;
  await until(() => storage.waiting.objects === 0);
  expect(s3.objects.get("a/record.json")?.bytes).toEqual(bytesOf(100));
  expect(problems.at(-1)).toBeUndefined();
});

test("any part of every third request fails: 503, hang-ups before and after it was done", async () => {
  const s3 = new FakeS3();
  let count = 0;
  s3.fault = () => {
    count += 1;
    if (count % 3 !== 0) return undefined;
    if (count % 2 === 0) return "after";
    return count % 9 === 0
      ? failed(503, "SlowDown", "GET", { "retry-after": "1" })
      : Promise.reject(new TypeError("fetch failed"));
  };
  const { storage } = await open(s3);
  const growing = await record(storage);
  await growing.finish();
  await until(() => storage.waiting.objects === 0);
  expect(Buffer.compare(stored(s3)!, MEDIA)).toBe(0);
  expect(Buffer.compare((await readAll(storage, KEY))!, MEDIA)).toBe(0);
  expect(count).toBeGreaterThan(8);
});

test("S3 completes an upload and its answer is lost, for longer than is tried: what S3 has counts", async () => {
  const s3 = new FakeS3();
  let completions = 0;
  s3.fault = ({ method, query }) => {
    if (method !== "POST" || !query.has("uploadId")) return undefined;
    completions += 1;
    return completions <= 6 ? "after" : undefined;
  };
  const { storage } = await open(s3);
  await (await record(storage)).finish();
  await until(() => storage.waiting.objects === 0);
  expect(completions).toBeGreaterThanOrEqual(6);
  expect(Buffer.compare(stored(s3)!, MEDIA)).toBe(0);
});

test("a wrong ETag, a part that is not what was sent, and a vanished upload are all sent anew", async () => {
  for (const spoil of ["etag", "part", "upload"]) {
    const s3 = new FakeS3();
    let spoilt = false;
    s3.fault = ({ method, query }) => {
      if (spoilt || method !== "PUT" || query.get("partNumber") !== "2") return undefined;
      spoilt = true;
      if (spoil === "etag") return new Response(null, { headers: { etag: '"of something else"' } });
      const [[id, upload] = []] = [...s3.uploads];
      if (spoil === "part") upload!.parts.set(1, { bytes: new Uint8Array(5), etag: '"short"' });
      else s3.uploads.delete(id!);
      return undefined;
    };
    const { storage } = await open(s3);
    await (await record(storage)).finish();
    await until(() => storage.waiting.objects === 0);
    expect(spoilt, spoil).toBe(true);
    expect(Buffer.compare(stored(s3)!, MEDIA), spoil).toBe(0);
    expect(s3.uploads.size, spoil).toBe(0);
  }
});

test("an upload that a killed process has begun and not noted is aborted", async () => {
  const s3 = new FakeS3();
  s3.uploads.set("orphan", { key: KEY, parts: new Map() });
  s3.uploads.set("another's", { key: `${KEY}.other`, parts: new Map() });
  const { storage } = await open(s3);
  await (await record(storage)).finish();
  await until(() => storage.waiting.objects === 0);
  expect([...s3.uploads.keys()]).toEqual(["another's"]);
});

test("a read whose connection is cut goes on where it was cut", async () => {
  const s3 = new FakeS3();
  const { storage } = await open(s3);
  const bytes = bytesOf(300_000, 8);
  await storage.put("cut", bytes, "video/mp4");
  let cuts = 0;
  const real = s3.fetch;
  const cutting: typeof fetch = async (input, init) => {
    const answer = await real(input, init);
    if (new Request(input).method !== "GET" || ++cuts > 3) return answer;
    const half = new Uint8Array(await answer.arrayBuffer()).slice(0, 70_000);
    const body = new ReadableStream({
      pull(controller) {
        if (half.length > 0 && cuts > 0) controller.enqueue(half);
        controller.error(new TypeError("terminated"));
      },
      type: undefined,
    });
    return new Response(cuts === 1 ? body : new Uint8Array(half), {
      status: answer.status,
      headers: answer.headers,
    });
  };
  const other = await openS3Storage({
    access,
    spool: new MemoryStorage(),
    fetch: cutting,
    clock: hurried,
    random: () => 0.5,
    onProblem: () => undefined,
  });
  opened.push(other);
  expect(
    Buffer.compare(
      (await readAll(other, "cut", { offset: 10, length: 250_000 }))!,
      bytes.subarray(10, 250_010),
    ),
  ).toBe(0);
  expect(cuts).toBeGreaterThan(3);
});

test("Retry-After is obeyed, and waits grow otherwise", async () => {
  const clock = new HandClock();
  const s3 = new FakeS3();
  const { storage } = await open(s3, new MemoryStorage(), clock);
  s3.fault = () => failed(503, "SlowDown", "GET", { "retry-after": "7" });
  const reading = storage.read("a").catch((error: unknown) => error);
  const seenAfter = async (ms: number): Promise<number> => {
    await clock.pass(ms);
    // Signing is done on another thread.
    await new Promise((resolve) => setTimeout(resolve, 20));
    await settled();
    return s3.seen.length;
  };
  expect(await seenAfter(0)).toBe(1);
  expect(await seenAfter(6_900)).toBe(1);
  expect(await seenAfter(200)).toBe(2);
  s3.fault = () => undefined;
  expect(await seenAfter(7_000)).toBe(3);
  expect(await reading).toBeUndefined();
});
