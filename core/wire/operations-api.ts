/**
 * What a relay's operations API (HTTP, for gateways) answers. Calls carry a service token
 * (core/wire/tokens.ts) as `Authorization: Bearer`, except /healthz, /readyz and /metrics.
 *
 *   GET    /v1/rooms                              -> RoomSummary[]
 *   GET    /v1/rooms/:room                        -> RoomDetail, 404
 *   GET    /v1/rooms/:room/tree                   -> TreePlace, 404
 *   DELETE /v1/rooms/:room/participants/:identity -> 200 RemovedParticipant, 404
 */
import { z } from "zod";
import { MAX_RELAYS_PER_ROOM, MAX_TREE_DEPTH } from "./limits.ts";
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
  /** Until then, or longer: how long a ban on it must be remembered. */
  tokenExp: z.number().int(),
});
export type RemovedParticipant = z.infer<typeof removedParticipantSchema>;

const relayId = z.string().min(1).max(128);
const region = z.string().max(64);
const whole = z.number().int().min(0);
const share = z.number().min(0).max(1);

/** One end of a link between two relays, as the relay at that end measures it. Totals are those of this link. */
export const treeLinkSchema = z.object({
  relayId,
  region,
  /** Null before the first report. */
  rttMs: z.number().min(0).nullable(),
  /** Share of datagrams lost of late, on the way there and on the way here. */
  lossOut: share,
  lossIn: share,
  /** What the way there carries; null until a limit has been met. */
  sendRateBps: z.number().min(0).nullable(),
  /** Standing queue on the way there. */
  queueMs: z.number().min(0),
  /** Tracks that are being carried there, and from there. */
  tracksOut: whole,
  tracksIn: whole,
  datagramsSent: whole,
  datagramsReceived: whole,
  bytesSent: whole,
  bytesReceived: whole,
  /** Datagrams that made good what was lost on the way there. */
  repairsSent: whole,
  /** Nothing is heard from there. */
  silent: z.boolean(),
  /** The link is about to end. */
  leaving: z.boolean(),
});
export type TreeLink = z.infer<typeof treeLinkSchema>;

/** A relay's place in the tree of a room's relays, as it sees it itself. */
export const treePlaceSchema = z.object({
  room: roomNameSchema,
  relayId,
  region,
  /** Nothing is above it. */
  root: z.boolean(),
  /** Root without the directory's word for it. */
  provisional: z.boolean(),
  /** Of the root's claim. */
  epoch: whole,
  /** From the root to this relay. */
  path: z.array(relayId).max(MAX_TREE_DEPTH),
  /** Who takes over when the root dies. */
  deputy: relayId.optional(),
  parent: treeLinkSchema.optional(),
  children: z
    .array(
      treeLinkSchema.extend({
        /** Relays below the child, and how many floors they are on. */
        below: z.array(relayId).max(MAX_RELAYS_PER_ROOM),
        height: whole,
      }),
    )
    .max(MAX_RELAYS_PER_ROOM),
  /** Those with a session on this relay, and those with one elsewhere. */
  participantsHere: whole,
  participantsElsewhere: whole,
  tracks: whole,
});
export type TreePlace = z.infer<typeof treePlaceSchema>;
