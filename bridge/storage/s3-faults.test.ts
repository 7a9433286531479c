/** What S3 may do to an upload and a read that is worse than refusing: forget, lie, hang up half-way. Nothing is lost, nothing is mixed up. */
import { afterEach, expect, test } from "vitest";
import type { Clock } from "../../core/clock.ts";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { wallClock } from "../../test/sim/wall-clock.ts";
import { S3Storage, type S3StorageOptions } from "./s3-storage.ts";
import { bytesOf, readAll } from "./storage.contract.ts";
import type { Appending } from "./storage.ts";
import { ACCESS, type Fault, MemoryS3 } from "./testing/memory-s3.ts";
import { MemoryStorage } from "./testing/memory-storage.ts";

const PART = 10_000;
const KEY = "recordings/a/media.mp4";
/** Three whole parts and a bit. */
const MEDIA = bytesOf(PART * 3 + 1_234, 77);

/** Back-offs pass four hundred times faster than they say. */
const hurried: Clock = {
  nowUs: wallClock.nowUs,
  after: (delayMs, task) => wallClock.after(delayMs / 400, task),
};

const opened: S3Storage[] = [];
afterEach(() => {
  for (const storage of opened.splice(0)) storage.close();
});

async function open(s3: MemoryS3, spool = new MemoryStorage(), change: Partial<S3StorageOptions> = {}) {
  const storage = await S3Storage.open({
    endpoint: "http://s3.test",
    bucket: "bucket",
    region: "eu-test-1",
    credentials: () => ACCESS,
    pathStyle: true,
    send: s3.send,
    clock: hurried,
    random: () => 0.5,
    spool,
    partBytes: PART,
    onProblem: () => undefined,
    ...change,
  });
  opened.push(storage);
  return storage;
}

async function until(condition: () => boolean, what = ""): Promise<void> {
  await expect.poll(condition, { timeout: 15_000, interval: 5, message: what }).toBe(true);
}

const partsSent = (s3: MemoryS3): number =>
  [...s3.uploads.values()].reduce((sum, { parts }) => sum + parts.size, 0);
const drained = (storage: S3Storage, what = ""): Promise<void> =>
  until(() => storage.pending.objects === 0, what);

async function expectStored(s3: MemoryS3, bytes: Uint8Array, what = ""): Promise<void> {
  const stored = s3.objects.get(KEY)?.body ?? new Uint8Array();
  expect(stored.length, what).toBe(bytes.length);
  expect(Buffer.compare(stored, bytes), what).toBe(0);
}

test("what a crash has torn is cut off; a part that held it goes out anew, even one of the same length", async () => {
  for (const kept of [PART * 3 + 5, PART * 2 + 5, PART + 1, PART, 7, 0]) {
    const s3 = new MemoryS3();
    const spool = new MemoryStorage();
    const first = await open(s3, spool);
    await (await first.append(KEY, "video/mp4")).append(MEDIA);
    await until(() => partsSent(s3) === 3);
    first.close();
    spool.crash();

    const storage = await open(s3, spool);
    const growing = await storage.append(KEY, "video/mp4");
    await growing.cut(kept);
    const rest = bytesOf(MEDIA.length - kept, 5);
    await growing.append(rest);
    await growing.finish();
    await drained(storage);
    await expectStored(s3, Buffer.concat([MEDIA.subarray(0, kept), rest]), `cut to ${kept}`);
    expect(s3.uploads.size).toBe(0);
  }
});

test("a part that S3 has otherwise, a forgotten upload and a wrong ETag are all sent anew", async () => {
  for (const spoil of ["short part", "no part", "no upload", "etag"]) {
    const s3 = new MemoryS3();
    let spoilt = false;
    s3.fault = ({ query }): Fault => {
      if (spoilt || query.get("partNumber") !== "3") return undefined;
      spoilt = true;
      const [[id, upload] = []] = [...s3.uploads];
      if (spoil === "short part") upload!.parts.set(1, { body: new Uint8Array(5), etag: '"short"' });
      if (spoil === "no part") upload!.parts.delete(2);
      if (spoil === "no upload") s3.uploads.delete(id!);
      return spoil === "etag" ? "wrong-etag" : undefined;
    };
    const storage = await open(s3);
    const growing = await storage.append(KEY, "video/mp4");
    await growing.append(MEDIA);
    await growing.finish();
    await drained(storage, spoil);
    expect(spoilt).toBe(true);
    await expectStored(s3, MEDIA, spoil);
  }
});

test("the answer to a completion is lost more often than is tried: what S3 has counts", async () => {
  const s3 = new MemoryS3();
  let completions = 0;
  s3.fault = ({ method, query }) =>
    method === "POST" && query.has("uploadId") && ++completions <= 6 ? "cut" : undefined;
  const storage = await open(s3);
  const growing = await storage.append(KEY, "video/mp4");
  await growing.append(MEDIA);
  await growing.finish();
  await drained(storage);
  expect(completions).toBeGreaterThanOrEqual(1);
  await expectStored(s3, MEDIA);
});

