/**
 * What a bridge's operations API (HTTP, for gateways) answers. Calls carry a service token (tokens.ts) of scope "recordings",
 * `aud` = bridge id, as `Authorization: Bearer`.
 *
 *   GET    /v1/recordings?room=&before=&limit= -> RecordingPage, newest first
 *   GET    /v1/recordings/:id                  -> RecordingInfo, 404
 *   DELETE /v1/recordings/:id                  -> 200 RecordingInfo (as it was), 404, 409 while it is being recorded
 */
import { z } from "zod";
import { type RecordingInfo, recordingInfoSchema } from "./bridge-jobs.ts";
import { MAX_LISTED_RECORDINGS } from "./limits.ts";
import { roomNameSchema } from "./room-model.ts";

export const recordingIdSchema = recordingInfoSchema.shape.id;

/** Place in the list of a recording: what comes before it in this order is older. */
export const recordingPlaceSchema = z
  .string()
  .max(128)
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z_[\w-]{8,64}$/, "give `next` of the page before");

export const recordingQuerySchema = z.object({
  room: roomNameSchema.optional(),
  /** Only recordings behind this place. */
  before: recordingPlaceSchema.optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LISTED_RECORDINGS).default(MAX_LISTED_RECORDINGS),
});
export type RecordingQuery = z.output<typeof recordingQuerySchema>;

export const recordingPageSchema = z.object({
  recordings: z.array(recordingInfoSchema).max(MAX_LISTED_RECORDINGS),
  /** There are older ones. */
  more: z.boolean(),
});
export type RecordingPage = z.output<typeof recordingPageSchema>;

/** Newest first is the order of these texts, downward. */
export function placeOfRecording({ startedAt, id }: Pick<RecordingInfo, "startedAt" | "id">): string {
  return `${new Date(startedAt).toISOString()}_${id}`;
}

/** Compares for a list that has the newest first. */
export function newestFirst(one: RecordingInfo, other: RecordingInfo): number {
  const [left, right] = [placeOfRecording(one), placeOfRecording(other)];
  return left === right ? 0 : left < right ? 1 : -1;
}
