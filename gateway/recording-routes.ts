/** Recordings over the API, whichever bridges can reach them: listed, told one by one, deleted. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { recordingInfoSchema } from "../core/wire/bridge-jobs.ts";
import { recordingIdSchema, recordingPlaceSchema } from "../core/wire/bridge-operations.ts";
import { MAX_LISTED_RECORDINGS } from "../core/wire/limits.ts";
import { roomNameSchema } from "../core/wire/room-model.ts";
import type { Authorisation } from "./authorisation.ts";
import type { BridgeOperations } from "./bridge-operations.ts";
import type { Log } from "./deps.ts";
import { operatorProblems, operatorSecurity } from "./operator-routes.ts";
import { ProblemError, problems } from "./problem.ts";
import { bestOf, type RecordingFinder, unreachableBridges } from "./recording-finder.ts";
import { type FoundRecording, mergedPages, withAddresses } from "./recording-list.ts";
import { ServiceCallError } from "./service-calls.ts";

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
  finder: RecordingFinder;
  operations: BridgeOperations;
  log: Log;
}

export function addRecordingRoutes(app: OpenAPIHono, deps: RecordingRoutesDeps): void {
  const { authorisation, finder, operations, log } = deps;

  app.openapi(listRoute, async (c) => {
    const { room: asked, limit, before } = c.req.valid("query");
    const own = await authorisation.operator(c, asked);
    const room = own.room ?? asked;
    const { answers, unreachable } = await finder.ask((bridge) =>
      operations.recordings(bridge, { room, before, limit }),
    );
    const pages = answers.map(({ target, answer }) => ({ bridge: target, page: answer }));
    const { found, next } = mergedPages(pages, limit);
    c.header("cache-control", "no-store");
    return c.json({ recordings: found.map(withAddresses), ...(next ? { next } : {}), unreachable }, 200);
  });

  app.openapi(oneRoute, async (c) => {
    const own = await authorisation.operator(c);
    const found = await finder.one(c.req.valid("param").id, own.room);
    c.header("cache-control", "no-store");
    return c.json(withAddresses(found), 200);
  });

  app.openapi(deleteRoute, async (c) => {
    const own = await authorisation.operator(c);
    const { id } = c.req.valid("param");
    const found = await finder.everywhere(id, own.room);
    const first = bestOf(found);
    if (first.recording.state === "recording") throw inProgress();
    await remove(id, found);
    log("info", "recording deleted", { room: first.recording.room, recording: id });
    return c.json(withAddresses(first), 200);
  });

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

function inProgress(): ProblemError {
  return new ProblemError(
    "recording-in-progress",
    "The recording is still being made: end its output with DELETE /v1/rooms/{room}/outputs/{id}, then delete it.",
  );
}
