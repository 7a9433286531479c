/** Which web pages may call: the gateway's own origin and those on the list; everybody else's are refused. */
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { ProblemError } from "./problem.ts";

const PREFLIGHT_SECONDS = 600;

/** CORS answers for allowed origins. Requests without an Origin (servers, curl, same-origin GETs) pass. */
export function allowOrigins(allowed: "*" | ReadonlySet<string>): MiddlewareHandler {
  const answer = cors({
    origin: (origin) => origin,
    allowMethods: ["GET", "POST", "DELETE"],
    allowHeaders: ["authorization", "content-type", "x-request-id", "x-tributary-region"],
    exposeHeaders: ["retry-after", "ratelimit", "ratelimit-policy", "x-request-id"],
    maxAge: PREFLIGHT_SECONDS,
  });
  return async (c, next) => {
    const origin = c.req.header("origin");
    if (origin === undefined) return next();
    if (allowed !== "*" && !allowed.has(origin) && !isOwn(origin, c.req.header("host"), c.req.url)) {
      throw new ProblemError(
        "origin-not-allowed",
        `Pages of ${origin.slice(0, 200)} may not call this gateway: its operator lists origins in TRIBUTARY_ALLOWED_ORIGINS.`,
      );
    }
    return answer(c, next);
  };
}

/** Hosts are compared, not schemes: behind a TLS proxy the gateway itself sees http. */
function isOwn(origin: string, host: string | undefined, url: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === (host ?? new URL(url).host);
}
