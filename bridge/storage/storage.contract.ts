/**
 * What every Storage does, whatever it stands on, as named cases for any test runner:
 * `for (const { name, run } of storageContract) test(name, () => run(harness))`, with a fresh harness for each.
 */
import assert from "node:assert/strict";
import { type Appending, type Storage, StorageError } from "./storage.ts";

export interface StorageHarness {
  storage: Storage;
  /** Another process that starts on the same storage after this one was killed. */
  afterCrash(): Promise<Storage>;
  /** The service behind it does not keep to the order of lists, as s3rver does not. */
  isUnordered?: boolean;
}

export interface StorageCase {
  name: string;
  run(harness: StorageHarness): Promise<void>;
}

const TYPE = "application/octet-stream";
/** Never to be seen outside of the storage's root. */
export const ODD_KEYS = [
  "",
  "/",
  "a/",
  "/a",
  "a//b",
  ".",
  "..",
  "a/..",
  "../a",
  "a/../../b",
  "a/./b",
  ".hidden",
  "a/.b",
  "a\\b",
  "..\\a",
  "C:a",
  "a\0b",
  "a b",
  "a%2e%2e",
  "%2e%2e/a",
  "a\n",
  "ä",
  "a?b",
  "a#b",
  "~unfinished/a",
  "a:b",
  "a/".repeat(40),
  "a".repeat(600),
  "．．/a",
  "a/\u2025/b",
];

