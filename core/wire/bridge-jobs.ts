/**
 * What a bridge is asked to do (jobs) and what it says of it (statuses), as the gateway's API takes and gives them and the directory
 * keeps them. An output takes a room out of itself (RTMP, HLS, MP3, recording); an ingest brings somebody into a room.
 */
import { z } from "zod";
import { MAX_MIX_GAINS, MAX_RTMP_TARGETS, MAX_STATUS_CHARS, MAX_URL_CHARS } from "./limits.ts";
import { displayNameSchema, identitySchema, roomNameSchema } from "./room-model.ts";

const jobId = z
  .string()
  .min(8)
  .max(64)
  .regex(/^[\w-]+$/, "use letters, digits, - and _ only");

/** Which picture an output shows. Switched at keyframes only; nothing is encoded anew but in a grid. */
const pictureChoiceSchema = z.discriminatedUnion("mode", [
  /** Of whoever speaks; a shared screen before any camera. */
  z.object({ mode: z.literal("speaker") }),
  /** Of one participant, whoever speaks. */
  z.object({ mode: z.literal("pinned"), identity: identitySchema }),
  /** Everybody's, side by side: decoded, composed and encoded anew by ffmpeg. */
  z.object({ mode: z.literal("grid") }),
  z.object({ mode: z.literal("none") }),
]);
export type PictureChoice = z.infer<typeof pictureChoiceSchema>;

/** What of the room is taken. */
const programmeSpecSchema = z.object({
  picture: pictureChoiceSchema.prefault({ mode: "speaker" }),
  /** Loudness of single participants in the mix, decibels; 0 where nothing is said. */
  gainsDb: z
    .record(identitySchema, z.number().min(-60).max(12))
    .refine((gains) => Object.keys(gains).length <= MAX_MIX_GAINS, `set at most ${MAX_MIX_GAINS} gains`)
    .default({}),
});
export type ProgrammeSpec = z.infer<typeof programmeSpecSchema>;

/** Scheme, host, port, application and stream key of a target: rtmp://a.example.org/live/key */
const rtmpUrlSchema = z.url({ protocol: /^rtmps?$/ }).max(MAX_URL_CHARS);

export const outputSpecSchema = z.discriminatedUnion("type", [
  programmeSpecSchema.extend({
    type: z.literal("rtmp"),
    targets: z
      .array(z.object({ name: displayNameSchema.optional(), url: rtmpUrlSchema }))
      .min(1)
      .max(MAX_RTMP_TARGETS),
  }),
  programmeSpecSchema.extend({
    type: z.literal("hls"),
    /** Another rendition with Opus beside the one with AAC: the parts are made and held twice. */
    opus: z.boolean().default(false),
  }),
  programmeSpecSchema.omit({ picture: true }).extend({
    type: z.literal("mp3"),
    bitrateKbps: z.union([z.literal(64), z.literal(96), z.literal(128), z.literal(192)]).default(128),
  }),
  programmeSpecSchema
    .extend({
      type: z.literal("recording"),
      /** Beside the mix, a file with the microphone and the camera of each participant. */
      participants: z.boolean().default(false),
    })
    // A grid takes small pictures of them, their files large ones, and one member of the room gets one of each.
    .refine(({ participants, picture }) => !participants || picture.mode !== "grid", {
      path: ["participants"],
      message: "a recording of a grid has no file for each participant: start another recording for those",
    }),
]);
export type OutputSpec = z.infer<typeof outputSpecSchema>;

export const ingestSpecSchema = z.object({
  type: z.enum(["rtmp", "icecast"]),
  /** Who is in the room for it. */
  identity: identitySchema,
  name: displayNameSchema.optional(),
});
export type IngestSpec = z.infer<typeof ingestSpecSchema>;

/** One thing that a bridge does, as the directory keeps it until it is deleted. */
export const bridgeJobSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("output"),
    id: jobId,
    room: roomNameSchema,
    createdAt: z.iso.datetime(),
    spec: outputSpecSchema,
  }),
  z.object({
    kind: z.literal("ingest"),
    id: jobId,
    room: roomNameSchema,
    createdAt: z.iso.datetime(),
    spec: ingestSpecSchema,
    /** What the sending program shows; secret. */
    streamKey: z.string().min(16).max(128),
  }),
]);
export type BridgeJob = z.infer<typeof bridgeJobSchema>;
export type OutputJob = Extract<BridgeJob, { kind: "output" }>;
export type IngestJob = Extract<BridgeJob, { kind: "ingest" }>;

