/** Multipart uploads of S3: begin, send parts, complete, give up; and finding those that were left (ListMultipartUploads, ListParts). */
import { MAX_UPLOAD_PARTS } from "./limits.ts";
import { type S3Client, S3Error } from "./s3-client.ts";
import { elementsOf, escaped, textOf } from "./s3-xml.ts";
import { StorageError } from "./storage.ts";

/** An upload that was begun and neither completed nor given up. */
export interface OpenUpload {
  key: string;
  uploadId: string;
  /** Milliseconds since the Unix epoch; 0 = not said. */
  initiatedMs: number;
}

export interface UploadedPart {
  number: number;
  etag: string;
  bytes: number;
}

/** Metadata that tells the object of one upload from that of another. */
export const UPLOAD_MARK = "x-amz-meta-upload";

export async function beginUpload(
  client: S3Client,
  key: string,
  contentType: string,
  mark: string,
): Promise<string> {
  const headers = { "content-type": contentType, [UPLOAD_MARK]: mark };
  const text = await client.text({ method: "POST", key, query: { uploads: "" }, headers });
  const uploadId = textOf(text, "UploadId");
  if (uploadId === "") throw new StorageError("The storage began an upload without an id.", true);
  return uploadId;
}

/** Sends a part once; returns its ETag. `number` from 1. The same number again takes the place of the first. */
export async function sendPart(
  client: S3Client,
  key: string,
  uploadId: string,
  number: number,
  body: Uint8Array,
): Promise<string> {
  const query = { partNumber: String(number), uploadId };
  const response = await client.request({ method: "PUT", key, query, body }, 1);
  await response.body?.cancel();
  const etag = response.headers.get("etag");
  if (etag === null) throw new StorageError("The storage took a part without giving its ETag.", true);
  return etag;
}

/** The object is there now. A 200 may still hold an error (CompleteMultipartUpload, "200 OK response can contain an error"). */
export async function completeUpload(
  client: S3Client,
  key: string,
  uploadId: string,
  etags: readonly string[],
): Promise<void> {
  const parts = etags.map(
    (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`,
  );
  const xml = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join("")}</CompleteMultipartUpload>`;
  const text = await client.text({
    method: "POST",
    key,
    query: { uploadId },
    headers: { "content-type": "application/xml" },
    body: new TextEncoder().encode(xml),
  });
  const code = elementsOf(text, "Error").length > 0 ? textOf(text, "Code") : "";
  if (code !== "") {
    const status = ["InternalError", "SlowDown", "ServiceUnavailable"].includes(code) ? 500 : 400;
    throw new S3Error(`The storage could not put the parts together: ${code}.`, status, code, undefined);
  }
}

/** Nothing is kept of it. No such upload is fine; so is a service that cannot, since it is tidied up by its own rules then. */
export async function abortUpload(client: S3Client, key: string, uploadId: string): Promise<void> {
  try {
    await (await client.request({ method: "DELETE", key, query: { uploadId } })).body?.cancel();
  } catch (error) {
    if (!isUnknownOrMissing(error)) throw error;
  }
}

/** All open uploads of keys with this prefix; none where the service cannot list them. */
export async function* openUploads(client: S3Client, prefix: string): AsyncIterable<OpenUpload> {
  let marker: Record<string, string> = {};
  for (;;) {
    let text: string;
    try {
      text = await client.text({ method: "GET", key: "", query: { uploads: "", prefix, ...marker } });
    } catch (error) {
      if (isUnknownOrMissing(error)) return;
      throw error;
    }
    for (const upload of elementsOf(text, "Upload")) {
      const initiatedMs = Date.parse(textOf(upload, "Initiated"));
      yield {
        key: textOf(upload, "Key"),
        uploadId: textOf(upload, "UploadId"),
        initiatedMs: Number.isNaN(initiatedMs) ? 0 : initiatedMs,
      };
    }
    const [key, id] = [textOf(text, "NextKeyMarker"), textOf(text, "NextUploadIdMarker")];
    const isSame = marker["key-marker"] === key && marker["upload-id-marker"] === id;
    if (textOf(text, "IsTruncated") !== "true" || key === "" || isSame) return;
    marker = { "key-marker": key, ...(id === "" ? {} : { "upload-id-marker": id }) };
  }
}

/** Parts that were taken, from 1 up to the first that is missing. */
export async function partsOf(client: S3Client, key: string, uploadId: string): Promise<UploadedPart[]> {
  const parts: UploadedPart[] = [];
  for (let marker = "0"; ; ) {
    const query = { uploadId, "part-number-marker": marker };
    const text = await client.text({ method: "GET", key, query });
    for (const part of elementsOf(text, "Part")) {
      const found = {
        number: Number(textOf(part, "PartNumber")),
        etag: textOf(part, "ETag"),
        bytes: Number(textOf(part, "Size")),
      };
      if (found.number !== parts.length + 1 || parts.length >= MAX_UPLOAD_PARTS) return parts;
      parts.push(found);
    }
    const next = textOf(text, "NextPartNumberMarker");
    if (textOf(text, "IsTruncated") !== "true" || next === marker || next === "") return parts;
    marker = next;
  }
}

function isUnknownOrMissing(error: unknown): boolean {
  return error instanceof S3Error && [404, 405, 501].includes(error.status);
}
