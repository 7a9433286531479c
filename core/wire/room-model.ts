/** What a room is made of, as control messages and APIs say it: sources, grants, tracks, participants. */
import { z } from "zod";
import {
  MAX_IDENTITY_CHARS,
  MAX_NAME_CHARS,
  MAX_PICTURE_CODECS,
  MAX_RENDITION_BPS,
  MAX_ROOM_CHARS,
} from "./limits.ts";

/** Letters, digits and - _ . ~ @ : of any script, no spaces or slashes, not . or .. alone, so that it fits a URL path and a log line. */
const NAME_PATTERN = /^(?!\.\.?$)[\p{L}\p{N}\-_.~@:]+$/u;
const NAME_HELP = "use letters, digits and - _ . ~ @ : only";

export const roomNameSchema = z.string().min(1).max(MAX_ROOM_CHARS).regex(NAME_PATTERN, NAME_HELP);
export const identitySchema = z.string().min(1).max(MAX_IDENTITY_CHARS).regex(NAME_PATTERN, NAME_HELP);
/** What people see: anything printable. */
export const displayNameSchema = z
  .string()
  .min(1)
  .max(MAX_NAME_CHARS)
  .regex(/^[^\p{Cc}]+$/u, "control characters are not allowed");

const sourceSchema = z.enum(["microphone", "camera", "screen", "screen-audio"]);
export type Source = z.infer<typeof sourceSchema>;

/** What a participant may do. */
export const grantsSchema = z.object({
  /** Sources that may be published. `screen` includes `screen-audio`. */
  publish: z.array(sourceSchema).max(8).default([]),
  /** May receive tracks. */
  subscribe: z.boolean().default(true),
  /** May send room data messages (chat). */
  data: z.boolean().default(true),
  /** May mute and remove others. */
  admin: z.boolean().default(false),
  /** Not shown to others; cannot publish. */
  hidden: z.boolean().default(false),
});
export type Grants = z.infer<typeof grantsSchema>;

export function mayPublish(grants: Grants, source: Source): boolean {
  if (grants.hidden) return false;
  return grants.publish.includes(source) || (source === "screen-audio" && grants.publish.includes("screen"));
}

const u32 = z.number().int().min(0).max(0xffffffff);
export const trackIdSchema = u32.min(1);

/** One simulcast encoding of a video track; index in the array = rendition number, largest first. */
const renditionSchema = z.object({
  width: z.number().int().min(1).max(8192),
  height: z.number().int().min(1).max(8192),
  maxBitrateBps: z.number().int().min(1).max(MAX_RENDITION_BPS),
  temporalLayers: z.number().int().min(1).max(8).default(1),
});

/** WebCodecs codec string ("opus", "avc1.42E01F", "vp8"), never empty. */
const codecSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w.-]+$/);

/** Names of picture codecs, without profile and level: "h264", "vp8", "vp9", "av1". Others may come to be. */
export const pictureCodecsSchema = z
  .array(
    z
      .string()
      .max(16)
      .regex(/^[a-z0-9]+$/),
  )
  .max(MAX_PICTURE_CODECS);
/** What is taken for granted of a participant that does not say what it can decode, and of a room until the relay says more. */
export const UNSAID_CODECS: readonly string[] = ["h264"];

/** What a publisher says of a track; the relay adds the id. */
export const trackOfferSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("audio"),
    source: z.enum(["microphone", "screen-audio"]),
    codec: codecSchema,
    sampleRateHz: z.number().int().min(8_000).max(48_000),
    channels: z.number().int().min(1).max(2),
    frameDurationUs: z.number().int().min(2_500).max(120_000),
    muted: z.boolean().default(false),
    encrypted: z.boolean().default(false),
  }),
  z.object({
    kind: z.literal("video"),
    source: z.enum(["camera", "screen"]),
    codec: codecSchema,
    frameRate: z.number().min(1).max(240),
    renditions: z.array(renditionSchema).min(1).max(4),
    muted: z.boolean().default(false),
    encrypted: z.boolean().default(false),
  }),
]);
export type TrackOffer = z.infer<typeof trackOfferSchema>;

export const trackInfoSchema = z.object({ trackId: trackIdSchema, offer: trackOfferSchema });
/** A published track as others see it. */
export type TrackInfo = z.infer<typeof trackInfoSchema>;

export const participantInfoSchema = z.object({
  identity: identitySchema,
  name: displayNameSchema,
  admin: z.boolean().default(false),
  tracks: z.array(trackInfoSchema).max(64),
});
/** A participant as others see it. `identity` is unique in the room. */
export type ParticipantInfo = z.infer<typeof participantInfoSchema>;
