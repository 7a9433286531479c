/**
 * The gateway on Cloudflare Workers (wrangler.toml). Settings are vars and secrets of the Worker; of bindings it knows the two
 * rate limits, which all isolates of a location share. Without them each isolate has its own limits only.
 */
import { addressFromWorkers } from "./client-address.ts";
import { ConfigError, type Env } from "./config.ts";
import { ProblemError, problemBody } from "./problem.ts";
import { createStandalone, logLine, type Standalone } from "./standalone.ts";
import { type RateLimitBinding, WorkerRateLimit } from "./worker-rate-limit.ts";

/** Vars and secrets are texts; a binding is an object, which no setting is named like. */
type WorkerEnv = Record<string, string | undefined> & {
  RATE_PER_ADDRESS?: RateLimitBinding;
  RATE_PER_KEY?: RateLimitBinding;
};

/**
 * Made by the first request, since Workers allow neither randomness nor keys before one. Never the promise of it: when the request
 * that began it is cut off, the promise may stay open for ever, and every later request with it.
 */
let standalone: Standalone | undefined;

async function handle(request: Request, env: WorkerEnv, context: unknown): Promise<Response> {
  try {
    const { app } = standalone ?? (await make(env));
    return await app.fetch(request, env, context as Parameters<Standalone["app"]["fetch"]>[2]);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return misconfigured();
  }
}

/** Of several first requests at once the first that is done makes the one that stays. */
async function make(env: WorkerEnv): Promise<Standalone> {
  const made = await createStandalone(env as Env, addressFromWorkers, {
    life: "requests",
    sharedLimits: {
      ...(env.RATE_PER_ADDRESS && { perAddress: new WorkerRateLimit(env.RATE_PER_ADDRESS, logLine) }),
      ...(env.RATE_PER_KEY && { perKey: new WorkerRateLimit(env.RATE_PER_KEY, logLine) }),
    },
  });
  standalone ??= made;
  return standalone;
}

/** The caller is not told which setting it is; the Worker's log is. */
function misconfigured(): Response {
  const error = new ProblemError(
    "misconfigured",
    "Its operator finds the setting that is wrong in the Worker's log.",
  );
  const { body, status } = problemBody(error, undefined);
  return new Response(body, { status, headers: { "content-type": "application/problem+json" } });
}

export default { fetch: handle };
