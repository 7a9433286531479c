/**
 * An S3 in memory for tests: objects, lists in pages, multipart uploads with all their rules (part sizes, ETags, listing, giving up), checked
 * signatures and payload hashes. `fault` makes it misbehave.
 */
import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";

export const ACCESS = { accessKeyId: "AKIDTEST", secretAccessKey: "secret/of+tests" };

const MARK = "x-amz-meta-upload";

interface Upload {
  key: string;
  parts: Map<number, { body: Uint8Array; etag: string }>;
  initiatedMs: number;
  mark: string;
}

interface Asked {
  method: string;
  key: string;
  query: URLSearchParams;
  body: Uint8Array;
}

export type Fault =
  /** Answers so instead. */
  | { status: number; code?: string; headers?: Record<string, string> }
  /** "lost": nothing arrives; "cut": it is done, and the answer is lost; "wrong-etag": the answer's ETag is not the object's. */
  | "lost"
  | "cut"
  | "wrong-etag"
  | undefined;

export class MemoryS3 {
  readonly objects = new Map<string, { body: Uint8Array; etag: string; modifiedMs: number; mark: string }>();
  readonly uploads = new Map<string, Upload>();
  readonly asked: string[] = [];
  /** Services differ: some cannot list uploads. */
  canListUploads = true;
  minPartBytes = 1_000;
  pageSize = 3;
  sessionToken: string | undefined;
  nowMs = 1_000;
  fault: (asked: Asked) => Fault = () => undefined;
  #ids = 0;

  readonly send = async (url: string, init: RequestInit): Promise<Response> => {
    const at = new URL(url);
    const [, bucket = "", ...rest] = at.pathname.split("/");
    const asked: Asked = {
      method: init.method ?? "GET",
      key: decodeURIComponent(rest.join("/")),
      query: at.searchParams,
      body: new Uint8Array(await new Response(init.body ?? null).arrayBuffer()),
    };
    this.asked.push(`${asked.method} ${asked.key}${at.search}`);
    const fault = this.fault(asked);
    if (fault === "lost") throw new TypeError("fetch failed");
    if (typeof fault === "object") return refuse(fault.status, fault.code ?? "Fault", fault.headers);
    const refusal =
      bucket === "bucket" ? await this.#unsigned(url, init, asked) : refuse(404, "NoSuchBucket");
    const response = refusal ?? this.#answer(asked, new Headers(init.headers));
    if (fault === "cut") throw new TypeError("terminated");
    if (fault === "wrong-etag") response.headers.set("etag", '"0000"');
    return response;
  };