export function bytesOf(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export async function readAll(
  storage: Storage,
  key: string,
  range?: { offset: number; length: number },
): Promise<Uint8Array | undefined> {
  const found = await storage.read(key, range);
  return found === undefined ? undefined : new Uint8Array(await new Response(found.body).arrayBuffer());
}

async function keysOf(storage: Storage, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys;
}

const wholeCases: StorageCase[] = [
  {
    name: "what was put is read",
    run: async ({ storage }) => {
      const bytes = bytesOf(100_000);
      await storage.put("recordings/a/media.mp4", bytes, "video/mp4");
      assert.deepEqual(await readAll(storage, "recordings/a/media.mp4"), bytes);
      assert.equal((await storage.read("recordings/a/media.mp4"))?.bytes, 100_000);
      assert.equal(await storage.read("recordings/a/other"), undefined);
      assert.equal(await storage.read("recordings/a"), undefined);
      assert.equal(await storage.read("recordings/a/media.mp4/below"), undefined);
    },
  },
  {
    name: "an empty object is an object",
    run: async ({ storage }) => {
      await storage.put("empty", new Uint8Array(), TYPE);
      assert.deepEqual(await readAll(storage, "empty"), new Uint8Array());
      assert.deepEqual(await keysOf(storage, ""), ["empty"]);
    },
  },
  {
    name: "the caller may use its bytes again at once",
    run: async ({ storage }) => {
      const bytes = bytesOf(500);
      await storage.put("mine", bytes, TYPE);
      bytes.fill(0);
      assert.deepEqual(await readAll(storage, "mine"), bytesOf(500));
    },
  },
  {
    name: "ranges are cut to what is there",
    run: async ({ storage }) => {
      const bytes = bytesOf(10_000);
      await storage.put("ranged", bytes, TYPE);
      for (const [offset, length] of [
        [0, 1],
        [0, 10_000],
        [9_999, 1],
        [5_000, 2_000],
        [9_000, 99_999],
        [10_000, 5],
        [20_000, 5],
        [17, 0],
      ] as const) {
        const read = await readAll(storage, "ranged", { offset, length });
        assert.deepEqual(read, bytes.slice(offset, offset + length), `${offset}+${length}`);
        assert.equal((await storage.read("ranged", { offset, length }))?.bytes, 10_000);
      }
    },
  },
  {
    name: "put takes the place of what was there, never half of it",
    run: async ({ storage }) => {
      const sizes = [70_000, 30_000, 0, 90_000];
      await storage.put("turn", bytesOf(1_000), TYPE);
      let stop = false;
      const reading = (async () => {
        const seen = new Set<number>();
        while (!stop) {
          const read = (await readAll(storage, "turn")) as Uint8Array;
          assert.deepEqual(read, bytesOf(read.length, read.length === 1_000 ? 1 : read.length));
          seen.add(read.length);
          // A storage in memory would never let the writer have its turn.
          await new Promise((resolve) => setImmediate(resolve));
        }
        return seen;
      })();
      for (const size of sizes) await storage.put("turn", bytesOf(size, size), TYPE);
      stop = true;
      for (const size of await reading) assert.ok([1_000, ...sizes].includes(size), `${size} bytes`);
    },
  },
  {
    name: "lists by key, with a prefix cut anywhere",
    run: async ({ storage, isUnordered }) => {
      const keys = ["b/c", "a/b-c", "a/b/c", "a/b.c", "a/b0", "a/b/c.d", "A/x", "ab"];
      for (const key of keys) await storage.put(key, bytesOf(key.length), TYPE);
      const sorted = [...keys].sort();
      const listed = async (prefix: string): Promise<string[]> => {
        const found = await keysOf(storage, prefix);
        return isUnordered === true ? found.sort() : found;
      };
      assert.deepEqual(await listed(""), sorted);
      for (const prefix of ["a", "a/", "a/b", "a/b/", "b", "zz", "a/b/c"]) {
        const expected = sorted.filter((key) => key.startsWith(prefix));
        assert.deepEqual(await listed(prefix), expected, prefix);
      }
      for await (const { key, bytes, modifiedMs } of storage.list("a/b-")) {
        assert.equal(bytes, key.length);
        assert.ok(modifiedMs >= 0);
      }
    },
  },
  {
    name: "deleted is gone; deleting nothing is nothing",
    run: async ({ storage }) => {
      await storage.put("x/y/z", bytesOf(10), TYPE);
      await storage.put("x/w", bytesOf(10), TYPE);
      await storage.delete("x/y/z");
      assert.equal(await storage.read("x/y/z"), undefined);
      assert.deepEqual(await keysOf(storage, ""), ["x/w"]);
      await storage.delete("x/y/z");
      await storage.delete("never/was");
      await storage.delete("x");
      assert.deepEqual(await keysOf(storage, ""), ["x/w"]);
      await storage.put("x/y/z", bytesOf(20), TYPE);
      assert.deepEqual(await readAll(storage, "x/y/z"), bytesOf(20));
    },
  },
  {
    name: "odd keys are refused everywhere",
    run: async ({ storage }) => {
      const refused = { name: "StorageError", temporary: false };
      for (const key of ODD_KEYS) {
        await assert.rejects(storage.put(key, bytesOf(1), TYPE), refused, key);
        await assert.rejects(storage.append(key, TYPE), refused, key);
        await assert.rejects(async () => storage.read(key), refused, key);
        await assert.rejects(storage.delete(key), refused, key);
      }
      for (const prefix of ["..", "../", "/", "a/../", ".", "a//"]) {
        await assert.rejects(keysOf(storage, prefix), refused, prefix);
      }
      assert.deepEqual(await keysOf(storage, ""), []);
    },
  },
];

async function appendAll(growing: Appending, bytes: Uint8Array, step: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += step) await growing.append(bytes.subarray(at, at + step));
}