const jobStateSchema = z.enum(["starting", "running", "reconnecting", "failed", "ended"]);
export type JobState = z.infer<typeof jobStateSchema>;

/** How a job does, as the bridge that has it says. */
export const jobStatusSchema = z.object({
  jobId,
  bridgeId: z.string().min(1).max(128),
  state: jobStateSchema,
  /** Since when it is in this state. */
  since: z.iso.datetime(),
  /** For people: what is wrong and what to do; empty while nothing is. */
  message: z.string().max(MAX_STATUS_CHARS).default(""),
  /** From capture to leaving us, milliseconds, measured; null before the first. */
  latencyMs: z.number().min(0).nullable().default(null),
  /** Where it can be watched, listened to or sent to. */
  url: z.string().max(MAX_URL_CHARS).optional(),
  /** Of each RTMP target, in the order of the spec. */
  targets: z
    .array(
      z.object({
        name: z.string(),
        state: jobStateSchema,
        message: z.string().max(MAX_STATUS_CHARS).default(""),
        bytesSent: z.number().min(0),
        /** Pictures left out because the target took them too slowly. */
        dropped: z.number().min(0),
      }),
    )
    .max(MAX_RTMP_TARGETS)
    .optional(),
  /** Clients of an audience output now. */
  audience: z.number().int().min(0).optional(),
});
export type JobStatus = z.infer<typeof jobStatusSchema>;

/** A bridge that takes jobs, as it describes itself. */
export const bridgeRecordSchema = z.object({
  id: z.string().min(1).max(128),
  region: z.string().max(64),
  /** Base URL for audiences: /hls, /listen, /recordings lie below it. */
  publicUrl: z.string().max(MAX_URL_CHARS),
  /** Base URL of RTMP ingest, rtmp://host:port/live; empty = it takes none. */
  rtmpUrl: z.string().max(MAX_URL_CHARS),
  /** The same over TLS, rtmps://host:port/live; empty = it has no certificate. */
  rtmpsUrl: z.string().max(MAX_URL_CHARS).default(""),
  /** Base URL of the Icecast source server, http://host:port; empty = none. */
  icecastUrl: z.string().max(MAX_URL_CHARS),
  /** Base URL of its operations API, for gateways (core/wire/bridge-operations.ts). */
  operationsUrl: z.string().max(MAX_URL_CHARS),
  /** Jobs that it wants to do at most, and does. */
  capacity: z.number().int().min(0),
  jobs: z.number().int().min(0),
  version: z.string().max(64),
  /** True: takes no new jobs. */
  draining: z.boolean(),
});
export type BridgeRecord = z.infer<typeof bridgeRecordSchema>;

/** A recording as lists and the history page show it. Kept beside the media as JSON. */
export const recordingInfoSchema = z.object({
  id: jobId,
  room: roomNameSchema,
  state: z.enum(["recording", "interrupted", "complete"]),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  durationMs: z.number().min(0),
  bytes: z.number().min(0),
  /** Everybody who was heard or seen. */
  participants: z.array(z.object({ identity: identitySchema, name: displayNameSchema })).max(1000),
  hasPicture: z.boolean(),
  /** Relative to the bridge's public URL. */
  playlistPath: z.string().max(MAX_URL_CHARS),
  downloadPath: z.string().max(MAX_URL_CHARS),
  posterPath: z.string().max(MAX_URL_CHARS).nullable(),
  /** Files of single participants: one for each stay of each who published, in the order in which they began. */
  files: z
    .array(
      z.object({
        /** Its name within the recording. */
        file: z.string().regex(/^\d{1,4}\.mp4$/),
        identity: identitySchema,
        name: displayNameSchema,
        /** How far behind the beginning of the recording, as it is downloaded, the file's own begins. */
        startMs: z.number().min(0),
        durationMs: z.number().min(0),
        hasPicture: z.boolean(),
        downloadPath: z.string().max(MAX_URL_CHARS),
        bytes: z.number().min(0),
      }),
    )
    .max(1000)
    .default([]),
});
export type RecordingInfo = z.infer<typeof recordingInfoSchema>;