test("an object that was put while an older one of its name goes out is what is there in the end", async () => {
  const s3 = new MemoryS3();
  let puts = 0;
  s3.fault = ({ method }) => (method === "PUT" && ++puts % 2 === 1 ? "cut" : undefined);
  const storage = await open(s3);
  await Promise.all([10_500, 300, 25_000, 4_000].map((size) => storage.put(KEY, bytesOf(size, size), "x/y")));
  await storage.put(KEY, MEDIA, "video/mp4");
  await drained(storage);
  await expectStored(s3, MEDIA);
});

/** Answers to GET that end after some bytes: the connection is cut, or just ends. */
function cuttingReads(s3: MemoryS3, cuts: number, how: "error" | "end", length = 7_000) {
  const seen = { reads: 0 };
  const send = async (url: string, init: RequestInit): Promise<Response> => {
    const answer = await s3.send(url, init);
    if (init.method !== "GET" || !answer.ok || ++seen.reads > cuts) return answer;
    const bytes = new Uint8Array(await answer.arrayBuffer()).slice(0, length);
    let sent = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (!sent && length > 0) controller.enqueue(bytes);
        else if (how === "error") controller.error(new TypeError("terminated"));
        else controller.close();
        sent = true;
      },
    });
    return new Response(body, { status: answer.status, headers: answer.headers });
  };
  return { seen, send };
}

test("a read whose connection is cut goes on where it was cut, with and without a range", async () => {
  for (const how of ["error", "end"] as const) {
    for (const range of [undefined, { offset: 10, length: 25_000 }]) {
      const s3 = new MemoryS3();
      const writer = await open(s3);
      await writer.put(KEY, MEDIA, "video/mp4");
      await drained(writer);
      const { seen, send } = cuttingReads(s3, 3, how);
      const reader = await open(s3, undefined, { send });
      const { offset, length } = range ?? { offset: 0, length: MEDIA.length };
      expect(await readAll(reader, KEY, range)).toEqual(MEDIA.slice(offset, offset + length));
      expect(seen.reads).toBe(4);
    }
  }
});

test("a read that goes on never mixes two versions of an object, and gives up in the end", async () => {
  const s3 = new MemoryS3();
  const writer = await open(s3);
  await writer.put(KEY, MEDIA, "video/mp4");
  await drained(writer);
  const { send } = cuttingReads(s3, 1, "error");
  const reader = await open(s3, undefined, { send });
  const found = await reader.read(KEY);
  await writer.put(KEY, bytesOf(MEDIA.length, 3), "video/mp4");
  await drained(writer);
  await expect(new Response(found?.body).arrayBuffer()).rejects.toThrow(/has changed while it was read/);
  const endless = cuttingReads(s3, 100, "error", 0);
  const never = await open(s3, undefined, { send: endless.send });
  await expect(readAll(never, KEY)).rejects.toThrow(/cut off/);
});

test("seeded: appends, cuts, crashes and faults of every kind in any order leave exactly what was safe", async () => {
  const runs = Number(process.env.S3_FUZZ_RUNS ?? 25);
  for (let seed = 1; seed <= runs; seed++) {
    const random = seededRandom(seed);
    const s3 = new MemoryS3();
    const faults: Fault[] = ["lost", "cut", "wrong-etag", { status: 503 }, { status: 403 }, { status: 400 }];
    let faulty = true;
    s3.fault = () => (faulty && random() < 0.15 ? faults[Math.floor(random() * faults.length)] : undefined);
    const spool = new MemoryStorage();
    let storage = await open(s3, spool);
    const begin = async (): Promise<Appending> => {
      for (;;) {
        try {
          return await storage.append(KEY, "video/mp4");
        } catch {
          // S3 is asked whether there is an older one, and may refuse.
        }
      }
    };
    let growing = await begin();
    let expected = new Uint8Array();
    for (let step = 0; step < 25; step++) {
      const dice = random();
      if (dice < 0.7) {
        const more = bytesOf(Math.floor(random() * 9_000), step + 1);
        await growing.append(more);
        expected = new Uint8Array(Buffer.concat([expected, more]));
      } else if (dice < 0.85) {
        expected = expected.slice(0, Math.floor(random() * (expected.length + 1)));
        await growing.cut(expected.length);
      } else {
        storage.close();
        spool.crash();
        storage = await open(s3, spool);
        growing = await begin();
        expect(growing.safeBytes, `seed ${seed}`).toBe(expected.length);
      }
    }
    await growing.finish();
    faulty = false;
    await drained(storage, `seed ${seed}`);
    await expectStored(s3, expected, `seed ${seed}`);
  }
});
