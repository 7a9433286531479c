/**
 * What happens in rooms, as the application is told (docs/webhooks.md): made by the relay that is the root of the room, posted to a gateway,
 * which signs it and passes it on.
 *
 *   POST /relay/events   RoomEvent as JSON, `Authorization: Bearer <token>` -> 200 when the application has taken it
 *
 * The token is one that relays show each other (CredentialClaims), with EVENTS_AUDIENCE in place of a relay.
 */
import { z } from "zod";
import { displayNameSchema, identitySchema, roomNameSchema, trackIdSchema } from "./room-model.ts";

/** Path at the gateway. */
export const EVENTS_PATH = "/relay/events";
/** With a space, so that it is no relay's id. */
export const EVENTS_AUDIENCE = "tributary events";

/** What every event says; ids name what happened: an event that is told twice has the same id both times. */
function common<Type extends string>(type: Type) {
  return {
    id: z.string().regex(/^[0-9a-f]{32}$/),
    type: z.literal(type),
    room: roomNameSchema,
    /** When it happened, by the clock of a relay. */
    at: z.iso.datetime(),
  };
}

const participantSchema = z.object({
  identity: identitySchema,
  name: displayNameSchema,
  admin: z.boolean(),
});

const trackSchema = z.object({
  trackId: trackIdSchema,
  kind: z.enum(["audio", "video"]),
  source: z.enum(["microphone", "camera", "screen", "screen-audio"]),
});

export const roomEventSchema = z.discriminatedUnion("type", [
  z.object(common("room-started")),
  z.object(common("room-ended")),
  z.object({ ...common("participant-joined"), participant: participantSchema }),
  z.object({ ...common("participant-left"), participant: participantSchema }),
  z.object({ ...common("track-published"), participant: participantSchema, track: trackSchema }),
  z.object({ ...common("track-unpublished"), participant: participantSchema, track: trackSchema }),
]);
export type RoomEvent = z.infer<typeof roomEventSchema>;

/** What became of an event: taken by the application; to be tried again later; not wanted, now or ever. */
export type EventDelivery = "delivered" | "again" | "refused";
