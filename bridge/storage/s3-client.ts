/**
 * Signed requests to an S3-compatible service (AWS Signature Version 4 by aws4fetch; the body's SHA-256 is signed, so that the service refuses
 * what the way has changed), tried again with jittered back-off where that may help.
 */
import { AwsV4Signer } from "aws4fetch";
import type { Clock, Random } from "../../core/clock.ts";
import {
  FIRST_RETRY_MS,
  MAX_ANSWER_BYTES,
  MAX_RETRY_AFTER_MS,
  MAX_RETRY_MS,
  MAX_TRIES,
  REQUEST_TIMEOUT_MS,
} from "./limits.ts";
import { textOf } from "./s3-xml.ts";
import { StorageError } from "./storage.ts";

/** A way must carry so many bytes a second, or a body's time is over. */
const SLOWEST_BYTES_PER_MS = 32;
const REPEATABLE = new Set([408, 429, 500, 502, 503, 504]);

/** The service refused; `code` is its own word for why, such as NoSuchUpload. */
export class S3Error extends StorageError {
  readonly status: number;
  readonly code: string;
  /** It asked to wait for so long, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, status: number, code: string, retryAfterMs: number | undefined) {
    super(message, REPEATABLE.has(status));
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary credentials. */
  sessionToken?: string | undefined;
}

export interface S3ClientOptions {
  /** https://s3.eu-central-1.amazonaws.com, http://127.0.0.1:9000: without the bucket. */
  endpoint: string;
  bucket: string;
  region: string;
  /** Asked for each request, since temporary ones change. */
  credentials(): S3Credentials | Promise<S3Credentials>;
  /** True: endpoint/bucket/key, as most self-hosted services want it; false: bucket.endpoint/key. */
  pathStyle: boolean;
  /** The runtime's fetch. */
  send(url: string, init: RequestInit): Promise<Response>;
  clock: Clock;
  random: Random;
}

export interface S3Request {
  method: "GET" | "PUT" | "POST" | "DELETE" | "HEAD";
  /** Empty: the bucket itself. */
  key: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

export class S3Client {
  readonly #options: S3ClientOptions;
  readonly #base: URL;

  /** Throws TypeError when the endpoint is no http or https URL. */
  constructor(options: S3ClientOptions) {
    this.#options = options;
    const base = new URL(options.endpoint);
    if (!/^https?:$/.test(base.protocol)) throw new TypeError(`${options.endpoint} is no http or https URL.`);
    if (!options.pathStyle) base.hostname = `${options.bucket}.${base.hostname}`;
    this.#base = base;
  }

  /** The answer, if it is 2xx, or 404 of a GET, HEAD or DELETE. Rejects with S3Error or StorageError after MAX_TRIES. */
  async request(request: S3Request, tries = MAX_TRIES): Promise<Response> {
    for (let failed = 0; ; failed++) {
      try {
        return await this.#try(request);
      } catch (error) {
        if (!(error instanceof StorageError) || !error.temporary || failed + 1 >= tries) throw error;
        await this.wait(failed, error);
      }
    }
  }

  /** The same, and its body as text, at most MAX_ANSWER_BYTES. */
  async text(request: S3Request): Promise<string> {
    return await boundedText(await this.request(request));
  }

  /** Waits before the next try, `failed` counting from 0; as long as the service asked for, within reason. */
  wait(failed: number, error: unknown): Promise<void> {
    const { clock, random } = this.#options;
    const backOff = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failed, 20));
    const asked = error instanceof S3Error ? (error.retryAfterMs ?? 0) : 0;
    // Jitter on what was asked for, too: others were told the same.
    const delayMs = Math.max(
      backOff * (0.5 + random() / 2),
      Math.min(asked, MAX_RETRY_AFTER_MS) * (1 + random() / 4),
    );
    return new Promise((resolve) => void clock.after(delayMs, resolve));
  }

  async #try(request: S3Request): Promise<Response> {
    const { clock, send, bucket } = this.#options;
    const body = request.body ?? new Uint8Array();
    const { url, headers } = await this.#signed(request, body);
    const stop = new AbortController();
    const timer = clock.after(REQUEST_TIMEOUT_MS + body.length / SLOWEST_BYTES_PER_MS, () => stop.abort());
    let response: Response;
    try {
      const init: RequestInit = { method: request.method, headers, signal: stop.signal, redirect: "error" };
      if (request.body !== undefined) init.body = request.body as BodyInit;
      response = await send(url, init);
    } catch (cause) {
      const why = stop.signal.aborted ? "has not answered in time" : "cannot be reached";
      throw new StorageError(
        `The storage at ${this.#base.host} ${why}: is it up, and is the endpoint right?`,
        true,
        {
          cause,
        },
      );
    } finally {
      timer.cancel();
    }
    const mayBeMissing = response.status === 404 && !["PUT", "POST"].includes(request.method);
    if (response.ok || (mayBeMissing && request.key !== "")) return response;
    const text = await boundedText(response).catch(() => "");
    throw refusal(response, text, bucket, clock.nowUs() / 1000);
  }

  async #signed(request: S3Request, body: Uint8Array): Promise<{ url: string; headers: Headers }> {
    const { bucket, region, credentials, pathStyle, clock } = this.#options;
    const url = new URL(this.#base);
    const folder = url.pathname.replace(/\/$/, "");
    url.pathname = [folder, pathStyle ? `/${bucket}` : "", request.key === "" ? "/" : `/${request.key}`].join(
      "",
    );
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body as BufferSource));
    const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
    const signer = new AwsV4Signer({
      method: request.method,
      url: url.href,
      headers: { ...request.headers, "x-amz-content-sha256": hash },
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: "s3",
      region,
      datetime: new Date(clock.nowUs() / 1000).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    });
    const signed = await signer.sign();
    return { url: signed.url.href, headers: signed.headers };
  }
}

function refusal(response: Response, text: string, bucket: string, nowMs: number): S3Error {
  const { status, headers } = response;
  const code = textOf(text, "Code") || (status === 404 ? "NotFound" : "");
  const help =
    status === 401 || status === 403
      ? `check the access key, its rights on the bucket ${bucket}, and this machine's clock`
      : code === "NoSuchBucket" || status === 301
        ? `check the bucket ${bucket}, its region and the endpoint`
        : textOf(text, "Message").slice(0, 200) || "try again later";
  const asked = headers.get("retry-after");
  const seconds = asked === null ? Number.NaN : Number(asked);
  const afterMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(asked ?? "") - nowMs;
  return new S3Error(
    `The storage answered ${status}${code === "" ? "" : ` ${code}`}: ${help}.`,
    status,
    code,
    Number.isFinite(afterMs) && afterMs > 0 ? afterMs : undefined,
  );
}

async function boundedText(response: Response): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = "";
  try {
    for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read()) {
      text += decoder.decode(value, { stream: true });
      if (text.length > MAX_ANSWER_BYTES) throw new StorageError("The storage's answer is too long.", false);
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    if (cause instanceof StorageError) throw cause;
    throw new StorageError("The storage's answer was cut off.", true, { cause });
  }
  return text;
}
