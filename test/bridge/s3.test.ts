/** S3 over sockets: the contract of storage on s3rver, and uploads through a proxy that refuses, delays and cuts. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FileStorage } from "../../bridge/node/file-storage.ts";
import { S3Storage } from "../../bridge/storage/s3-storage.ts";
import { bytesOf, readAll, storageContract } from "../../bridge/storage/storage.contract.ts";
import { wallClock } from "../../gateway/wall-clock.ts";
import { type ProxyFault, type S3Server, startS3 } from "./s3-server.ts";

const PART_BYTES = 5 * 1024 * 1024;
let folder = "";
let server: S3Server;
let runs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "s3-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  runs += 1;
  server = await startS3(join(folder, `server-${runs}`));
});
afterEach(() => server.close());

function open(): Promise<S3Storage> {
  return S3Storage.open({
    endpoint: server.endpoint,
    bucket: server.bucket,
    region: "us-east-1",
    credentials: () => ({ accessKeyId: "S3RVER", secretAccessKey: "S3RVER" }),
    pathStyle: true,
    send: fetch,
    clock: wallClock(),
    random: Math.random,
    spool: new FileStorage({ root: join(folder, `spool-${runs}`) }),
    partBytes: PART_BYTES,
    onProblem: () => undefined,
  });
}

async function drained(storage: S3Storage): Promise<void> {
  for (let i = 0; i < 1_000 && storage.pending.objects > 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  expect(storage.pending.objects).toBe(0);
}

describe("s3rver", () => {
  const kept: S3Storage[] = [];
  for (const { name, run } of storageContract) {
    it(name, async () => {
      let storage = await open();
      kept.push(storage);
      const afterCrash = async (): Promise<S3Storage> => {
        storage.close();
        storage = await open();
        kept.push(storage);
        return storage;
      };
      await run({ storage, afterCrash, isUnordered: true });
    });
  }
});

describe("s3rver behind a bad proxy", () => {
  const part = (number: number) => (url: string) => url.includes(`partNumber=${number}&`);
  it.each<[string, number, ProxyFault, (url: string) => boolean]>([
    ["503 for everything for a while", 8, { kind: "status", status: 503 }, () => true],
    ["403 for a part", 2, { kind: "status", status: 403 }, part(2)],
    ["a part cut in the midst", 2, { kind: "cut-request", afterBytes: 2_000_000 }, part(1)],
    ["the answer to a part cut", 1, { kind: "cut-answer" }, part(2)],
    ["the answer to the completion cut", 1, { kind: "cut-answer" }, (url) => /\?uploadId=/.test(url)],
    ["a slow part", 1, { kind: "slow", delayMs: 1_000 }, part(2)],
  ])("loses nothing under %s", async (_, times, fault, hits) => {
    const storage = await open();
    const bytes = bytesOf(2 * PART_BYTES + 123_456, 11);
    const growing = await storage.append("x/media.mp4", "video/mp4");
    let left = times;
    server.fault = ({ url = "" }) => (hits(url) && left-- > 0 ? fault : undefined);
    for (let at = 0; at < bytes.length; at += 1_000_000)
      await growing.append(bytes.subarray(at, at + 1_000_000));
    await growing.finish();
    expect(await readAll(storage, "x/media.mp4", { offset: 5_000_000, length: 1_000_000 })).toEqual(
      bytes.slice(5_000_000, 6_000_000),
    );
    await drained(storage);
    expect(left).toBeLessThanOrEqual(0);
    server.fault = () => undefined;
    expect(Buffer.compare((await readAll(storage, "x/media.mp4"))!, bytes)).toBe(0);
  });
});
