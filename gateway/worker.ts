/**
 * The gateway on Cloudflare Workers (wrangler.toml). Settings are vars and secrets of the Worker. Rate
 * limits are remembered by each isolate alone: put Cloudflare's own rate limiting in front.
 */
import { addressFromWorkers } from "./client-address.ts";
import { ConfigError, type Env } from "./config.ts";
import { ProblemError, problemBody } from "./problem.ts";
import { createStandalone, type Standalone } from "./standalone.ts";

/** Made by the first request, since Workers allow neither randomness nor keys before one. */
let standalone: Promise<Standalone> | undefined;

async function handle(request: Request, env: Env, context: unknown): Promise<Response> {
  standalone ??= createStandalone(env, addressFromWorkers, "requests");
  try {
    const { app } = await standalone;
    return await app.fetch(request, env, context as Parameters<typeof app.fetch>[2]);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return misconfigured();
  }
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
