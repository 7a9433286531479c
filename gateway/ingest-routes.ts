/** Ingests over the API: who may send into a room from a program that speaks RTMP or Icecast, and with what key. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  type BridgeRecord,
  bridgeJobSchema,
  ingestSpecSchema,
  jobStatusSchema,
} from "../core/wire/bridge-jobs.ts";
import { roomNameSchema } from "../core/wire/room-model.ts";
import type { Authorisation } from "./authorisation.ts";
import type { Log } from "./deps.ts";
import { bridgesFor, type IngestView, type JobDesk, urlOf } from "./job-desk.ts";
import { MAX_BACKUP_URLS } from "./limits.ts";
import { operatorProblems, operatorSecurity } from "./operator-routes.ts";
import { problems } from "./problem.ts";

/** Any name will do on a bridge: the password says which ingest it is. */
const ICECAST_MOUNT = "/live";

const [, ingestJobSchema] = bridgeJobSchema.options;
const idParams = z.object({ id: z.string().min(1).max(64) });
const wishSchema = z.object({ room: roomNameSchema, ...ingestSpecSchema.shape }).openapi("IngestWish");

const urlsSchema = z.object({
  rtmp: z
    .string()
    .optional()
    .openapi({ description: "Server of the sending program, rtmp://host:port/live" }),
  rtmps: z.string().optional().openapi({ description: "The same over TLS, where that bridge has it." }),
  icecast: z
    .string()
    .optional()
    .openapi({ description: "Address of the mount; user `source`, password the stream key." }),
});

const ingestSchema = z
  .object({
    id: z.string(),
    room: roomNameSchema,
    createdAt: ingestJobSchema.shape.createdAt,
    spec: z.object(ingestSpecSchema.shape),
    streamKey: z.string().openapi({ description: "Secret: whoever has it is in the room as this identity." }),
    urls: urlsSchema.openapi({ description: "Where to send; empty while no bridge takes such senders." }),
    backupUrls: z.array(urlsSchema).openapi({ description: "Other bridges, should that one be away." }),
    status: z
      .object(jobStatusSchema.shape)
      .nullable()
      .openapi({ description: "As the bridge says that somebody sends to; null while nobody does." }),
  })
  .openapi("Ingest");

const ingestContent = { "application/json": { schema: ingestSchema } };

const addRoute = createRoute({
  method: "post",
  path: "/v1/ingests",
  summary: "Add an ingest",
  description:
    "Gives the address and the stream key for OBS, ffmpeg, GStreamer or an Icecast source. Whoever sends with the key is in the room under this identity, as long as they send. It stands until it is deleted.",
  tags: ["bridges"],
  security: operatorSecurity,
  request: { body: { required: true, content: { "application/json": { schema: wishSchema } } } },
  responses: {
    201: { description: "Added", content: ingestContent },
    ...problems(
      ...operatorProblems,
      "malformed-json",
      "not-json",
      "body-too-large",
      "ingest-exists",
      "too-many-jobs",
      "no-bridge",
    ),
  },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/ingests",
  summary: "List ingests",
  description: "With an API key those of all rooms, with a join token those of its room.",
  tags: ["bridges"],
  security: operatorSecurity,
  request: { query: z.object({ room: roomNameSchema.optional() }) },
  responses: {
    200: {
      description: "The ingests, by time of creation",
      content: {
        "application/json": { schema: z.object({ ingests: z.array(ingestSchema) }).openapi("IngestList") },
      },
    },
    ...problems(...operatorProblems),
  },
});

const oneRoute = createRoute({
  method: "get",
  path: "/v1/ingests/{id}",
  summary: "See how an ingest does",
  tags: ["bridges"],
  security: operatorSecurity,
  request: { params: idParams },
  responses: {
    200: { description: "The ingest", content: ingestContent },
    ...problems(...operatorProblems, "ingest-not-found"),
  },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/v1/ingests/{id}",
  summary: "End an ingest",
  description: "Whoever sends with its key is cut off, and the key is worthless.",
  tags: ["bridges"],
  security: operatorSecurity,
  request: { params: idParams },
  responses: {
    200: { description: "The ingest as it was", content: ingestContent },
    ...problems(...operatorProblems, "ingest-not-found"),
  },
});

export interface IngestRoutesDeps {
  authorisation: Authorisation;
  desk: JobDesk;
  log: Log;
}

export function addIngestRoutes(app: OpenAPIHono, { authorisation, desk, log }: IngestRoutesDeps): void {
  app.openapi(addRoute, async (c) => {
    const { room, ...spec } = c.req.valid("json");
    await authorisation.operatorOf(c, room);
    const job = await desk.addIngest(room, spec);
    log("info", "ingest added", { room, ingest: job.id, type: spec.type, identity: spec.identity });
    c.header("location", `/v1/ingests/${job.id}`);
    c.header("cache-control", "no-store");
    return c.json(shown({ job }, await desk.bridges()), 201);
  });

  app.openapi(listRoute, async (c) => {
    const { room } = c.req.valid("query");
    const own = await authorisation.operator(c, room);
    const [ingests, bridges] = await Promise.all([desk.ingests(own.room ?? room), desk.bridges()]);
    c.header("cache-control", "no-store");
    return c.json({ ingests: ingests.map((view) => shown(view, bridges)) }, 200);
  });

  app.openapi(oneRoute, async (c) => {
    const own = await authorisation.operator(c);
    const view = await desk.ingest(c.req.valid("param").id, own.room);
    c.header("cache-control", "no-store");
    return c.json(shown(view, await desk.bridges()), 200);
  });

  app.openapi(deleteRoute, async (c) => {
    const own = await authorisation.operator(c);
    const view = await desk.ingest(c.req.valid("param").id, own.room);
    await desk.delete(view.job);
    const { id, room, spec } = view.job;
    log("info", "ingest deleted", { room, ingest: id, type: spec.type, identity: spec.identity });
    c.header("cache-control", "no-store");
    return c.json(shown(view, await desk.bridges()), 200);
  });
}

function shown(view: IngestView, bridges: readonly BridgeRecord[]): z.output<typeof ingestSchema> {
  const { id, room, createdAt, spec, streamKey } = view.job;
  const [urls = {}, ...backupUrls] = bridgesFor(view, bridges).map((bridge) => urlsOf(bridge, spec.type));
  return {
    id,
    room,
    createdAt,
    spec,
    streamKey,
    urls,
    backupUrls: backupUrls.slice(0, MAX_BACKUP_URLS),
    status: view.status ?? null,
  };
}

function urlsOf(bridge: BridgeRecord, type: IngestView["job"]["spec"]["type"]): z.output<typeof urlsSchema> {
  const url = urlOf(bridge, type);
  if (type === "icecast") return { icecast: url.replace(/\/$/, "") + ICECAST_MOUNT };
  return { rtmp: url, ...(bridge.rtmpsUrl === "" ? {} : { rtmps: bridge.rtmpsUrl }) };
}
