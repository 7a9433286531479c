/**
 * The relay's HTTP side: health, readiness, metrics, and the operations API for gateways
 * (core/wire/operations-api.ts), which asks for a service token signed by the gateway.
 */
import { type Context, Hono } from "hono";
import type { RemovedParticipant, RoomDetail, RoomSummary } from "../core/wire/operations-api.ts";
import type { Relay } from "./relay.ts";
import type { Room } from "./room.ts";

export interface OperationsOptions {
  relay: Relay;
  /** Rejects when the token is not the gateway's. */
  verifyServiceToken(token: string): Promise<unknown>;
  /** Further metrics in Prometheus text, of the server below. */
  furtherMetrics?(): string;
}

export function createOperationsApp(options: OperationsOptions): Hono {
  const { relay, verifyServiceToken, furtherMetrics } = options;
  const app = new Hono();
  app.get("/healthz", (c) => c.json({ status: "ok", relayId: relay.id }));
  app.get("/readyz", (c) => {
    const status = relay.ready ? 200 : 503;
    return c.json({ status: relay.ready ? "ready" : "not ready", relayId: relay.id }, status);
  });
  app.get("/metrics", (c) => {
    const text = relay.metrics() + (furtherMetrics?.() ?? "");
    return c.body(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  });
  app.use("/v1/*", async (c, next) => {
    const token = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    try {
      if (token === undefined) throw new Error("no service token: send it as Authorization: Bearer");
      await verifyServiceToken(token);
    } catch (error) {
      const detail = error instanceof Error ? error.message : "the service token is not valid";
      return problem(c, 401, "Not authorised", detail);
    }
    await next();
  });
  app.get("/v1/rooms", (c) => c.json([...relay.rooms.values()].map(summaryOf)));
  app.get("/v1/rooms/:room", (c) => {
    const room = relay.rooms.get(c.req.param("room"));
    if (room === undefined) return notFound(c, `there is no room ${c.req.param("room")} on this relay`);
    const detail: RoomDetail = { ...summaryOf(room), relayId: relay.id, members: room.participants };
    return c.json(detail);
  });
  app.delete("/v1/rooms/:room/participants/:identity", (c) => {
    const { room, identity } = c.req.param();
    const removed: RemovedParticipant | undefined = relay.remove(room, identity);
    if (removed === undefined) return notFound(c, `nobody called ${identity} is in room ${room}`);
    return c.json(removed);
  });
  app.notFound((c) => notFound(c, "there is nothing at this path"));
  app.onError((error, c) => problem(c, 500, "Internal error", error.message));
  return app;
}

function summaryOf(room: Room): RoomSummary {
  return {
    room: room.name,
    participants: room.participants.length,
    tracks: room.tracks.size,
    createdAt: new Date(room.createdAtUs / 1000).toISOString(),
  };
}

function notFound(c: Context, detail: string): Response {
  return problem(c, 404, "Not found", detail);
}

/** RFC 9457. */
function problem(c: Context, status: 401 | 404 | 500, title: string, detail: string): Response {
  return c.body(JSON.stringify({ title, status, detail }), status, {
    "content-type": "application/problem+json",
  });
}
