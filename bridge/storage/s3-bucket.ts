/** The calls of S3's API that storage needs, on one bucket: bytes and sizes out, S3Error when it refuses. */
import { LISTED_KEYS, MAX_UPLOAD_PARTS } from "./limits.ts";
import type { S3Client } from "./s3-client.ts";
import { noAnswer, refusal, S3Error } from "./s3-error.ts";
import { elementsOf, escaped, textOf } from "./s3-xml.ts";
import type { StoredObject } from "./storage.ts";

/** One part of a multipart upload that S3 has. */
export interface UploadedPart {
  etag: string;
  bytes: number;
}

interface Page {
  objects: StoredObject[];
  /** Token of the next page. */
  next: string | undefined;
}

export class S3Bucket {
  readonly #client: S3Client;

  constructor(client: S3Client) {
    this.#client = client;
  }

  async put(key: string, body: Uint8Array, contentType: string, signal?: AbortSignal): Promise<void> {
    const headers = { "content-type": contentType };
    await this.#client.sendForText({ method: "PUT", key, headers, body, signal });
  }

  /** Size, or undefined = there is none. */
  async size(key: string, signal?: AbortSignal): Promise<number | undefined> {
    const answer = await this.#client.send({ method: "HEAD", key, accept: [404], signal });
    await answer.body?.cancel();
    if (answer.status === 404) return undefined;
    return wholeNumber(answer.headers.get("content-length") ?? undefined, `HEAD ${key}`);
  }