  async #unsigned(url: string, init: RequestInit, { body }: Asked): Promise<Response | undefined> {
    const headers = new Headers(init.headers);
    const hash = createHash("sha256").update(body).digest("hex");
    if (headers.get("x-amz-content-sha256") !== hash) return refuse(400, "XAmzContentSHA256Mismatch");
    if ((headers.get("x-amz-security-token") ?? undefined) !== this.sessionToken)
      return refuse(403, "InvalidToken");
    const given = headers.get("authorization") ?? "";
    headers.delete("authorization");
    headers.delete("x-amz-security-token");
    const signer = new AwsV4Signer({
      url,
      method: init.method ?? "GET",
      headers,
      ...ACCESS,
      ...(this.sessionToken === undefined ? {} : { sessionToken: this.sessionToken }),
      service: "s3",
      region: "eu-test-1",
      datetime: headers.get("x-amz-date") ?? "",
    });
    return (await signer.authHeader()) === given ? undefined : refuse(403, "SignatureDoesNotMatch");
  }

  #answer(asked: Asked, headers: Headers): Response {
    const { method, key, query, body } = asked;
    if (key === "") return query.has("uploads") ? this.#listUploads(query) : this.#list(query);
    const uploadId = query.get("uploadId");
    if (method === "POST" && query.has("uploads")) {
      const id = `upload-${++this.#ids}`;
      this.uploads.set(id, { key, parts: new Map(), initiatedMs: this.nowMs, mark: headers.get(MARK) ?? "" });
      return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    }
    if (uploadId !== null) return this.#multipart(asked, uploadId);
    if (method === "PUT") return this.#store(key, body, "");
    if (method === "DELETE") {
      this.objects.delete(key);
      return new Response(null, { status: 204 });
    }
    return this.#get(key, method, headers);
  }

  #get(key: string, method: string, headers: Headers): Response {
    const found = this.objects.get(key);
    if (found === undefined) return refuse(404, "NoSuchKey");
    if (![null, found.etag].includes(headers.get("if-match"))) return refuse(412, "PreconditionFailed");
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.get("range") ?? "");
    const [from, to] = range ? [Number(range[1]), Number(range[2]) + 1] : [0, found.body.length];
    if (range && from >= found.body.length) return refuse(416, "InvalidRange");
    const part = found.body.slice(from, to);
    const answer = { etag: found.etag, [MARK]: found.mark, "content-length": String(part.length) };
    const init = range
      ? {
          status: 206,
          headers: {
            ...answer,
            "content-range": `bytes ${from}-${from + part.length - 1}/${found.body.length}`,
          },
        }
      : { headers: answer };
    return new Response(method === "HEAD" ? null : part, init);
  }

  #store(key: string, body: Uint8Array, mark: string): Response {
    const etag = etagOf(body);
    this.objects.set(key, { body, etag, modifiedMs: this.nowMs, mark });
    return new Response(null, { headers: { etag } });
  }

  #multipart({ method, key, query, body }: Asked, uploadId: string): Response {
    const upload = this.uploads.get(uploadId);
    if (upload === undefined || upload.key !== key) return refuse(404, "NoSuchUpload");
    if (method === "DELETE") {
      this.uploads.delete(uploadId);
      return new Response(null, { status: 204 });
    }
    if (method === "GET") return this.#listParts(upload, query);
    if (method === "PUT") {
      const etag = etagOf(body);
      upload.parts.set(Number(query.get("partNumber")), { body, etag });
      return new Response(null, { headers: { etag } });
    }
    const wanted = [
      ...new TextDecoder().decode(body).matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)</g),
    ];
    const parts = wanted.map(([, number, etag = ""]) => {
      const part = upload.parts.get(Number(number));
      return part?.etag === etag.replaceAll("&#34;", '"') ? part.body : undefined;
    });
    if (parts.length === 0 || parts.includes(undefined)) return refuse(400, "InvalidPart");
    const bodies = parts as Uint8Array[];
    if (bodies.slice(0, -1).some((part) => part.length < this.minPartBytes))
      return refuse(400, "EntityTooSmall");
    this.uploads.delete(uploadId);
    this.#store(key, joined(bodies), upload.mark);
    return xml("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>");
  }

  #list(query: URLSearchParams): Response {
    const after = query.get("continuation-token") ?? "";
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(query.get("prefix") ?? "")).sort();
    const rest = keys.filter((key) => key > after);
    const page = rest.slice(0, this.pageSize);
    const entries = page.map((key) => {
      const { body, modifiedMs } = this.objects.get(key)!;
      const modified = new Date(modifiedMs).toISOString();
      return `<Contents><Key>${key}</Key><LastModified>${modified}</LastModified><Size>${body.length}</Size></Contents>`;
    });
    const more = rest.length > page.length;
    const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
    return xml(
      `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${entries.join("")}</ListBucketResult>`,
    );
  }

  #listUploads(query: URLSearchParams): Response {
    if (!this.canListUploads) return refuse(501, "NotImplemented");
    const after = query.get("upload-id-marker") ?? "";
    const all = [...this.uploads].filter(([, { key }]) => key.startsWith(query.get("prefix") ?? ""));
    const rest = all.filter(([id]) => id > after);
    const page = rest.slice(0, this.pageSize);
    const entries = page.map(
      ([id, { key, initiatedMs }]) =>
        `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${new Date(initiatedMs).toISOString()}</Initiated></Upload>`,
    );
    const last = page.at(-1);
    const more = rest.length > page.length;
    const next = last
      ? `<NextKeyMarker>${last[1].key}</NextKeyMarker><NextUploadIdMarker>${last[0]}</NextUploadIdMarker>`
      : "";
    return xml(`<Result><IsTruncated>${more}</IsTruncated>${next}${entries.join("")}</Result>`);
  }

  #listParts({ parts }: Upload, query: URLSearchParams): Response {
    const after = Number(query.get("part-number-marker") ?? 0);
    const rest = [...parts].filter(([number]) => number > after).sort(([a], [b]) => a - b);
    const page = rest.slice(0, this.pageSize);
    const entries = page.map(
      ([number, { body, etag }]) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>${etag.replaceAll('"', "&quot;")}</ETag><Size>${body.length}</Size></Part>`,
    );
    const more = rest.length > page.length;
    const next = `<NextPartNumberMarker>${page.at(-1)?.[0] ?? after}</NextPartNumberMarker>`;
    return xml(
      `<ListPartsResult><IsTruncated>${more}</IsTruncated>${next}${entries.join("")}</ListPartsResult>`,
    );
  }
}

function joined(bodies: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(bodies.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const body of bodies) {
    all.set(body, at);
    at += body.length;
  }
  return all;
}

function etagOf(body: Uint8Array): string {
  return `"${createHash("md5").update(body).digest("hex")}"`;
}

function xml(text: string): Response {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);
}

function refuse(status: number, code: string, headers: Record<string, string> = {}): Response {
  const message = `<Error><Code>${code}</Code><Message>told &lt;so&gt;</Message></Error>`;
  return new Response(status === 304 ? null : message, { status, headers });
}
