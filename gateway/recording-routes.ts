/** Recordings over the API, whichever bridges can reach them: listed, told one by one, deleted. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type BridgeRecord, recordingInfoSchema } from "../core/wire/bridge-jobs.ts";
import { recordingIdSchema, recordingPlaceSchema } from "../core/wire/bridge-operations.ts";
import { MAX_LISTED_RECORDINGS } from "../core/wire/limits.ts";
import { roomNameSchema } from "../core/wire/room-model.ts";
import type { Authorisation } from "./authorisation.ts";
import type { BridgeOperations } from "./bridge-operations.ts";
import type { Log } from "./deps.ts";
import type { JobDesk } from "./job-desk.ts";
import { operatorProblems, operatorSecurity } from "./operator-routes.ts";
import { ProblemError, problems } from "./problem.ts";
import { type FoundRecording, mergedPages, onceEach, withAddresses } from "./recording-list.ts";
import { ServiceCallError, settleAll } from "./service-calls.ts";

const recordingSchema = z
  .object({
    ...recordingInfoSchema.shape,
    bridgeId: z.string().openapi({ description: "Bridge whose addresses the paths are." }),
  })
  .openapi("Recording");

const listRoute = createRoute({
  method: "get",
  path: "/v1/recordings",
  summary: "List recordings",
  description:
    "Newest first, of all rooms with an API key, of its room with a join token. Those that are being made are among them. A bridge that does not answer makes the list partial, not an error.",
  tags: ["bridges"],
  security: operatorSecurity,
  request: {
    query: z.object({
      room: roomNameSchema.optional(),
      limit: z.coerce.number().int().min(1).max(MAX_LISTED_RECORDINGS).default(MAX_LISTED_RECORDINGS),
      before: recordingPlaceSchema.optional().openapi({ description: "`next` of the page before." }),
    }),
  },
  responses: {
    200: {
      description: "The recordings",
      content: {
        "application/json": {
          schema: z
            .object({
              recordings: z.array(recordingSchema),
              next: recordingPlaceSchema
                .optional()
                .openapi({ description: "There is more: give it as `before`." }),
              unreachable: z.array(z.string()).openapi({
                description: "Bridges that did not answer: what only they have is missing here.",
              }),
            })
            .openapi("RecordingList"),
        },
      },
    },
    ...problems(...operatorProblems),
  },
});

const params = z.object({ id: recordingIdSchema });

const oneRoute = createRoute({
  method: "get",
  path: "/v1/recordings/{id}",
  summary: "Look at a recording",
  tags: ["bridges"],
  security: operatorSecurity,
  request: { params },
  responses: {
    200: { description: "The recording", content: { "application/json": { schema: recordingSchema } } },
    ...problems(...operatorProblems, "recording-not-found", "bridge-unreachable"),
  },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/v1/recordings/{id}",
  summary: "Delete a recording",
  description: "With its media, for ever. One that is being made stays: end its output first.",
  tags: ["bridges"],
  security: operatorSecurity,
  request: { params },
  responses: {
    200: {
      description: "The recording as it was",
      content: { "application/json": { schema: recordingSchema } },
    },
    ...problems(...operatorProblems, "recording-not-found", "recording-in-progress", "bridge-unreachable"),
  },
});

export interface RecordingRoutesDeps {
  authorisation: Authorisation;
  desk: JobDesk;
  operations: BridgeOperations;
  log: Log;
}

export function addRecordingRoutes(app: OpenAPIHono, deps: RecordingRoutesDeps): void {
  const { authorisation, desk, operations, log } = deps;

  app.openapi(listRoute, async (c) => {
    const { room: asked, limit, before } = c.req.valid("query");
    const own = await authorisation.operator(c, asked);
    const room = own.room ?? asked;
    const { answers, unreachable } = await ask(await desk.bridges(), (bridge) =>
      operations.recordings(bridge, { room, before, limit }),
    );
    const pages = answers.map(({ target, answer }) => ({ bridge: target, page: answer }));
    const { found, next } = mergedPages(pages, limit);
    c.header("cache-control", "no-store");
    return c.json({ recordings: found.map(withAddresses), ...(next ? { next } : {}), unreachable }, 200);
  });

  app.openapi(oneRoute, async (c) => {
    const own = await authorisation.operator(c);
    const [first] = onceEach(await find(c.req.valid("param").id, own.room));
    if (!first) throw notFound();
    c.header("cache-control", "no-store");
    return c.json(withAddresses(first), 200);
  });

  app.openapi(deleteRoute, async (c) => {
    const own = await authorisation.operator(c);
    const { id } = c.req.valid("param");
    const found = await find(id, own.room);
    const [first] = onceEach(found);
    if (!first) throw notFound();
    if (first.recording.state === "recording") throw inProgress();
    await remove(id, found);
    log("info", "recording deleted", { room: first.recording.room, recording: id });
    return c.json(withAddresses(first), 200);
  });

  async function ask<Answer>(
    bridges: readonly BridgeRecord[],
    call: (bridge: BridgeRecord) => Promise<Answer>,
  ) {
    const { answers, failures } = await settleAll(bridges, call);
    for (const { target, error } of failures) {
      log("warn", "a bridge did not answer", { bridge: target.id, error: String(error) });
    }
    return { answers, unreachable: failures.map(({ target }) => target.id) };
  }

  /** Everywhere that it can be reached from. A recording of another room than the caller's is none of theirs. */
  async function find(id: string, room: string | undefined): Promise<FoundRecording[]> {
    const { answers, unreachable } = await ask(await desk.bridges(), (bridge) =>
      operations.recording(bridge, id),
    );
    const found = answers.flatMap(({ target, answer }) =>
      answer ? [{ bridge: target, recording: answer }] : [],
    );
    if (found.length === 0 && unreachable.length > 0) throw unreachableBridges(unreachable);
    return found.filter(({ recording }) => room === undefined || recording.room === room);
  }

  /** One after another: bridges with one storage find it gone when the first has deleted it. */
  async function remove(id: string, found: readonly FoundRecording[]): Promise<void> {
    for (const { bridge } of found) {
      try {
        await operations.delete(bridge, id);
      } catch (cause) {
        if (cause instanceof ServiceCallError && cause.status === 409) throw inProgress();
        throw unreachableBridges([bridge.id], cause);
      }
    }
  }
}

function notFound(): ProblemError {
  return new ProblemError(
    "recording-not-found",
    "There is no recording of this id: GET lists those that there are.",
  );
}

function inProgress(): ProblemError {
  return new ProblemError(
    "recording-in-progress",
    "The recording is still being made: end its output with DELETE /v1/rooms/{room}/outputs/{id}, then delete it.",
  );
}

function unreachableBridges(ids: readonly string[], cause?: unknown): ProblemError {
  return new ProblemError(
    "bridge-unreachable",
    `Bridges did not do what was asked of them: ${ids.join(", ")}. Try again, and look at them if it stays.`,
    { headers: { "retry-after": "5" }, cause },
  );
}
