/**
 * How an object gets from the spool to S3, one step at a time: small ones by one PUT, others in parts of a multipart upload, which grows with
 * the object and outlives a crash. The spool holds all of it until S3 has said that it holds as much, so whatever goes wrong can begin anew.
 */
import { UPLOAD_PART_BYTES } from "./limits.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { S3Error } from "./s3-error.ts";
import type { Spool, SpoolNote } from "./spool.ts";

/** An object in the spool. */
export interface Spooled {
  readonly key: string;
  contentType: string;
  stage: SpoolNote["stage"];
  /** Safe in the spool. */
  bytes: number;
  modifiedMs: number;
  uploadId: string | undefined;
  completing: boolean;
  /** ETags of the parts that S3 has; undefined: S3 has to be asked. */
  etags: string[] | undefined;
}

/** With these the upload cannot be completed any more, only made anew. */
const SPOILT = new Set([
  "NoSuchUpload",
  "InvalidPart",
  "InvalidPartOrder",
  "EntityTooSmall",
  "InvalidArgument",
]);

export function noteOf({ contentType, stage, uploadId, completing }: Spooled): SpoolNote {
  return { contentType, stage, completing, ...(uploadId === undefined ? {} : { uploadId }) };
}

/** Something can be sent now. */
export function hasStep({ stage, bytes, etags, uploadId }: Spooled): boolean {
  if (stage === "whole") return true;
  // With an upload of an earlier process, what S3 has of it is asked when there is something to add.
  const sent = uploadId === undefined ? 0 : (etags?.length ?? 0);
  return bytes >= (sent + 1) * UPLOAD_PART_BYTES;
}

export class S3Upload {
  readonly #bucket: S3Bucket;
  readonly #spool: Spool;

  constructor(bucket: S3Bucket, spool: Spool) {
    this.#bucket = bucket;
    this.#spool = spool;
  }

  /** Does one thing; "done" = S3 has all of a whole object. Rejects with StorageError; what was done until then need not be done again. */
  async step(object: Spooled, signal: AbortSignal): Promise<"more" | "done"> {
    const { key, contentType, stage, bytes } = object;
    if (stage === "whole" && bytes <= UPLOAD_PART_BYTES && object.uploadId === undefined) {
      await this.#bucket.put(key, await this.#slice(object, 0, bytes), contentType, signal);
      return "done";
    }
    try {
      if (object.uploadId === undefined) return await this.#begin(object, signal);
      if (object.etags === undefined) return await this.#ask(object, object.uploadId, signal);
      return await this.#go(object, object.uploadId, object.etags, signal);
    } catch (error) {
      if (error instanceof S3Error && SPOILT.has(error.code)) await this.restart(object, signal);
      throw error;
    }
  }

  /** Gives up the parts that S3 has; noted first, so that no later process takes them for these bytes. */
  async restart(object: Spooled, signal?: AbortSignal): Promise<void> {
    const { key, uploadId } = object;
    object.uploadId = undefined;
    object.completing = false;
    object.etags = undefined;
    await this.#spool.note(key, noteOf(object));
    if (uploadId !== undefined) await this.#bucket.abort(key, uploadId, signal);
  }

  async #begin(object: Spooled, signal: AbortSignal): Promise<"more"> {
    const { key } = object;
    // A process that was killed before it noted its upload's id has left one that would be paid for ever.
    for (const orphan of await this.#bucket.uploads(key, signal))
      await this.#bucket.abort(key, orphan, signal);
    object.uploadId = await this.#bucket.begin(key, object.contentType, signal);
    object.etags = [];
    await this.#spool.note(key, noteOf(object));
    return "more";
  }

  /** What S3 has of an upload that an earlier process began: as many parts from the first on as are what they should be. */
  async #ask(object: Spooled, uploadId: string, signal: AbortSignal): Promise<"more" | "done"> {
    const { key, bytes, stage, completing } = object;
    const parts = await this.#bucket.parts(key, uploadId, signal);
    if (parts === undefined) {
      if (stage === "whole" && completing && (await this.#bucket.size(key, signal)) === bytes) return "done";
      await this.restart(object, signal);
      return "more";
    }
    const etags: string[] = [];
    for (let number = 1; ; number++) {
      const part = parts.get(number);
      const expected = Math.min(UPLOAD_PART_BYTES, bytes - (number - 1) * UPLOAD_PART_BYTES);
      if (part === undefined || expected <= 0 || part.bytes !== expected) break;
      etags.push(part.etag);
    }
    object.etags = etags;
    return "more";
  }

  async #go(
    object: Spooled,
    uploadId: string,
    etags: string[],
    signal: AbortSignal,
  ): Promise<"more" | "done"> {
    const { key, bytes, stage } = object;
    const at = etags.length * UPLOAD_PART_BYTES;
    if (at < bytes || etags.length === 0) {
      const length = Math.min(UPLOAD_PART_BYTES, bytes - at);
      const body = await this.#slice(object, at, length);
      etags.push(await this.#bucket.sendPart(key, uploadId, etags.length + 1, body, signal));
      return "more";
    }
    if (stage === "growing") return "more";
    object.completing = true;
    await this.#spool.note(key, noteOf(object));
    await this.#bucket.complete(key, uploadId, etags, signal);
    const stored = await this.#bucket.size(key, signal);
    if (stored === bytes) return "done";
    await this.restart(object, signal);
    throw new S3Error(`S3 holds ${stored ?? "none"} of the ${bytes} bytes of ${key}: it is sent anew.`, {
      status: 200,
      code: "",
      temporary: true,
    });
  }

  async #slice({ key }: Spooled, offset: number, length: number): Promise<Uint8Array> {
    const bytes = await this.#spool.slice(key, offset, length);
    if (bytes !== undefined) return bytes;
    throw new S3Error(`${key} has changed while it was sent: it is sent anew.`, {
      status: 0,
      code: "",
      temporary: true,
    });
  }
}
