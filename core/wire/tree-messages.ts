/**
 * Messages between two relays of one room's tree, over the control stream of their link: one schema each, checked on arrival. After
 * `attach` and its answer both sides say the same things. docs/wire.md, "Tree of relays".
 */
import { z } from "zod";
import {
  MAX_DATA_BYTES,
  MAX_PARTICIPANTS_PER_ROOM,
  MAX_RELAYS_PER_ROOM,
  MAX_RENDITION_BPS,
  MAX_TOKEN_CHARS,
  MAX_TOPIC_CHARS,
  MAX_TREE_DEPTH,
} from "./limits.ts";
import {
  identitySchema,
  participantInfoSchema,
  pictureCodecsSchema,
  roomNameSchema,
  trackIdSchema,
} from "./room-model.ts";

const u32 = z.number().int().min(0).max(0xffffffff);
const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const renditionIndex = z.number().int().min(0).max(3);
const relayIdSchema = z.string().min(1).max(128);
const text = z.string().max(512);

const relayUrlSchema = z.union([z.literal(""), z.url({ protocol: /^https$/ }).max(512)]);

/** Where a relay is found: over UDP, over TCP. */
const relayAddressSchema = z.object({
  id: relayIdSchema,
  region: z.string().max(64),
  url: relayUrlSchema,
  fallbackUrl: relayUrlSchema.default(""),
  certificateHashes: z.array(z.string().max(64)).max(8),
});
export type RelayAddress = z.infer<typeof relayAddressSchema>;

/** A participant as the relays of a room know it. */
const participantRecordSchema = z.object({
  participant: participantInfoSchema,
  hidden: z.boolean(),
  /** Relay that its session is with. */
  relayId: relayIdSchema,
  /** When it came to that relay, on the relay's clock; of two records of one identity the later one holds, then the larger relay id. */
  stamp: whole,
  /** Grows with each change of the record. */
  revision: u32,
  /** It went on from a session with another relay. */
  resumed: z.boolean(),
  /** Picture codecs that it can decode, as in hello; empty also where it may not subscribe. */
  decodes: pictureCodecsSchema.optional(),
  /** Name and end of its join token, for bans. */
  token: z.string().min(1).max(128),
  tokenExp: whole,
});
export type ParticipantRecord = z.infer<typeof participantRecordSchema>;

/** Where a relay is in a room's tree. */
const positionSchema = z.object({
  /** False while the top of the path has no parent and is not the root. */
  rooted: z.boolean(),
  /** Of the root's claim. */
  epoch: whole,
  /** From the root to the relay that says it. */
  path: z.array(relayAddressSchema).min(1).max(MAX_TREE_DEPTH),
  /** Who takes over when the root dies. */
  deputy: relayAddressSchema.optional(),
});
export type TreePosition = z.infer<typeof positionSchema>;

export const treeMessageSchema = z.discriminatedUnion("type", [
  /** First message, of the relay that dials. */
  z.object({
    type: z.literal("attach"),
    version: u32,
    room: roomNameSchema,
    relay: relayAddressSchema,
    /** Signed with the key of this relay's directory record. */
    credential: z.string().min(1).max(MAX_TOKEN_CHARS),
    /** Relays below it, and how many floors they are on. */
    below: z.array(relayIdSchema).max(MAX_RELAYS_PER_ROOM),
    height: z.number().int().min(0).max(MAX_TREE_DEPTH),
    /** Relays that it could not reach: do not send it there. */
    avoid: z.array(relayIdSchema).max(16),
  }),
  positionSchema.extend({ type: z.literal("attached") }),
  /** Instead of `attached`: attach there. */
  z.object({ type: z.literal("redirect"), to: relayAddressSchema }),
  /** Parent -> child: it has moved. */
  positionSchema.extend({ type: z.literal("position") }),
  /** Child -> parent: what is below has changed. */
  z.object({
    type: z.literal("below"),
    below: z.array(relayIdSchema).max(MAX_RELAYS_PER_ROOM),
    height: z.number().int().min(0).max(MAX_TREE_DEPTH),
  }),
  /** Child -> parent, passed on to the root: would a loop come of this relay attaching below? */
  z.object({ type: z.literal("vouch"), request: u32, relayId: relayIdSchema }),
  z.object({ type: z.literal("vouched"), request: u32, ok: z.boolean() }),
  /** A participant on the sender's side of the link, new or changed. */
  z.object({
    type: z.literal("record"),
    record: participantRecordSchema,
    /** The sender is about to lose it, or may have lost it: another way to it is better. */
    fading: z.boolean().default(false),
    /** Who muted, where that is what changed. */
    by: identitySchema.optional(),
  }),
  /** It is no longer on the sender's side. With `stamp`: this session of it is over, wherever else it is still offered. */
  z.object({ type: z.literal("gone"), identity: identitySchema, reason: text, stamp: whole.optional() }),
  /** Starts or changes a subscription; loss and burstMs are those of the worst hop behind the sender. */
  z.object({
    type: z.literal("subscribe"),
    trackId: trackIdSchema,
    rendition: renditionIndex,
    playoutDelayMs: z.number().int().min(0).max(10_000),
    loss: z.number().min(0).max(1),
    burstMs: z.number().min(0).max(10_000),
  }),
  z.object({ type: z.literal("unsubscribe"), trackId: trackIdSchema, rendition: renditionIndex }),
  z.object({ type: z.literal("request-keyframe"), trackId: trackIdSchema, rendition: renditionIndex }),
  z.object({
    type: z.literal("rendition-limit"),
    trackId: trackIdSchema,
    rendition: renditionIndex,
    limitBps: z.number().int().min(1).max(MAX_RENDITION_BPS).nullable(),
  }),
  /** Room data, to everybody or to the named. `id` tells repetitions. */
  z.object({
    type: z.literal("data"),
    id: whole,
    from: identitySchema,
    topic: z.string().max(MAX_TOPIC_CHARS),
    payload: z.custom<Uint8Array>(
      (value) => value instanceof Uint8Array && value.length <= MAX_DATA_BYTES,
      `a data message carries at most ${MAX_DATA_BYTES} bytes`,
    ),
    sentAtUs: whole,
    to: z.array(identitySchema).max(MAX_PARTICIPANTS_PER_ROOM).optional(),
  }),
  /** How loud those on the sender's side are, the loudest only. */
  z.object({
    type: z.literal("speakers"),
    speakers: z
      .array(z.object({ identity: identitySchema, level: z.number().int().min(0).max(127) }))
      .max(16),
  }),
  /** Passed on to the relay of the participant. */
  z.object({ type: z.literal("mute"), trackId: trackIdSchema, by: identitySchema }),
  z.object({ type: z.literal("remove"), identity: identitySchema }),
  z.object({ type: z.literal("ban"), token: z.string().min(1).max(128), untilSeconds: whole }),
  /** Parent -> child, child -> parent: the sender will end this link soon. */
  z.object({ type: z.literal("leaving") }),
  /** Root -> deputy: claim the room, the root is going away. */
  z.object({ type: z.literal("take-over") }),
]);
export type TreeMessage = z.infer<typeof treeMessageSchema>;
export type TreeMessageInput = z.input<typeof treeMessageSchema>;
