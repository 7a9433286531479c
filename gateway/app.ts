/**
 * The gateway as one Hono app, the same on Deno, Node and Workers: it says in which order requests are
 * checked and turns every failure into a problem document. What the routes do is in the files beside.
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { DirectoryError } from "../core/directory/directory.ts";
import { MAX_EVENT_BYTES } from "../core/wire/limits.ts";
import { EVENTS_PATH } from "../core/wire/room-events.ts";
import { addAudienceRoutes } from "./audience-routes.ts";
import { Authorisation } from "./authorisation.ts";
import { BridgeOperations } from "./bridge-operations.ts";
import { callerBucket } from "./client-address.ts";
import type { GatewayDeps } from "./deps.ts";
import { addEventRoutes } from "./event-routes.ts";
import { addIngestRoutes } from "./ingest-routes.ts";
import { JobDesk } from "./job-desk.ts";
import { addJoinRoutes } from "./join-routes.ts";
import { JoinLookups } from "./join-lookups.ts";
import { JoinTokenVerifier } from "./join-tokens.ts";
import { limitBody, limitPerAddress } from "./limits.ts";
import { allowOrigins } from "./origins.ts";
import { addOutputRoutes } from "./output-routes.ts";
import { ProblemError, problemResponse } from "./problem.ts";
import { type CallerLimit, RateLimit } from "./rate-limit.ts";
import { RecordingFinder } from "./recording-finder.ts";
import { addRecordingRoutes } from "./recording-routes.ts";
import { RelayOperations } from "./relay-operations.ts";
import { addRoomRoutes } from "./room-routes.ts";
import { addServiceRoutes } from "./service-routes.ts";
import { addTreeRoutes } from "./tree-routes.ts";
import { Webhook } from "./webhook.ts";

/** `iss` of guests' tokens; no API key may have this id, since it holds a character that ids may not. */
const GUEST_ISSUER = "guests of this gateway";

/** Call `app.fetch(request, env)` with what the runtime hands out as `env` (see client-address.ts). */
export function createGateway(deps: GatewayDeps): OpenAPIHono {
  const { config, directory, clock, ticketKey, log } = deps;
  const app = new OpenAPIHono({ defaultHook: refuseInvalid });
  const limitOf = (kind: "perAddress" | "perKey"): CallerLimit | undefined => {
    const rate = config[kind];
    return rate && { own: new RateLimit(rate, clock), shared: deps.sharedLimits?.[kind] };
  };
  const guestKey = deps.guests ? { id: GUEST_ISSUER, secret: randomSecret() } : undefined;
  const tokens = new JoinTokenVerifier({
    secrets: new Map([...config.apiKeys, ...(guestKey ? [[guestKey.id, guestKey.secret] as const] : [])]),
    jwks: config.jwks,
    jwksIssuer: config.jwksIssuer,
    clock,
    fetch: deps.fetch,
  });
  const perKey = limitOf("perKey");
  const authorisation = new Authorisation({
    keys: config.apiKeys,
    tokens,
    directory,
    perKey,
    guests: deps.guests,
  });

  app.use(requestId());
  app.use(secureHeaders({ strictTransportSecurity: false, crossOriginResourcePolicy: false }));
  const bucketOf = callerBucket(deps.clientAddress, config.trustProxy);
  const perAddress = limitPerAddress(limitOf("perAddress"), bucketOf);
  const desk = new JobDesk({ directory: deps.bridges, clock });
  const bridgeCalls = new BridgeOperations({ ticketKey, clock, fetch: deps.fetch });
  const finder = new RecordingFinder({ desk, operations: bridgeCalls, log });
  addAudienceRoutes(app, { desk, finder, limit: perAddress });
  app.use(allowOrigins(config.allowedOrigins));
  app.use("/v1/*", perAddress);
  app.use("/v1/*", limitBody());
  // Relays are many behind one address; they are counted one by one once it is known who they are.
  app.use(EVENTS_PATH, limitBody(MAX_EVENT_BYTES));

  const { apiKeys, regions } = config;
  const lookups = new JoinLookups({ directory, clock, reuseMs: deps.lookupReuseMs ?? 0 });
  addJoinRoutes(app, { authorisation, lookups, clock, ticketKey, apiKeys, guestKey, regions, bucketOf });
  const operations = new RelayOperations({ ticketKey, clock, fetch: deps.fetch });
  addRoomRoutes(app, { authorisation, directory, operations, log });
  addTreeRoutes(app, { authorisation, directory, operations, log, clock });
  addOutputRoutes(app, { authorisation, desk, log });
  addIngestRoutes(app, { authorisation, desk, log });
  addRecordingRoutes(app, { authorisation, finder, operations: bridgeCalls, log });
  const webhook = config.webhook && new Webhook({ ...config.webhook, clock, fetch: deps.fetch, log });
  addEventRoutes(app, { directory, clock, webhook, perRelay: perKey });
  addServiceRoutes(app, { version: deps.version, ticketKey });

  app.notFound((c) => {
    const allow = methodsOf(app, c.req.path);
    const problem =
      allow.length === 0
        ? new ProblemError(
            "not-found",
            `There is no ${c.req.path.slice(0, 200)} here: /v1/docs lists what there is.`,
          )
        : new ProblemError("method-not-allowed", `Use ${allow.join(" or ")} here.`, {
            headers: { allow: allow.join(", ") },
          });
    return problemResponse(c, problem);
  });
  app.onError((error, c) => {
    const problem = problemOf(error);
    if (problem.problem === "internal-error" || problem.problem.endsWith("unavailable")) {
      const { requestId, req } = { requestId: c.get("requestId"), req: c.req };
      log("error", "a request failed", {
        requestId,
        method: req.method,
        path: req.path,
        error: String(problem.cause ?? problem.message),
        stack: problem.cause instanceof Error ? problem.cause.stack : undefined,
      });
    }
    return problemResponse(c, problem);
  });
  return app;
}

