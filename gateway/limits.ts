/** Middleware that bounds what a caller may ask for: body size and request rate. */
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { addressBucket, type ClientAddress, forwardedAddress } from "./client-address.ts";
import { ProblemError } from "./problem.ts";
import type { RateLimit } from "./rate-limit.ts";

/** Largest request body; a larger one is refused with 413. */
export const MAX_BODY_BYTES = 64 * 1024;

export function limitBody(): MiddlewareHandler {
  return bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => {
      throw new ProblemError("body-too-large", `The body is over ${MAX_BODY_BYTES} bytes: send less.`);
    },
  });
}

export function limitPerAddress(
  limit: RateLimit | undefined,
  clientAddress: ClientAddress,
  trustProxy: boolean,
): MiddlewareHandler {
  return async (c, next) => {
    const told = trustProxy ? forwardedAddress(c.req.raw) : undefined;
    countRequest(c, limit, "address", addressBucket(told ?? clientAddress(c.req.raw, c.env)));
    await next();
  };
}

/** Counts a request against a bucket and says in the headers what is left. Throws ProblemError `rate-limited`. */
export function countRequest(
  c: Context,
  limit: RateLimit | undefined,
  policy: "address" | "key",
  bucket: string,
): void {
  if (!limit) return;
  const { allowed, remaining, resetSeconds } = limit.take(bucket);
  const { perSecond, burst } = limit.rate;
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
  // The narrower limit is counted last and is the one the caller is told.
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
}
