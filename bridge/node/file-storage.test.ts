import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bytesOf, readAll, storageContract } from "../storage/storage.contract.ts";
import { StorageError } from "../storage/storage.ts";
import { FileStorage } from "./file-storage.ts";

let base = "";
let root = "";
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "files-"));
  root = join(base, "below", "root");
});
afterEach(() => rm(base, { recursive: true, force: true }));

/** What a killed process would have had open stays reachable: closing it is the kernel's duty then, not the collector's. */
const killed: FileStorage[] = [];
function kept(storage: FileStorage): FileStorage {
  killed.push(storage);
  return storage;
}

describe("files", () => {
  for (const { name, run } of storageContract) {
    it(name, () =>
      run({
        storage: kept(new FileStorage({ root })),
        afterCrash: async () => new FileStorage({ root, syncMs: 0 }),
      }),
    );
  }

  it("leaves nothing behind: no half-written objects, no empty folders", async () => {
    const storage = new FileStorage({ root });
    await storage.put("a/b/c", bytesOf(10), "text/plain");
    await expect(storage.put("a/b/c/d", bytesOf(10), "text/plain")).rejects.toThrow(/choose another key/);
    await expect(storage.put("a/b", bytesOf(10), "text/plain")).rejects.toThrow(StorageError);
    await storage.delete("a/b/c");
    expect(await readdir(root)).toEqual(["~unfinished"]);
    expect(await readdir(join(root, "~unfinished"))).toEqual([]);
  });

  it("follows no links in place of objects", async () => {
    await mkdir(root, { recursive: true });
    await writeFile(join(base, "secret"), "secret");
    await symlink(join(base, "secret"), join(root, "link"));
    const storage = new FileStorage({ root });
    const read = storage.read("link").then((found) => new Response(found?.body).text());
    await expect(read).rejects.toThrow(StorageError);
    await expect(storage.append("link", "text/plain")).rejects.toThrow(/symbolic link/);
    const listed: string[] = [];
    for await (const { key } of storage.list("")) listed.push(key);
    expect(listed).toEqual([]);
  });

  it("a body that is short, or cancelled, keeps no file open", async () => {
    const storage = new FileStorage({ root });
    await storage.put("big", bytesOf(1_000_000), "text/plain");
    const openFiles = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
    const before = await openFiles();
    for (let i = 0; i < 50; i++) {
      await storage.read("big", { offset: 5, length: 100_000 });
      const reader = (await storage.read("big"))!.body.getReader();
      await reader.read();
      await reader.cancel();
    }
    expect(await openFiles()).toBeLessThan(before + 20);
  });

  it("fuzzed keys reach nothing outside of the root", async () => {
    const storage = new FileStorage({ root });
    const pieces = [
      "..",
      ".",
      "/",
      "\\",
      "a",
      "%2e",
      "\0",
      "~",
      "-",
      "\u202e",
      "C:",
      "//",
      "é",
      "~unfinished",
    ];
    const seed = 20261128;
    const random = bytesOf(4 * Number(process.env.FUZZ ?? 500), seed);
    let taken = 0;
    for (let i = 0; i + 4 <= random.length; i += 4) {
      const key = [...random.subarray(i, i + 4)].map((byte) => pieces[byte % pieces.length]).join("");
      try {
        await storage.put(key, bytesOf(3), "text/plain");
        taken += 1;
        expect(await readAll(storage, key)).toEqual(bytesOf(3));
        await storage.delete(key);
      } catch (error) {
        expect(error).toBeInstanceOf(StorageError);
      }
    }
    expect(taken).toBeGreaterThan(0);
    expect(await readdir(base)).toEqual(["below"]);
    expect(await readdir(join(base, "below"))).toEqual(["root"]);
    expect(await readdir(root)).toEqual(["~unfinished"]);
  });
});
