/** Outputs of a room over the API: what takes it out to RTMP targets, HLS and MP3 audiences and recordings. Bridges do the work. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { bridgeJobSchema, jobStatusSchema, outputSpecSchema } from "../core/wire/bridge-jobs.ts";
import { hiddenUrl } from "../core/wire/hidden-url.ts";
import { roomNameSchema } from "../core/wire/room-model.ts";
import type { Authorisation } from "./authorisation.ts";
import type { Log } from "./deps.ts";
import type { JobDesk, OutputView } from "./job-desk.ts";
import { operatorProblems, operatorSecurity } from "./operator-routes.ts";
import { problems } from "./problem.ts";

const roomParams = z.object({ room: roomNameSchema });
const outputParams = roomParams.extend({ id: z.string().min(1).max(64) });

/** Anew, since schemas that were made before OpenAPI was there cannot be named. */
const specSchema = z.discriminatedUnion("type", outputSpecSchema.options).openapi("OutputSpec");
const [outputJobSchema] = bridgeJobSchema.options;

const outputSchema = z
  .object({
    id: z.string(),
    room: roomNameSchema,
    createdAt: outputJobSchema.shape.createdAt,
    spec: specSchema.openapi({ description: "As asked for; stream keys of targets are hidden." }),
    status: z
      .object(jobStatusSchema.shape)
      .nullable()
      .openapi({ description: "As its bridge says; null while no bridge has it, which soon changes." }),
  })
  .openapi("Output");

const addRoute = createRoute({
  method: "post",
  path: "/v1/rooms/{room}/outputs",
  summary: "Add an output",
  description:
    'A bridge begins it within a second and goes on until it is deleted, whoever is in the room; when the bridge dies another goes on. A room has one HLS and one MP3 output, and any number of others. Pictures go out as they are, switched at keyframes; `picture: {"mode": "grid"}` alone is encoded anew: up to nine pictures side by side in 1280x720, 0.3 s later, by ffmpeg on the bridge at a third to half of a core for each room, however many of its outputs show it. Without ffmpeg the output has sound alone, and its status says so.',
  tags: ["bridges"],
  security: operatorSecurity,
  request: {
    params: roomParams,
    body: { required: true, content: { "application/json": { schema: specSchema } } },
  },
  responses: {
    201: { description: "Added", content: { "application/json": { schema: outputSchema } } },
    ...problems(
      ...operatorProblems,
      "malformed-json",
      "not-json",
      "body-too-large",
      "output-exists",
      "too-many-jobs",
      "no-bridge",
    ),
  },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/rooms/{room}/outputs",
  summary: "List a room's outputs",
  tags: ["bridges"],
  security: operatorSecurity,
  request: { params: roomParams },
  responses: {
    200: {
      description: "The outputs, by time of creation",
      content: {
        "application/json": { schema: z.object({ outputs: z.array(outputSchema) }).openapi("OutputList") },
      },
    },
    ...problems(...operatorProblems),
  },
});

const oneRoute = createRoute({
  method: "get",
  path: "/v1/rooms/{room}/outputs/{id}",
  summary: "See how an output does",
  tags: ["bridges"],
  security: operatorSecurity,
  request: { params: outputParams },
  responses: {
    200: { description: "The output", content: { "application/json": { schema: outputSchema } } },
    ...problems(...operatorProblems, "output-not-found"),
  },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/v1/rooms/{room}/outputs/{id}",
  summary: "End an output",
  description: "Its bridge stops it at once; a recording is finished and kept.",
  tags: ["bridges"],
  security: operatorSecurity,
  request: { params: outputParams },
  responses: {
    200: { description: "The output as it was", content: { "application/json": { schema: outputSchema } } },
    ...problems(...operatorProblems, "output-not-found"),
  },
});

export interface OutputRoutesDeps {
  authorisation: Authorisation;
  desk: JobDesk;
  log: Log;
}

export function addOutputRoutes(app: OpenAPIHono, { authorisation, desk, log }: OutputRoutesDeps): void {
  app.openapi(addRoute, async (c) => {
    const { room } = c.req.valid("param");
    await authorisation.operatorOf(c, room);
    const spec = c.req.valid("json");
    const job = await desk.addOutput(room, spec);
    log("info", "output added", { room, output: job.id, type: spec.type });
    c.header("location", `/v1/rooms/${encodeURIComponent(room)}/outputs/${job.id}`);
    return c.json(shown({ job }), 201);
  });

  app.openapi(listRoute, async (c) => {
    const { room } = c.req.valid("param");
    await authorisation.operatorOf(c, room);
    c.header("cache-control", "no-store");
    return c.json({ outputs: (await desk.outputs(room)).map(shown) }, 200);
  });

  app.openapi(oneRoute, async (c) => {
    const { room, id } = c.req.valid("param");
    await authorisation.operatorOf(c, room);
    c.header("cache-control", "no-store");
    return c.json(shown(await desk.output(id, room)), 200);
  });

  app.openapi(deleteRoute, async (c) => {
    const { room, id } = c.req.valid("param");
    await authorisation.operatorOf(c, room);
    const view = await desk.output(id, room);
    await desk.delete(view.job);
    log("info", "output deleted", { room, output: id, type: view.job.spec.type });
    return c.json(shown(view), 200);
  });
}

/** Whoever may see an output need not be who may send to its targets. */
function shown({ job: { id, room, createdAt, spec }, status }: OutputView): z.output<typeof outputSchema> {
  const hidden =
    spec.type === "rtmp"
      ? { ...spec, targets: spec.targets.map((target) => ({ ...target, url: hiddenUrl(target.url) })) }
      : spec;
  return { id, room, createdAt, spec: hidden, status: status ?? null };
}
