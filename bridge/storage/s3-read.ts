/** Reads objects from S3: whole, or a range, or nothing but their length. */
import { sliceBody } from "./body-slice.ts";
import { resumableBody } from "./s3-body.ts";
import type { S3Client } from "./s3-client.ts";
import { StorageError } from "./storage.ts";

export interface ByteRange {
  offset: number;
  length: number;
}

interface Found {
  body: ReadableStream<Uint8Array>;
  /** Of the whole object. */
  bytes: number;
}

/** An object, or a range of it, as S3 has it; undefined: it has none. */
export async function readRemote(
  client: S3Client,
  key: string,
  range?: ByteRange,
): Promise<Found | undefined> {
  const isEmpty = range?.length === 0;
  const headers: Record<string, string> =
    range === undefined || isEmpty
      ? {}
      : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
  const response = await client
    .request({ method: isEmpty ? "HEAD" : "GET", key, headers })
    .catch((error: unknown) => {
      // Nothing of the range is there: how long the object is has to be asked.
      if (error instanceof StorageError && "status" in error && error.status === 416) return undefined;
      throw error;
    });
  if (response === undefined) return await emptyOf(client, key);
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  const length = Number(response.headers.get("content-length"));
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  const bytes = total === undefined ? length : Number(total);
  if (response.body === null || isEmpty) return { body: emptyBody(), bytes };
  const offset = range?.offset ?? 0;
  const from = start === undefined ? 0 : Number(start);
  if (range !== undefined && !(from === offset && length <= range.length)) {
    return { body: sliceBody(response.body, offset - from, range.length), bytes };
  }
  const end = Math.min(bytes, offset + (range?.length ?? bytes));
  const part = { key, body: response.body, offset, end, etag: response.headers.get("etag") };
  return { body: resumableBody(client, part), bytes };
}

async function emptyOf(client: S3Client, key: string): Promise<Found | undefined> {
  const response = await client.request({ method: "HEAD", key });
  if (response.status === 404) return undefined;
  return { body: emptyBody(), bytes: Number(response.headers.get("content-length")) };
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
