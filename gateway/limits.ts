/** Maxima of the gateway, and the middleware that bounds what a caller may ask for: body size and request rate. */
import type { Context, MiddlewareHandler } from "hono";
import type { CallerBucket } from "./client-address.ts";
import { ProblemError } from "./problem.ts";
import type { CallerLimit } from "./rate-limit.ts";

/** Relays that a join answers; further ones are left out. */
export const MAX_JOIN_CANDIDATES = 3;
/** Bridges beside the first that an ingest names; further ones are left out. */
export const MAX_BACKUP_URLS = 3;
/** Characters of a region; a longer one in a query is refused, in a header cut off. */
export const MAX_REGION_CHARS = 64;
/** Places of TRIBUTARY_REGION_MAP; more are refused at start. */
export const MAX_MAPPED_PLACES = 500;
/** Roots of rooms that are used again (join-lookups.ts); the one that was read longest ago is forgotten. */
export const MAX_REMEMBERED_ROOTS = 10_000;
/** Relays of a room's tree that have not been asked by then are not asked any more. */
export const MAX_TREE_ANSWER_MS = 5_000;
/** The application has so long to take an event; after it the relay tries again later. */
export const WEBHOOK_TIMEOUT_MS = 10_000;
/** Largest request body; a larger one is refused with 413. */
export const MAX_BODY_BYTES = 64 * 1024;
/** Of a larger one, this much is read and thrown away; beyond it the connection is given up. */
const MAX_DISCARDED_BYTES = 1024 * 1024;

/**
 * Refuses larger bodies, whether their length is told or not. What is over the limit is read and thrown away
 * (on Workers the connection would otherwise hang, or break before the answer), up to a limit of its own.
 */
export function limitBody(maxBytes = MAX_BODY_BYTES): MiddlewareHandler {
  return async (c, next) => {
    const { body, headers } = c.req.raw;
    if (!body) return next();
    const told = headers.has("transfer-encoding") ? null : headers.get("content-length");
    if (told !== null && Number(told) <= maxBytes) return next();
    const reader = body.getReader();
    const bytes = new Uint8Array(maxBytes);
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (length + value.length <= maxBytes) bytes.set(value, length);
      length += value.length;
      if (length > MAX_DISCARDED_BYTES) {
        await reader.cancel();
        break;
      }
    }
    if (length > maxBytes) {
      throw new ProblemError("body-too-large", `The body is over ${maxBytes} bytes: send less.`);
    }
    c.req.raw = new Request(c.req.raw, { body: bytes.subarray(0, length) });
    return next();
  };
}

export function limitPerAddress(limit: CallerLimit | undefined, bucketOf: CallerBucket): MiddlewareHandler {
  return async (c, next) => {
    await countRequest(c, limit, "address", bucketOf(c.req.raw, c.env));
    await next();
  };
}

/**
 * Counts a request against a bucket and says in the headers what is left of this instance's own limit. One that is over that
 * costs the shared limit nothing. Rejects with ProblemError `rate-limited`.
 */
export async function countRequest(
  c: Context,
  limit: CallerLimit | undefined,
  policy: "address" | "key",
  bucket: string,
): Promise<void> {
  if (!limit) return;
  const { own, shared } = limit;
  const { allowed, remaining, resetSeconds } = own.take(bucket);
  const { perSecond, burst } = own.rate;
  const headers = {
    "ratelimit-policy": `"${policy}";q=${burst};w=${Math.max(1, Math.ceil(burst / perSecond))}`,
    ratelimit: `"${policy}";r=${remaining};t=${resetSeconds}`,
  };
  if (!allowed) {
    throw new ProblemError(
      "rate-limited",
      `Too many requests from this ${policy}: wait ${resetSeconds} s, then send at most ${perSecond} a second.`,
      { headers: { ...headers, "retry-after": String(resetSeconds) } },
    );
  }
  if (shared && !(await shared.take(bucket))) {
    throw new ProblemError(
      "rate-limited",
      `Too many requests from this ${policy}: wait ${shared.retrySeconds} s, then send fewer.`,
      { headers: { "retry-after": String(shared.retrySeconds) } },
    );
  }
  // The narrower limit is counted last and is the one the caller is told.
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
}