const IN_WORDS: Record<string, string> = { param: "path", query: "query", json: "body", header: "header" };

const refuseInvalid: NonNullable<OpenAPIHono["defaultHook"]> = (result) => {
  if (result.success) return;
  const place = IN_WORDS[result.target] ?? result.target;
  const fields = result.error.issues
    .slice(0, 20)
    .map((issue) => ({ in: place, field: issue.path.map(String).join("."), message: issue.message }));
  const [first] = fields;
  const where = first?.field ? `${first.field} in the ${place}` : `the ${place}`;
  const detail = `Set ${where} right: ${first?.message ?? "it is not valid"}.`;
  throw new ProblemError("invalid-request", detail, { fields });
};

/** What the frameworks below us throw, in our words; everything unknown is ours to look at, not the caller's. */
function problemOf(error: Error): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof DirectoryError) {
    return new ProblemError("directory-unavailable", `The directory refused: ${error.message}.`, {
      headers: { "retry-after": "5" },
      cause: error,
    });
  }
  if (error instanceof HTTPException && error.status === 415) {
    return new ProblemError("not-json", "Send the body as JSON, with `Content-Type: application/json`.");
  }
  if (error instanceof HTTPException && error.status === 400) {
    return new ProblemError("malformed-json", "The body does not parse as JSON: check quotes and brackets.");
  }
  const detail = "The fault is ours, not the request's; the gateway's log has more under this requestId.";
  return new ProblemError("internal-error", detail, { cause: error });
}

/** Methods that routes of this path take. */
function methodsOf(app: OpenAPIHono, path: string): string[] {
  const segments = path.split("/");
  const methods = new Set<string>();
  for (const route of app.routes) {
    if (route.method === "ALL") continue;
    const pattern = route.path.split("/");
    const fits =
      pattern.length === segments.length &&
      pattern.every((part, i) => (part.startsWith(":") ? segments[i] !== "" : part === segments[i]));
    if (fits) methods.add(route.method);
  }
  return [...methods].sort();
}

function randomSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
