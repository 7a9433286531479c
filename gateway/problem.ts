/**
 * Every refusal of the gateway, as RFC 9457 problem documents. `type` points at the entry of that name on
 * the documentation page (/v1/docs), so the list below is also what the page shows.
 */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";

/** What may go wrong: status and title are fixed, `detail` says what happened and what to do. */
export const PROBLEMS = {
  "invalid-request": { status: 400, title: "The request is not valid" },
  "malformed-json": { status: 400, title: "The body is not JSON" },
  "credentials-missing": { status: 401, title: "The request carries no credentials" },
  "key-refused": { status: 401, title: "The API key is not right" },
  "token-malformed": { status: 401, title: "The join token cannot be read" },
  "token-expired": { status: 401, title: "The join token is not valid now" },
  "token-refused": { status: 401, title: "The join token was not signed by anyone we trust" },
  "relay-refused": { status: 401, title: "The caller is not a relay of this cluster" },
  "token-other-room": { status: 403, title: "The join token is for another room" },
  "admin-required": { status: 403, title: "The join token does not make its holder an admin" },
  removed: { status: 403, title: "The participant was removed from the room" },
  "origin-not-allowed": { status: 403, title: "Pages of this origin may not use the gateway" },
  "not-found": { status: 404, title: "There is nothing at this address" },
  "room-not-found": { status: 404, title: "Nobody is in this room" },
  "participant-not-found": { status: 404, title: "The participant is not in this room" },
  "output-not-found": { status: 404, title: "The room has no such output" },
  "ingest-not-found": { status: 404, title: "There is no such ingest" },
  "recording-not-found": { status: 404, title: "There is no such recording" },
  "guests-off": { status: 404, title: "This gateway takes no guests" },
  "bridges-off": { status: 404, title: "This gateway knows no bridges" },
  "webhook-off": { status: 404, title: "This gateway passes no room events on" },
  "method-not-allowed": { status: 405, title: "The address does not take this method" },
  "output-exists": { status: 409, title: "The room has this output already" },
  "ingest-exists": { status: 409, title: "The room has an ingest of this identity already" },
  "recording-in-progress": { status: 409, title: "The recording is still being made" },
  "too-many-jobs": { status: 409, title: "The cluster has as many outputs and ingests as it takes" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "not-json": { status: 415, title: "The body is not marked as JSON" },
  "rate-limited": { status: 429, title: "Too many requests" },
  "internal-error": { status: 500, title: "The gateway failed" },
  misconfigured: { status: 500, title: "The gateway is not configured" },
  "relay-unreachable": { status: 502, title: "A relay did not answer" },
  "bridge-unreachable": { status: 502, title: "A bridge did not answer" },
  "webhook-failed": { status: 502, title: "The application did not take the event" },
  "no-relay": { status: 503, title: "No relay takes sessions now" },
  "no-bridge": { status: 503, title: "No bridge takes jobs now" },
  "output-waiting": { status: 503, title: "The output waits for a bridge" },
  "keys-unavailable": { status: 503, title: "The keys of join tokens cannot be fetched" },
  "directory-unavailable": { status: 503, title: "The directory did not do what was asked" },
} as const;

export type ProblemName = keyof typeof PROBLEMS;

const problemSchema = z
  .object({
    type: z.string().openapi({ example: "/v1/docs#token-expired" }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().openapi({ description: "What happened here, and what to do." }),
    requestId: z.string().optional().openapi({ description: "Names this request in the gateway's log." }),
    errors: z
      .array(z.object({ in: z.string(), field: z.string(), message: z.string() }))
      .optional()
      .openapi({ description: "The fields that are not valid." }),
  })
  .openapi("Problem");

export type ProblemField = { in: string; field: string; message: string };

/** Thrown by handlers and middleware; the app turns it into the response. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: ProblemName;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: readonly ProblemField[] | undefined;

  constructor(
    problem: ProblemName,
    detail: string,
    more: { headers?: Record<string, string>; fields?: readonly ProblemField[]; cause?: unknown } = {},
  ) {
    super(detail, "cause" in more ? { cause: more.cause } : undefined);
    this.problem = problem;
    this.headers = more.headers ?? {};
    this.fields = more.fields;
  }
}

/** A problem document as text; `requestId` undefined where there is no request log. */
export function problemBody(error: ProblemError, requestId: string | undefined) {
  const { status, title } = PROBLEMS[error.problem];
  const document = {
    type: `/v1/docs#${error.problem}`,
    title,
    status,
    detail: error.message,
    ...(requestId ? { requestId } : {}),
    ...(error.fields ? { errors: error.fields } : {}),
  };
  return { status, body: JSON.stringify(document) };
}

/** Keeps the headers that were set on the way (CORS, rate limit, request id). */
export function problemResponse(c: Context, error: ProblemError): Response {
  const requestId: unknown = c.get("requestId");
  const { status, body } = problemBody(error, typeof requestId === "string" ? requestId : undefined);
  return c.newResponse(body, status, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    ...error.headers,
  });
}

/** The problems that a route may answer, for its OpenAPI entry. */
export function problems(...names: ProblemName[]) {
  const responses: Record<
    number,
    { description: string; content: { "application/problem+json": { schema: typeof problemSchema } } }
  > = {};
  for (const name of names) {
    const { status, title } = PROBLEMS[name];
    const before = responses[status];
    responses[status] = {
      description: before ? `${before.description}; ${name}: ${title}` : `${name}: ${title}`,
      content: { "application/problem+json": { schema: problemSchema } },
    };
  }
  return responses;
}
