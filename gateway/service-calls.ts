/** Calls to the operations APIs of relays and bridges: with a service token, a deadline and a size limit; many side by side. */
import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import type { ServiceToken } from "../core/wire/tokens.ts";
import { signServiceToken, type TicketKey } from "./ticket-key.ts";

/** Who has not answered in full by then counts as unreachable. */
export const SERVICE_TIMEOUT_MS = 3_000;
/** Larger answers are refused; 10,000 room summaries are about 1.5 MB. */
export const MAX_SERVICE_ANSWER_BYTES = 8 * 1024 * 1024;
/** Asked at the same time in one request. */
const MAX_CALLS_AT_ONCE = 16;
const SERVICE_TOKEN_SECONDS = 60;

/** Whom to call. */
export interface ServiceTarget {
  id: string;
  /** Base URL of its operations API. */
  operationsUrl: string;
}

/** It did not answer, or not as it should. */
export class ServiceCallError extends Error {
  override readonly name = "ServiceCallError";
  /** Of its answer; undefined when there was none. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export interface ServiceRequest<Schema extends z.ZodType> {
  method: "GET" | "DELETE";
  /** Pieces between slashes, as they are. */
  path: string[];
  query?: Record<string, string | undefined>;
  schema: Schema;
}

export interface ServiceCallsOptions {
  ticketKey: TicketKey;
  clock: Clock;
  fetch: typeof fetch;
  scope: ServiceToken["scope"];
}

export class ServiceCalls {
  readonly #options: ServiceCallsOptions;

  constructor(options: ServiceCallsOptions) {
    this.#options = options;
  }

  /** Undefined when it says that there is no such thing. Rejects with ServiceCallError. */
  async call<Schema extends z.ZodType>(
    target: ServiceTarget,
    request: ServiceRequest<Schema>,
  ): Promise<z.output<Schema> | undefined> {
    const { clock, fetch } = this.#options;
    const abort = new AbortController();
    const deadline = clock.after(SERVICE_TIMEOUT_MS, () =>
      abort.abort(new Error(`no answer within ${SERVICE_TIMEOUT_MS} ms`)),
    );
    try {
      const response = await fetch(urlOf(target, request), {
        method: request.method,
        headers: { authorization: `Bearer ${await this.#token(target)}`, accept: "application/json" },
        // Nobody redirects there; a token must not follow one elsewhere.
        redirect: "manual",
        signal: abort.signal,
      });
      if (response.status !== 200) await response.body?.cancel();
      if (response.status === 404) return undefined;
      if (response.status !== 200) {
        throw new ServiceCallError(
          `it answered ${request.method} with status ${response.status}`,
          response.status,
        );
      }
      return request.schema.parse(JSON.parse(await boundedText(response)));
    } catch (cause) {
      if (cause instanceof ServiceCallError) throw cause;
      throw new ServiceCallError(reasonOf(cause), undefined, { cause });
    } finally {
      deadline.cancel();
    }
  }

  #token(target: ServiceTarget): Promise<string> {
    const { ticketKey, clock, scope } = this.#options;
    const iat = Math.floor(clock.nowUs() / 1_000_000);
    return signServiceToken(ticketKey, { aud: target.id, scope, iat, exp: iat + SERVICE_TOKEN_SECONDS });
  }
}

/** Asks side by side; what failed is told apart from what answered. Order as given. */
export async function settleAll<Target, Answer>(
  targets: readonly Target[],
  ask: (target: Target) => Promise<Answer>,
): Promise<{
  answers: { target: Target; answer: Answer }[];
  failures: { target: Target; error: unknown }[];
}> {
  const answers: { target: Target; answer: Answer }[] = [];
  const failures: { target: Target; error: unknown }[] = [];
  for (let start = 0; start < targets.length; start += MAX_CALLS_AT_ONCE) {
    const some = targets.slice(start, start + MAX_CALLS_AT_ONCE);
    const settled = await Promise.allSettled(some.map(ask));
    for (const [index, target] of some.entries()) {
      const result = settled[index];
      if (result?.status === "fulfilled") answers.push({ target, answer: result.value });
      else failures.push({ target, error: result?.reason });
    }
  }
  return { answers, failures };
}

function urlOf({ operationsUrl }: ServiceTarget, { path, query = {} }: ServiceRequest<z.ZodType>): URL {
  const base = operationsUrl.endsWith("/") ? operationsUrl : `${operationsUrl}/`;
  const url = new URL(path.map(encodeURIComponent).join("/"), base);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url;
}

/** In one line; fetch hides what happened in its cause. */
function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return "its answer does not fit the schema";
  const inner = error instanceof Error && error.cause !== undefined ? `: ${String(error.cause)}` : "";
  return `${String(error)}${inner}`;
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  if (!response.body) return text;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > MAX_SERVICE_ANSWER_BYTES) {
      await reader.cancel();
      throw new Error(`its answer is over ${MAX_SERVICE_ANSWER_BYTES} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}
