/**
 * What a relay's operations API (HTTP, for gateways) answers. Calls carry a service token
 * (core/wire/tokens.ts) as `Authorization: Bearer`, except /healthz, /readyz and /metrics.
 *
 *   GET    /v1/rooms                              -> RoomSummary[]
 *   GET    /v1/rooms/:room                        -> RoomDetail, 404
 *   DELETE /v1/rooms/:room/participants/:identity -> 200 RemovedParticipant, 404
 */
import { z } from "zod";
import { identitySchema, participantInfoSchema, roomNameSchema } from "./room-model.ts";

export const roomSummarySchema = z.object({
  room: roomNameSchema,
  participants: z.number().int().min(0),
  tracks: z.number().int().min(0),
  createdAt: z.iso.datetime(),
});
export type RoomSummary = z.infer<typeof roomSummarySchema>;

export const roomDetailSchema = roomSummarySchema.extend({
  relayId: z.string(),
  members: z.array(participantInfoSchema),
});
export type RoomDetail = z.infer<typeof roomDetailSchema>;

export const removedParticipantSchema = z.object({
  identity: identitySchema,
  /** The join token that brought the participant in, for the gateway's ban list. */
  token: z.string(),
  tokenExp: z.number().int(),
});
export type RemovedParticipant = z.infer<typeof removedParticipantSchema>;
