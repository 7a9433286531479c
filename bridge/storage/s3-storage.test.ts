import { expect, test } from "vitest";
import { wallClock } from "../../test/sim/wall-clock.ts";
import { openS3Storage, type S3Storage } from "./s3-storage.ts";
import { storageContract } from "./storage.contract.ts";
import { FakeS3 } from "./testing/fake-s3.ts";
import { MemoryStorage } from "./testing/memory-storage.ts";

const access = {
  endpoint: "http://s3.test",
  region: "eu-central-1",
  bucket: "tests",
  accessKeyId: "key",
  secretAccessKey: "secret",
  pathStyle: true,
};

/** Reading takes a turn of the event loop, as it does from a disk: whoever reads in a loop lets others work. */
class SlowerMemory extends MemoryStorage {
  override async read(key: string, range?: { offset: number; length: number }) {
    await new Promise((resolve) => setImmediate(resolve));
    return super.read(key, range);
  }
}

function open(s3: FakeS3, spool: MemoryStorage): Promise<S3Storage> {
  return openS3Storage({
    access,
    spool,
    fetch: s3.fetch,
    clock: wallClock,
    random: () => 0.1,
    onProblem: () => undefined,
  });
}

for (const { name, run } of storageContract) {
  test(`S3: ${name}`, async () => {
    const s3 = new FakeS3();
    const spool = new SlowerMemory();
    let storage = await open(s3, spool);
    await run({
      storage,
      afterCrash: async () => {
        await storage.close();
        spool.crash();
        storage = await open(s3, spool);
        return storage;
      },
    });
    expect(storage.waiting.problem).toBeUndefined();
    await storage.close();
  });
}
