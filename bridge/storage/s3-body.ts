/**
 * The bytes of an object as they come from S3. A connection that is cut, or ends too early, is opened anew where it was cut, for the same
 * version of the object alone (If-Match, RFC 9110, 13.1.1), so that a download of hours outlives it.
 */
import { MAX_TRIES } from "./limits.ts";
import { type S3Client, S3Error } from "./s3-client.ts";
import { StorageError } from "./storage.ts";

export interface BodyPart {
  key: string;
  /** From `offset` on. */
  body: ReadableStream<Uint8Array>;
  /** First byte, and the one behind the last, in the object. */
  offset: number;
  end: number;
  /** Its version; null = not said, and a cut is the end. */
  etag: string | null;
}

/** Errors of the stream are StorageErrors. */
export function resumableBody(client: S3Client, part: BodyPart): ReadableStream<Uint8Array> {
  const { key, end } = part;
  let reader = part.body.getReader();
  let at = part.offset;
  let cuts = 0;
  const reopen = async (cause: unknown): Promise<void> => {
    cuts += 1;
    if (cuts >= MAX_TRIES || part.etag === null) {
      throw new StorageError(`The storage's answer for ${key} was cut off: read it again.`, true, { cause });
    }
    const headers = { range: `bytes=${at}-${end - 1}`, "if-match": part.etag };
    const answer = await client.request({ method: "GET", key, headers }).catch((error: unknown) => {
      if (error instanceof S3Error && error.status === 412) throw changed(key, error);
      throw error;
    });
    if (answer.status !== 206 || answer.body === null) {
      await answer.body?.cancel();
      throw changed(key, cause);
    }
    reader = answer.body.getReader();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (at < end) {
          const { value, cause } = await nextOf(reader);
          if (value === undefined) {
            await reopen(cause);
            continue;
          }
          const bytes = value.subarray(0, end - at);
          if (bytes.length === 0) continue;
          // It gets on: only cuts in a row without a byte between them are counted.
          cuts = 0;
          at += bytes.length;
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

async function nextOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<{ value: Uint8Array | undefined; cause: unknown }> {
  try {
    const { value } = await reader.read();
    return { value, cause: undefined };
  } catch (cause) {
    return { value: undefined, cause };
  }
}

function changed(key: string, cause: unknown): StorageError {
  return new StorageError(`${key} has changed while it was read: read it again.`, true, { cause });
}
