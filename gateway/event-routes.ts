/** Takes room events from relays and passes them on to the application. 200 is said only when the application has taken the event. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Clock } from "../core/clock.ts";
import type { Directory } from "../core/directory/directory.ts";
import { EVENTS_PATH, roomEventSchema } from "../core/wire/room-events.ts";
import { countRequest } from "./limits.ts";
import { ProblemError, problems } from "./problem.ts";
import type { CallerLimit } from "./rate-limit.ts";
import { relayOfToken } from "./relay-token.ts";
import type { Webhook } from "./webhook.ts";

const RETRY_SECONDS = 5;

/** Anew, since schemas that were made before OpenAPI was there cannot be named. */
const eventSchema = z.discriminatedUnion("type", roomEventSchema.options).openapi("RoomEvent");

const eventRoute = createRoute({
  method: "post",
  path: EVENTS_PATH,
  summary: "Tell what happened in a room",
  description: "For relays: the gateway signs the event and posts it to the application's webhook.",
  tags: ["service"],
  security: [{ relayToken: [] }],
  request: {
    body: { required: true, content: { "application/json": { schema: eventSchema } } },
  },
  responses: {
    200: {
      description: "The application has taken it",
      content: { "application/json": { schema: z.object({ id: z.string() }).openapi("TakenEvent") } },
    },
    ...problems(
      "invalid-request",
      "malformed-json",
      "relay-refused",
      "webhook-off",
      "body-too-large",
      "not-json",
      "rate-limited",
      "webhook-failed",
      "directory-unavailable",
    ),
  },
});

export interface EventRoutesDeps {
  directory: Directory;
  clock: Clock;
  /** Undefined: events go nowhere. */
  webhook: Webhook | undefined;
  perRelay: CallerLimit | undefined;
}

export function addEventRoutes(app: OpenAPIHono, deps: EventRoutesDeps): void {
  const { directory, clock, webhook, perRelay } = deps;
  app.openapi(eventRoute, async (c) => {
    const event = c.req.valid("json");
    const authorization = c.req.header("authorization");
    const relay = await relayOfToken(authorization, event.room, await directory.relays(), clock);
    await countRequest(c, perRelay, "key", `relay ${relay}`);
    if (!webhook) {
      throw new ProblemError("webhook-off", "Set TRIBUTARY_WEBHOOK_URL and TRIBUTARY_WEBHOOK_SECRET here.");
    }
    if ((await webhook.deliver(event)) !== "delivered") {
      throw new ProblemError("webhook-failed", "Try again later; the gateway's log says what it answered.", {
        headers: { "retry-after": String(RETRY_SECONDS) },
      });
    }
    return c.json({ id: event.id }, 200);
  });
}
