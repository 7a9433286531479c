/**
 * The control channel's messages: one schema each, checked on arrival (docs/wire.md, "Control channel").
 * Requests carry a `request` number that the answer (`done`, `published` or `failed`) repeats.
 */
import { z } from "zod";
import {
  MAX_DATA_BYTES,
  MAX_DATAGRAM_BYTES,
  MAX_LANES,
  MAX_PARTICIPANTS_PER_ROOM,
  MAX_RENDITION_BPS,
  MAX_SUBSCRIPTIONS_PER_PARTICIPANT,
  MAX_TOKEN_CHARS,
  MAX_TOPIC_CHARS,
  MAX_TRACKS_PER_PARTICIPANT,
} from "./limits.ts";
import {
  identitySchema,
  participantInfoSchema,
  pictureCodecsSchema,
  roomNameSchema,
  trackIdSchema,
  trackInfoSchema,
  trackOfferSchema,
} from "./room-model.ts";

const u32 = z.number().int().min(0).max(0xffffffff);
const timeUs = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const renditionIndex = z.number().int().min(0).max(3);
const topic = z.string().max(MAX_TOPIC_CHARS);
const payload = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length <= MAX_DATA_BYTES,
  `a data message carries at most ${MAX_DATA_BYTES} bytes`,
);
const text = z.string().max(512);
const laneKey = z.string().regex(/^[A-Za-z0-9_-]{22,64}$/);

/** Why a request failed; `message` says it in a sentence. */
const failureCodeSchema = z.enum([
  "forbidden",
  "not-found",
  "too-many-tracks",
  "too-many-subscriptions",
  "invalid",
  "unavailable",
  /** The participant has gone on in another session: it may ask there. */
  "superseded",
]);
export type FailureCode = z.infer<typeof failureCodeSchema>;

/** What a subscriber wants of a track. `playoutDelayMs` is its budget from arrival of the first copy to playout, for repair. */
const subscriptionSchema = z.object({
  trackId: trackIdSchema,
  rendition: renditionIndex.default(0),
  maxTemporalLayer: z.number().int().min(0).max(7).default(7),
  playoutDelayMs: z.number().int().min(0).max(10_000).default(200),
});

/** What a participant takes along from another session of its own. */
const resumeSchema = z.object({
  tracks: z.array(trackInfoSchema).max(MAX_TRACKS_PER_PARTICIPANT).default([]),
  subscriptions: z.array(subscriptionSchema).max(MAX_SUBSCRIPTIONS_PER_PARTICIPANT).default([]),
});
export type Resume = z.infer<typeof resumeSchema>;

