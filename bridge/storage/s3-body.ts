/** The bytes of an object as they come from S3; a connection that is cut is opened anew where it was cut, for the same version of the object. */
import { MAX_TRIES } from "./limits.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { noAnswer } from "./s3-error.ts";

export interface BodyPart {
  body: ReadableStream<Uint8Array>;
  /** Where it begins and ends in the object. */
  offset: number;
  end: number;
  etag: string | undefined;
}

/** Errors of the stream are S3Errors. */
export function resumableBody(bucket: S3Bucket, key: string, part: BodyPart): ReadableStream<Uint8Array> {
  let reader = part.body.getReader();
  let at = part.offset;
  let tries = 1;
  const reopen = async (cause: unknown): Promise<void> => {
    if (tries >= MAX_TRIES || part.etag === undefined) throw noAnswer(`GET ${key}`, cause);
    tries += 1;
    const again = await bucket.get(key, at, part.end - at, part.etag);
    if (again?.body == null) throw noAnswer(`GET ${key}`, cause);
    reader = again.body.getReader();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (at < part.end) {
          let cause: unknown = new Error("it ended too early");
          const { done, value } = await reader.read().catch((error: unknown) => {
            cause = error;
            return { done: true, value: undefined };
          });
          if (done || value === undefined) {
            await reopen(cause);
            continue;
          }
          const bytes = value.subarray(0, part.end - at);
          at += bytes.length;
          if (bytes.length === 0) continue;
          controller.enqueue(bytes);
          return;
        }
        await reader.cancel();
        controller.close();
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
