/**
 * S3 in memory behind a `fetch`, for tests: objects, pages of lists, multipart uploads with their lists, and faults on demand. It checks what real
 * S3 checks of a body: its signed hash, part sizes, ETags.
 */
import { createHash } from "node:crypto";

interface Upload {
  key: string;
  parts: Map<number, { bytes: Uint8Array; etag: string }>;
}

export interface SeenRequest {
  method: string;
  key: string;
  query: URLSearchParams;
  bytes: number;
}

const MIN_PART_BYTES = 5 * 1024 * 1024;

export class FakeS3 {
  readonly objects = new Map<string, { bytes: Uint8Array; etag: string; modified: string }>();
  readonly uploads = new Map<string, Upload>();
  readonly seen: SeenRequest[] = [];
  pageSize = 3;
  /** An answer instead of the real one; "after" = the real thing is done, but its answer lost. */
  fault: (request: SeenRequest) => Response | "after" | undefined | Promise<Response | "after" | undefined> =
    () => undefined;
  #ids = 0;

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const [, bucket, ...rest] = url.pathname.split("/");
    const body = new Uint8Array(await request.arrayBuffer());
    const seen = { method: request.method, key: rest.join("/"), query: url.searchParams, bytes: body.length };
    this.seen.push(seen);
    const fault = await Promise.race([this.fault(seen), aborted(request.signal)]);
    if (fault instanceof Response) return fault;
    const answer =
      bucket !== "tests"
        ? failed(404, "NoSuchBucket")
        : request.headers.get("x-amz-content-sha256") !== hex("sha256", body)
          ? failed(400, "XAmzContentSHA256Mismatch")
          : this.#answer(seen, body, request.headers);
    if (fault === "after") throw new TypeError("fetch failed", { cause: new Error("socket hang up") });
    return answer;
  };

  #answer({ method, key, query }: SeenRequest, body: Uint8Array, headers: Headers): Response {
    if (key === "") return query.has("uploads") ? this.#listUploads(query) : this.#list(query);
    if (query.has("uploads") || query.has("uploadId")) return this.#multipart(method, key, query, body);
    const found = this.objects.get(key);
    if (method === "PUT") {
      this.objects.set(key, {
        bytes: body,
        etag: `"${hex("md5", body)}"`,
        modified: new Date(0).toISOString(),
      });
      return new Response(null, { headers: { etag: `"${hex("md5", body)}"` } });
    }
    if (method === "DELETE") {
      this.objects.delete(key);
      return new Response(null, { status: 204 });
    }
    if (found === undefined) return failed(404, "NoSuchKey", method);
    const { bytes, etag } = found;
    if (![null, etag].includes(headers.get("if-match"))) return failed(412, "PreconditionFailed", method);
    if (method === "HEAD")
      return new Response(null, { headers: { etag, "content-length": `${bytes.length}` } });
    const range = headers.get("range")?.match(/^bytes=(\d+)-(\d*)$/);
    if (!range)
      return new Response(new Uint8Array(bytes), { headers: { etag, "content-length": `${bytes.length}` } });
    const from = Number(range[1]);
    if (from >= bytes.length) {
      return new Response(null, { status: 416, headers: { "content-range": `bytes */${bytes.length}` } });
    }
    const end = range[2] === "" ? bytes.length : Math.min(Number(range[2]) + 1, bytes.length);
    const contentRange = `bytes ${from}-${end - 1}/${bytes.length}`;
    return new Response(bytes.slice(from, end), {
      status: 206,
      headers: { etag, "content-range": contentRange },
    });
  }

  #multipart(method: string, key: string, query: URLSearchParams, body: Uint8Array): Response {
    if (query.has("uploads")) {
      const id = `upload-${++this.#ids}&more`;
      this.uploads.set(id, { key, parts: new Map() });
      return new Response(`<R><UploadId>${id.replace("&", "&amp;")}</UploadId></R>`);
    }
    const id = query.get("uploadId") ?? "";
    const upload = this.uploads.get(id);
    if (upload === undefined || upload.key !== key) return failed(404, "NoSuchUpload");
    const { parts } = upload;
    if (method === "PUT") {
      const etag = `"${hex("md5", body)}"`;
      parts.set(Number(query.get("partNumber")), { bytes: body, etag });
      return new Response(null, { headers: { etag } });
    }
    if (method === "DELETE") {
      this.uploads.delete(id);
      return new Response(null, { status: 204 });
    }
    if (method === "POST") return this.#complete(id, upload, new TextDecoder().decode(body));
    const after = Number(query.get("part-number-marker"));
    const numbers = [...parts.keys()].filter((number) => number > after).sort((a, b) => a - b);
    const page = numbers.slice(0, this.pageSize);
    const items = page.map((number) => {
      const { bytes, etag } = parts.get(number)!;
      const quoted = etag.replaceAll('"', "&quot;");
      return `<Part><PartNumber>${number}</PartNumber><ETag>${quoted}</ETag><Size>${bytes.length}</Size></Part>`;
    });
    const truncated = page.length < numbers.length;
    return new Response(
      `<ListPartsResult><NextPartNumberMarker>${page.at(-1) ?? after}</NextPartNumberMarker><IsTruncated>${truncated}</IsTruncated>${items.join("")}</ListPartsResult>`,
    );
  }

  #complete(id: string, { key, parts }: Upload, xml: string): Response {
    const named = [...xml.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>(.*?)<\/ETag>/g)];
    const chosen = named.map(([, number, etag]) => {
      const part = parts.get(Number(number));
      return part?.etag === etag!.replaceAll("&quot;", '"') ? part : undefined;
    });
    if (chosen.length === 0 || chosen.includes(undefined)) return failed(400, "InvalidPart");
    const pieces = chosen.map((part) => part!.bytes);
    if (pieces.slice(0, -1).some(({ length }) => length < MIN_PART_BYTES))
      return failed(400, "EntityTooSmall");
    const bytes = new Uint8Array(Buffer.concat(pieces));
    const etag = `"${hex("md5", bytes)}-${pieces.length}"`;
    this.objects.set(key, { bytes, etag, modified: new Date(0).toISOString() });
    this.uploads.delete(id);
    return new Response(
      `<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>`,
    );
  }

  #list(query: URLSearchParams): Response {
    const prefix = query.get("prefix") ?? "";
    const after = query.get("continuation-token") ?? "";
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, this.pageSize);
    const items = page.map((key) => {
      const { bytes, modified } = this.objects.get(key)!;
      return `<Contents><Key>${key}</Key><LastModified>${modified}</LastModified><Size>${bytes.length}</Size></Contents>`;
    });
    const truncated = page.length < keys.length;
    const next = truncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
    return new Response(
      `<ListBucketResult><IsTruncated>${truncated}</IsTruncated>${next}<KeyCount>${page.length}</KeyCount>${items.join("")}</ListBucketResult>`,
    );
  }

  #listUploads(query: URLSearchParams): Response {
    const prefix = query.get("prefix") ?? "";
    const items = [...this.uploads]
      .filter(([, { key }]) => key.startsWith(prefix))
      .map(
        ([id, { key }]) =>
          `<Upload><Key>${key}</Key><UploadId>${id.replace("&", "&amp;")}</UploadId></Upload>`,
      );
    return new Response(`<ListMultipartUploadsResult>${items.join("")}</ListMultipartUploadsResult>`);
  }
}

/** An error as S3 words it. */
export function failed(
  status: number,
  code: string,
  method = "GET",
  headers: Record<string, string> = {},
): Response {
  return new Response(method === "HEAD" ? null : `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`, {
    status,
    headers,
  });
}

function hex(algorithm: "md5" | "sha256", bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