  /**
   * Bytes from `offset` on, at most `length`, and the object's size and version; undefined = there is none. With `etag`, of that version
   * alone: another one is an S3Error.
   */
  async get(key: string, offset: number, length: number | undefined, etag?: string) {
    const last = length === undefined ? "" : offset + length - 1;
    const range = offset > 0 || length !== undefined ? { range: `bytes=${offset}-${last}` } : {};
    const answer = await this.#client.send({
      method: "GET",
      key,
      headers: { ...range, ...(etag === undefined ? {} : { "if-match": etag }) },
      accept: [404, 416],
    });
    if (answer.status === 404) {
      await answer.body?.cancel();
      return undefined;
    }
    const total = answer.headers.get("content-range")?.match(/\/(\d+)$/)?.[1];
    if (answer.status === 416) {
      await answer.body?.cancel();
      // An empty object has no range that could be met, and not everybody says how large the object is.
      const bytes = total === undefined ? await this.size(key) : Number(total);
      return bytes === undefined ? undefined : { body: null, bytes, etag: undefined };
    }
    if ("range" in range && answer.status !== 206) {
      await answer.body?.cancel();
      throw new S3Error(`S3 sent all of ${key} where a range was asked for: use storage that knows ranges.`, {
        status: answer.status,
        code: "",
        temporary: false,
      });
    }
    const bytes = wholeNumber(total ?? answer.headers.get("content-length") ?? undefined, `GET ${key}`);
    return { body: answer.body, bytes, etag: answer.headers.get("etag") ?? undefined };
  }

  async delete(key: string): Promise<void> {
    await this.#client.sendForText({ method: "DELETE", key, accept: [404] });
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    let next: string | undefined;
    do {
      const page: Page = await this.#page(prefix, next);
      yield* page.objects;
      next = page.next;
    } while (next !== undefined);
  }

  /** Begins a multipart upload; returns its id. */
  async begin(key: string, contentType: string, signal?: AbortSignal): Promise<string> {
    const headers = { "content-type": contentType };
    const { text } = await this.#client.sendForText({
      method: "POST",
      key,
      query: { uploads: "" },
      headers,
      signal,
    });
    const id = textOf(text, "UploadId");
    if (!id) throw noAnswer(`POST ${key}?uploads`, new Error("an answer without an upload's id"));
    return id;
  }

  /** Sends part `number`, from 1; returns its ETag. */
  async sendPart(key: string, uploadId: string, number: number, body: Uint8Array, signal?: AbortSignal) {
    const query = { partNumber: String(number), uploadId };
    const { headers } = await this.#client.sendForText({ method: "PUT", key, query, body, signal });
    const etag = headers.get("etag");
    if (!etag) throw noAnswer(`PUT ${key}, part ${number}`, new Error("an answer without ETag"));
    return etag;
  }

  /** What S3 has of an upload, by part number; undefined = there is no such upload. */
  async parts(key: string, uploadId: string, signal?: AbortSignal) {
    const parts = new Map<number, UploadedPart>();
    for (let marker = "0"; parts.size <= MAX_UPLOAD_PARTS; ) {
      const query = { uploadId, "part-number-marker": marker };
      const { text, status } = await this.#client.sendForText({
        method: "GET",
        key,
        query,
        // 501: not everybody tells; then the upload is made anew.
        accept: [404, 405, 501],
        signal,
      });
      if (status !== 200) return undefined;
      for (const part of elementsOf(text, "Part")) {
        const number = Number(textOf(part, "PartNumber"));
        const etag = textOf(part, "ETag");
        const bytes = Number(textOf(part, "Size"));
        if (etag && Number.isSafeInteger(number) && Number.isSafeInteger(bytes))
          parts.set(number, { etag, bytes });
      }
      const next = textOf(text, "NextPartNumberMarker");
      if (textOf(text, "IsTruncated") !== "true" || !next || next === marker) break;
      marker = next;
    }
    return parts;
  }

  /** Ids of the uploads that were begun for this very key and neither completed nor aborted. */
  async uploads(key: string, signal?: AbortSignal): Promise<string[]> {
    const query = { uploads: "", prefix: key };
    const { text, status } = await this.#client.sendForText({
      method: "GET",
      key: "",
      query,
      accept: [405, 501],
      signal,
    });
    if (status !== 200) return [];
    return elementsOf(text, "Upload")
      .filter((upload) => textOf(upload, "Key") === key)
      .flatMap((upload) => textOf(upload, "UploadId") ?? []);
  }

  async complete(
    key: string,
    uploadId: string,
    etags: readonly string[],
    signal?: AbortSignal,
  ): Promise<void> {
    const parts = etags.map(
      (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`,
    );
    const body = new TextEncoder().encode(
      `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join("")}</CompleteMultipartUpload>`,
    );
    const headers = { "content-type": "application/xml" };
    const doing = `POST ${key}?uploadId`;
    const { text } = await this.#client.sendForText({
      method: "POST",
      key,
      query: { uploadId },
      headers,
      body,
      signal,
    });
    // S3 answers 200 before it knows, to keep the connection alive; what went wrong is in the body.
    const [error] = elementsOf(text, "Error");
    if (error !== undefined) throw refusal({ doing, status: 500, code: textOf(error, "Code") ?? "" });
  }

  async abort(key: string, uploadId: string, signal?: AbortSignal): Promise<void> {
    await this.#client.sendForText({ method: "DELETE", key, query: { uploadId }, accept: [404], signal });
  }

  async #page(prefix: string, token: string | undefined): Promise<Page> {
    const query = { "list-type": "2", prefix, "max-keys": String(LISTED_KEYS) };
    const { text } = await this.#client.sendForText({
      method: "GET",
      key: "",
      query: token === undefined ? query : { ...query, "continuation-token": token },
    });
    const objects = elementsOf(text, "Contents").map((entry) => ({
      key: textOf(entry, "Key") ?? "",
      bytes: wholeNumber(textOf(entry, "Size"), "GET (list)"),
      modifiedMs: Date.parse(textOf(entry, "LastModified") ?? "") || 0,
    }));
    const next = textOf(text, "NextContinuationToken");
    return { objects, next: textOf(text, "IsTruncated") === "true" && next !== token ? next : undefined };
  }
}

function wholeNumber(text: string | undefined, doing: string): number {
  const number = Number(text ?? Number.NaN);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw noAnswer(doing, new Error("an answer without a size"));
}
