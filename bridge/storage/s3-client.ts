/**
 * Signed requests to one bucket of anything that speaks S3 (AWS Signature Version 4 by aws4fetch), tried again with jittered back-off, or when
 * Retry-After says, while trying may help. Hashes of bodies are signed, so S3 itself refuses one that the network has changed.
 */
import { AwsClient } from "aws4fetch";
import type { Clock, Random } from "../../core/clock.ts";
import {
  FIRST_RETRY_MS,
  MAX_ANSWER_BYTES,
  MAX_RETRY_AFTER_MS,
  MAX_RETRY_MS,
  MAX_TRIES,
  MIN_UPLOAD_BYTES_PER_SECOND,
  REQUEST_TIMEOUT_MS,
} from "./limits.ts";
import { noAnswer, refusal, S3Error } from "./s3-error.ts";
import { textOf } from "./s3-xml.ts";

export interface S3Access {
  /** Of the service: https://s3.eu-west-1.amazonaws.com, http://127.0.0.1:9000 */
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary credentials. */
  sessionToken?: string;
  /** True: endpoint/bucket/key, as MinIO and most others want it; false: bucket.endpoint/key, as AWS does. */
  pathStyle: boolean;
}

export interface S3ClientOptions {
  access: S3Access;
  fetch: typeof fetch;
  clock: Clock;
  random: Random;
}

export interface S3Request {
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Empty: the bucket itself. */
  key: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array;
  /** Statuses beside 2xx that are answers, not errors. */
  accept?: readonly number[];
  signal?: AbortSignal | undefined;
}

export class S3Client {
  readonly #options: S3ClientOptions;
  readonly #aws: AwsClient;
  readonly #base: URL;

  constructor(options: S3ClientOptions) {
    const { endpoint, bucket, pathStyle, region, accessKeyId, secretAccessKey, sessionToken } =
      options.access;
    this.#options = options;
    this.#base = new URL(endpoint);
    if (pathStyle) this.#base.pathname = `${this.#base.pathname.replace(/\/$/, "")}/${bucket}`;
    else this.#base.hostname = `${bucket}.${this.#base.hostname}`;
    const token = sessionToken === undefined ? {} : { sessionToken };
    this.#aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3", retries: 0, ...token });
  }

  /** The answer, its body not read yet. Rejects with S3Error when the last try fails, and at once when trying again cannot help. */
  async send(request: S3Request): Promise<Response> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#try(request);
      } catch (error) {
        const failure =
          error instanceof S3Error ? error : noAnswer(`${request.method} ${request.key}`, error);
        if (!failure.temporary || tries >= MAX_TRIES || request.signal?.aborted) throw failure;
        await this.#wait(failure.retryAfterMs ?? this.#backOffMs(tries), request.signal);
      }
    }
  }

  /** The same, for answers of a few lines. The body may cut off: then it is tried again. */
  async sendForText(request: S3Request): Promise<{ text: string; headers: Headers; status: number }> {
    for (let tries = 1; ; tries++) {
      const { body, headers, status } = await this.send(request);
      try {
        return { text: await shortText(body), headers, status };
      } catch (cause) {
        const failure = noAnswer(`${request.method} ${request.key}`, cause);
        if (tries >= MAX_TRIES || request.signal?.aborted) throw failure;
        await this.#wait(this.#backOffMs(tries), request.signal);
      }
    }
  }

  /** What is sent, for tests of signatures. */
  async sign({ method, key, query, headers, body }: S3Request): Promise<Request> {
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/$/, "")}/${key}`;
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    // fetch takes bytes of an ArrayBuffer; the signature needs their hash.
    const bytes = body === undefined ? undefined : new Uint8Array(body);
    const hash = { "x-amz-content-sha256": await sha256Hex(bytes ?? new Uint8Array()) };
    const datetime = new Date(this.#options.clock.nowUs() / 1000).toISOString().replace(/[:-]|\.\d{3}/g, "");
    return await this.#aws.sign(url.href, {
      method,
      headers: { ...headers, ...hash },
      ...(bytes === undefined ? {} : { body: bytes }),
      redirect: "manual",
      aws: { datetime },
    });
  }

  async #try(request: S3Request): Promise<Response> {
    const { fetch, clock } = this.#options;
    const doing = `${request.method} ${request.key}`;
    const abort = new AbortController();
    const onAbort = (): void => abort.abort(request.signal?.reason);
    if (request.signal?.aborted) onAbort();
    request.signal?.addEventListener("abort", onAbort);
    const sendingMs = ((request.body?.length ?? 0) / MIN_UPLOAD_BYTES_PER_SECOND) * 1000;
    const timer = clock.after(REQUEST_TIMEOUT_MS + sendingMs, () =>
      abort.abort(new Error(`nothing came within ${Math.round((REQUEST_TIMEOUT_MS + sendingMs) / 1000)} s`)),
    );
    try {
      const answer = await fetch(await this.sign(request), { signal: abort.signal });
      if (answer.ok || request.accept?.includes(answer.status)) return answer;
      throw await this.#refusalOf(doing, answer);
    } catch (cause) {
      throw cause instanceof S3Error ? cause : noAnswer(doing, abort.signal.reason ?? cause);
    } finally {
      timer.cancel();
      request.signal?.removeEventListener("abort", onAbort);
    }
  }

  async #refusalOf(doing: string, answer: Response): Promise<S3Error> {
    // Without a body that can be read, the status says enough.
    const text = await shortText(answer.body).catch(() => "");
    const code = textOf(text, "Code") ?? "";
    return refusal({
      doing,
      status: answer.status,
      code: /^\w{1,64}$/.test(code) ? code : "",
      region: answer.headers.get("x-amz-bucket-region") ?? undefined,
      retryAfterMs: this.#retryAfterMs(answer.headers.get("retry-after")),
    });
  }

  /** RFC 9110, section 10.2.3: seconds, or a date. */
  #retryAfterMs(header: string | null): number | undefined {
    if (header === null) return undefined;
    const nowMs = this.#options.clock.nowUs() / 1000;
    const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
    return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : undefined;
  }

  #backOffMs(tries: number): number {
    const longest = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1));
    return longest * (0.5 + this.#options.random() / 2);
  }

  #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return waitFor(this.#options.clock, ms, signal);
  }
}

/** Resolves after so long, and at once when the signal says so. */
export function waitFor(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.after(ms, done);
    signal?.addEventListener("abort", done);
  });
}

async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function shortText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER_BYTES) throw new RangeError("the answer is too long");
  }
  return text + decoder.decode();
}
