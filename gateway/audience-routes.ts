/**
 * Addresses of audiences (/hls, /listen, /recordings) on a gateway, whose bridges are elsewhere: redirects to the bridge that has what is
 * asked for now. So one address stays good while outputs move between bridges. Open to pages of any origin, as the bridges' answers are.
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { BridgeRecord } from "../core/wire/bridge-jobs.ts";
import { recordingIdSchema } from "../core/wire/bridge-operations.ts";
import { roomNameSchema } from "../core/wire/room-model.ts";
import type { JobDesk } from "./job-desk.ts";
import { ProblemError } from "./problem.ts";
import type { RecordingFinder } from "./recording-finder.ts";

/** Of GET requests with what players add; preflights are answered here, since they may not be redirected. */
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, OPTIONS",
  "access-control-allow-headers": "icy-metadata, range",
  "access-control-max-age": "86400",
  "cross-origin-resource-policy": "cross-origin",
};

export interface AudienceRoutesDeps {
  desk: JobDesk;
  finder: RecordingFinder;
  /** Bounds what one address may ask. */
  limit: MiddlewareHandler;
}

/** To be added before what refuses pages of other origins. */
export function addAudienceRoutes(app: OpenAPIHono, deps: AudienceRoutesDeps): void {
  const { desk, finder, limit } = deps;
  for (const path of ["/hls/:room/*", "/listen/:file", "/recordings/:id/*"]) {
    app.use(path, openToAll, limit);
    app.options(path, (c) => c.body(null, 204));
  }
  app.get("/hls/:room/*", async (c) => redirect(c, await desk.bridgeOf(roomOf(c.req.param("room")), "hls")));
  app.get("/listen/:file", async (c) => {
    const [, room] = /^(.+)\.mp3$/.exec(c.req.param("file")) ?? [];
    if (room === undefined)
      throw new ProblemError("not-found", "The sound of a room is at /listen/<room>.mp3.");
    return redirect(c, await desk.bridgeOf(roomOf(room), "mp3"));
  });
  app.get("/recordings/:id/*", async (c) => {
    const id = recordingIdSchema.safeParse(c.req.param("id"));
    if (!id.success) throw new ProblemError("recording-not-found", "That is no id of a recording.");
    return redirect(c, (await finder.one(id.data)).bridge);
  });
}

const openToAll: MiddlewareHandler = async (c, next) => {
  for (const [name, value] of Object.entries(CORS)) c.header(name, value);
  await next();
};

function roomOf(text: string): string {
  const room = roomNameSchema.safeParse(text);
  if (room.success) return room.data;
  throw new ProblemError("output-not-found", "That is no name of a room.");
}

/** The same address below the bridge's public URL. The method stays, and nobody keeps it: outputs move. */
function redirect(c: Context, { publicUrl }: BridgeRecord): Response {
  const { pathname, search } = new URL(c.req.url);
  c.header("cache-control", "no-store");
  return c.redirect(publicUrl.replace(/\/+$/, "") + pathname + search, 307);
}