/** Participant -> relay. */
export const clientMessageSchema = z.discriminatedUnion("type", [
  /** First message of the first stream; anything else closes the session with `protocol-error`. */
  z.object({
    type: z.literal("hello"),
    version: u32,
    /** A relay ticket of the gateway, or a resume ticket of this relay or another one. */
    ticket: z.string().min(1).max(MAX_TOKEN_CHARS),
    client: z.string().max(128).default(""),
    /** Made up by the participant, for lanes; not to be guessed. */
    laneKey: laneKey.optional(),
    /** Picture codecs that it can decode; without it `UNSAID_CODECS`, an empty list counts for nothing. */
    decodes: pictureCodecsSchema.optional(),
    /** The participant goes on from another session, perhaps with another relay: nobody sees it leave or join. */
    resume: resumeSchema.optional(),
    /** The participant knows `resume-ticket`. */
    resumable: z.boolean().optional(),
    sentAtUs: timeUs,
  }),
  /** First message in place of hello: this session measures the way to the relay and joins nothing (docs/wire.md, "Diagnosis"). */
  z.object({
    type: z.literal("diagnose"),
    version: u32,
    ticket: z.string().min(1).max(MAX_TOKEN_CHARS),
    client: z.string().max(128).default(""),
    laneKey: laneKey.optional(),
    sentAtUs: timeUs,
  }),
  /** In a diagnosis: send probes at a rate that rises to `maxBps`, for so long. */
  z.object({
    type: z.literal("send-load"),
    maxBps: z.number().int().min(1).max(MAX_RENDITION_BPS),
    durationMs: z.number().int().min(1).max(60_000),
  }),
  z.object({ type: z.literal("publish"), request: u32, offer: trackOfferSchema }),
  z.object({ type: z.literal("unpublish"), request: u32, trackId: trackIdSchema }),
  /** Mutes or unmutes one's own track; an admin may mute (never unmute) anybody's. */
  z.object({ type: z.literal("mute"), request: u32, trackId: trackIdSchema, muted: z.boolean() }),
  /** Starts or changes a subscription. */
  subscriptionSchema.extend({ type: z.literal("subscribe"), request: u32 }),
  z.object({ type: z.literal("unsubscribe"), request: u32, trackId: trackIdSchema }),
  z.object({
    type: z.literal("request-keyframe"),
    trackId: trackIdSchema,
    rendition: renditionIndex.default(0),
  }),
  /** Reliable, ordered data to the room, or to the named identities. */
  z.object({
    type: z.literal("send-data"),
    request: u32,
    topic,
    payload,
    to: z.array(identitySchema).max(MAX_PARTICIPANTS_PER_ROOM).optional(),
  }),
  /** Admins only. */
  z.object({ type: z.literal("remove"), request: u32, identity: identitySchema }),
  z.object({ type: z.literal("ping"), id: u32, sentAtUs: timeUs }),
  z.object({ type: z.literal("leave") }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;
export type ClientMessageInput = z.input<typeof clientMessageSchema>;

/** Relay -> participant. */
export const relayMessageSchema = z.discriminatedUnion("type", [
  /** Answer to hello. The three times give the offset between the two clocks (RFC 5905, section 8). */
  z.object({
    type: z.literal("welcome"),
    version: u32,
    relayId: z.string().max(128),
    room: roomNameSchema,
    identity: identitySchema,
    participants: z.array(participantInfoSchema).max(MAX_PARTICIPANTS_PER_ROOM),
    helloSentAtUs: timeUs,
    helloReceivedAtUs: timeUs,
    welcomeSentAtUs: timeUs,
    /** Largest media datagram that every hop of this room carries. */
    maxMediaDatagramBytes: z.number().int().min(200).max(MAX_DATAGRAM_BYTES),
    reportIntervalMs: z.number().int().min(5).max(1000),
    /** Lanes that this relay takes beside the session. */
    maxLanes: z.number().int().min(0).max(MAX_LANES).default(0),
    /** Which tracks of hello's `resume` go on; others must be published anew. */
    resumedTracks: z.array(trackIdSchema).max(MAX_TRACKS_PER_PARTICIPANT).optional(),
  }),
  /** Answer to diagnose: what this relay does for one. */
  z.object({
    type: z.literal("diagnosing"),
    version: u32,
    relayId: z.string().max(128),
    maxBps: z.number().int().min(1).max(MAX_RENDITION_BPS),
    maxMs: u32,
    maxLanes: z.number().int().min(0).max(MAX_LANES).default(0),
  }),
  /** The load that was asked for has been sent. */
  z.object({ type: z.literal("load-sent"), datagrams: u32, bytes: u32 }),
  /** Lets the participant go on from this session in another one, without asking the gateway. Each takes the place of the one before. */
  z.object({ type: z.literal("resume-ticket"), ticket: z.string().min(1).max(MAX_TOKEN_CHARS) }),
  z.object({ type: z.literal("published"), request: u32, trackId: trackIdSchema }),
  z.object({ type: z.literal("done"), request: u32 }),
  z.object({ type: z.literal("failed"), request: u32, code: failureCodeSchema, message: text }),
  z.object({ type: z.literal("participant-joined"), participant: participantInfoSchema }),
  z.object({ type: z.literal("participant-left"), identity: identitySchema, reason: text }),
  z.object({ type: z.literal("track-published"), identity: identitySchema, track: trackInfoSchema }),
  z.object({ type: z.literal("track-unpublished"), identity: identitySchema, trackId: trackIdSchema }),
  z.object({
    type: z.literal("track-muted"),
    identity: identitySchema,
    trackId: trackIdSchema,
    muted: z.boolean(),
    /** Identity of who did it. */
    by: identitySchema,
  }),
  /** To the publisher: send a keyframe of this rendition now. */
  z.object({ type: z.literal("keyframe-requested"), trackId: trackIdSchema, rendition: renditionIndex }),
  /** To the publisher: does anybody want this track (so that an unwatched camera need not be encoded)? */
  z.object({ type: z.literal("track-wanted"), trackId: trackIdSchema, wanted: z.boolean() }),
  /**
   * To the publisher: how long after undelayed arrival at the relay a datagram of this track is still of use there, and what the worst of the
   * subscribers' hops loses (share, and how long losses last), for the copies that audio carries.
   */
  z.object({
    type: z.literal("track-budget"),
    trackId: trackIdSchema,
    repairWithinMs: z.number().int().min(0).max(10_000),
    loss: z.number().min(0).max(1).default(0),
    burstMs: z.number().min(0).max(10_000).default(0),
  }),
  /** To the publisher: no subscriber's network carries more of this rendition, bits a second with datagram headers; null = no limit is known. */
  z.object({
    type: z.literal("rendition-limit"),
    trackId: trackIdSchema,
    rendition: renditionIndex,
    limitBps: z.number().int().min(1).max(MAX_RENDITION_BPS).nullable(),
  }),
  z.object({ type: z.literal("data"), from: identitySchema, topic, payload, sentAtUs: timeUs }),
  /** Who speaks now, loudest first; level 0 loudest .. 127 silence. Sent on change, at most every 200 ms. */
  z.object({
    type: z.literal("speakers"),
    speakers: z
      .array(z.object({ identity: identitySchema, level: z.number().int().min(0).max(127) }))
      .max(16),
  }),
  z.object({ type: z.literal("pong"), id: u32, sentAtUs: timeUs, receivedAtUs: timeUs }),
  /** Picture codecs that everybody in the room can decode who decodes any, the hidden too. Behind a welcome, and on change. */
  z.object({ type: z.literal("decodable"), codecs: pictureCodecsSchema }),
  /** The relay is going away; join anew through the gateway within `withinMs`. */
  z.object({ type: z.literal("go-away"), withinMs: u32 }),
]);
export type RelayMessage = z.infer<typeof relayMessageSchema>;
export type RelayMessageInput = z.input<typeof relayMessageSchema>;
