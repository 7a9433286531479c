/**
 * Claims of join tokens (made by an application's server or the gateway, shown to the gateway), relay tickets (made by the gateway,
 * shown once to one relay) and resume tickets (made by a relay, shown once to it or another one of the cluster). Specified in docs/wire.md, "Tokens and tickets".
 * Signing and checking is jose's work; here is what the payloads must look like.
 */
import { z } from "zod";
import { displayNameSchema, grantsSchema, identitySchema, roomNameSchema } from "./room-model.ts";

const seconds = z.number().int().min(0);

/** HS256 with an API key's secret (`iss` = key id), or an asymmetric algorithm through JWKS. */
export const joinTokenSchema = z.object({
  iss: z.string().min(1).max(128),
  sub: identitySchema,
  name: displayNameSchema.optional(),
  room: roomNameSchema,
  grants: grantsSchema.prefault({}),
  exp: seconds,
  nbf: seconds.optional(),
  iat: seconds.optional(),
  jti: z.string().min(1).max(128).optional(),
});
export type JoinToken = z.infer<typeof joinTokenSchema>;

/** Who comes in on a ticket, to which room and with which rights. */
const holder = {
  sub: identitySchema,
  name: displayNameSchema,
  room: roomNameSchema,
  grants: grantsSchema,
  /** Names the join token behind it (its jti, or a hash of it), so that a removed participant stays out. */
  token: z.string().min(1).max(128),
  /** When the join token ends (seconds since the Unix epoch): how long a ban on it must be remembered at least. */
  tokenExp: seconds,
};
const holderSchema = z.object(holder);
export type TicketHolder = z.infer<typeof holderSchema>;

/** ES256, RELAY_TICKET_SECONDS long, used once. `aud` = relay id. */
export const relayTicketSchema = z.object({
  aud: z.string().min(1).max(128),
  ...holder,
  exp: seconds,
  iat: seconds,
  jti: z.string().min(1).max(128),
});
export type RelayTicket = z.infer<typeof relayTicketSchema>;

/** With a space, so that it is no relay's id. */
export const RESUME_AUDIENCE = "tributary resume";

/** ES256 by the relay of the session that it is given to, RESUME_TICKET_SECONDS long; all tickets of a session together are good once. */
export const resumeTicketSchema = z.object({
  /** The relay that made it: the key is that of its directory record. */
  iss: z.string().min(1).max(128),
  aud: z.literal(RESUME_AUDIENCE),
  ...holder,
  /** Names the session, among those of this relay. */
  sid: z.string().min(1).max(64),
  /** Of the session, as other relays know it: not good where the identity has a later one. */
  stamp: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  exp: seconds,
  iat: seconds,
});
export type ResumeTicket = z.infer<typeof resumeTicketSchema>;

/** ES256, made by the gateway for its calls to the operations API of a relay (scope "rooms") or a bridge ("recordings"). `aud` = its id. */
export const serviceTokenSchema = z.object({
  aud: z.string().min(1).max(128),
  scope: z.enum(["rooms", "recordings"]),
  exp: seconds,
  iat: seconds,
});
export type ServiceToken = z.infer<typeof serviceTokenSchema>;
