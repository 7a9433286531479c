/** What `GET /listen/<room>.json` answers: who is heard in a room that can be listened to. For everybody, so names and no identities. */
import { z } from "zod";
import { MAX_HEARD_NAMES } from "./limits.ts";
import { displayNameSchema, roomNameSchema } from "./room-model.ts";

export const nowHeardSchema = z.object({
  room: roomNameSchema,
  /** As players of the MP3 show it: who speaks, or the room. */
  title: z.string().max(400),
  /** Names of who speaks now, loudest first; empty = nobody does. */
  speaking: z.array(displayNameSchema).max(MAX_HEARD_NAMES),
  /** Connections that are played to now. */
  listeners: z.number().int().min(0),
});
export type NowHeard = z.infer<typeof nowHeardSchema>;