const growingCases: StorageCase[] = [
  {
    name: "a growing object is read as far as it is safe, and listed",
    run: async ({ storage }) => {
      const bytes = bytesOf(50_000);
      const growing = await storage.append("live/media.mp4", "video/mp4");
      assert.equal(growing.safeBytes, 0);
      await growing.append(bytes.subarray(0, 20_000));
      assert.equal(growing.safeBytes, 20_000);
      assert.deepEqual(await readAll(storage, "live/media.mp4"), bytes.slice(0, 20_000));
      await growing.append(bytes.subarray(20_000));
      assert.deepEqual(
        await readAll(storage, "live/media.mp4", { offset: 19_990, length: 20 }),
        bytes.slice(19_990, 20_010),
      );
      for await (const object of storage.list("live/")) assert.equal(object.bytes, 50_000);
      assert.deepEqual(await keysOf(storage, "live/"), ["live/media.mp4"]);
      await growing.finish();
      assert.deepEqual(await readAll(storage, "live/media.mp4"), bytes);
      await assert.rejects(growing.append(bytesOf(1)), StorageError);
    },
  },
  {
    name: "one writer a key",
    run: async ({ storage }) => {
      const growing = await storage.append("one", TYPE);
      await assert.rejects(storage.append("one", TYPE), StorageError);
      await growing.finish();
      await (await storage.append("one", TYPE)).finish();
    },
  },
  {
    name: "a body that was begun before goes on while the object grows",
    run: async ({ storage }) => {
      const growing = await storage.append("both", TYPE);
      await growing.append(bytesOf(30_000));
      const found = await storage.read("both");
      await growing.append(bytesOf(30_000, 2));
      assert.equal((await new Response(found?.body).arrayBuffer()).byteLength, 30_000);
      await growing.finish();
    },
  },
  {
    name: "cut takes the end away",
    run: async ({ storage }) => {
      const growing = await storage.append("cut", TYPE);
      await growing.append(bytesOf(10_000));
      await assert.rejects(growing.cut(10_001), StorageError);
      await growing.cut(4_000);
      assert.equal(growing.safeBytes, 4_000);
      assert.equal((await readAll(storage, "cut"))?.length, 4_000);
      await growing.append(bytesOf(500, 9));
      await growing.finish();
      const expected = new Uint8Array(4_500);
      expected.set(bytesOf(10_000).subarray(0, 4_000));
      expected.set(bytesOf(500, 9), 4_000);
      assert.deepEqual(await readAll(storage, "cut"), expected);
    },
  },
  {
    name: "goes on after a crash where it was safe",
    run: async ({ storage, afterCrash }) => {
      const bytes = bytesOf(300_000, 5);
      const growing = await storage.append("a/torn", TYPE);
      await appendAll(growing, bytes.subarray(0, 200_000), 33_333);
      const next = await afterCrash();
      assert.deepEqual(await readAll(next, "a/torn"), bytes.slice(0, 200_000));
      const again = await next.append("a/torn", TYPE);
      assert.equal(again.safeBytes, 200_000);
      await again.cut(150_000);
      await appendAll(again, bytes.subarray(150_000), 70_000);
      await again.finish();
      assert.deepEqual(await readAll(next, "a/torn"), bytes);
      assert.deepEqual(await readAll(await afterCrash(), "a/torn"), bytes);
    },
  },
  {
    name: "goes on with a whole object",
    run: async ({ storage }) => {
      const bytes = bytesOf(40_000, 3);
      await storage.put("whole", bytes.subarray(0, 15_000), TYPE);
      const growing = await storage.append("whole", TYPE);
      assert.equal(growing.safeBytes, 15_000);
      await growing.append(bytes.subarray(15_000));
      await growing.finish();
      assert.deepEqual(await readAll(storage, "whole"), bytes);
    },
  },
  {
    name: "a growing object can be deleted",
    run: async ({ storage }) => {
      const growing = await storage.append("gone/soon", TYPE);
      await growing.append(bytesOf(10_000));
      await storage.delete("gone/soon");
      assert.equal(await storage.read("gone/soon"), undefined);
      await assert.rejects(growing.append(bytesOf(1)), StorageError);
      const anew = await storage.append("gone/soon", TYPE);
      assert.equal(anew.safeBytes, 0);
      await anew.finish();
      assert.deepEqual(await readAll(storage, "gone/soon"), new Uint8Array());
    },
  },
  {
    name: "many objects grow side by side",
    run: async ({ storage }) => {
      const all = await Promise.all(
        Array.from({ length: 12 }, async (_, n) => {
          const growing = await storage.append(`side/${n}`, TYPE);
          await appendAll(growing, bytesOf(20_000 + n, n + 1), 3_000);
          await growing.finish();
          return readAll(storage, `side/${n}`);
        }),
      );
      all.forEach((read, n) => {
        assert.deepEqual(read, bytesOf(20_000 + n, n + 1));
      });
    },
  },
];

export const storageContract: readonly StorageCase[] = [...wholeCases, ...growingCases];
