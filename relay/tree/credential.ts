/**
 * How a relay shows another one who it is: a token signed with a key whose public half is in its directory record, so that
 * whoever may not write to the directory is no relay. docs/wire.md, "Tree of relays".
 */
import { z } from "zod";
import { roomNameSchema } from "../../core/wire/room-model.ts";
import type { ResumeTicket } from "../../core/wire/tokens.ts";

/** A credential is made for one attach. */
export const CREDENTIAL_SECONDS = 30;

export const credentialSchema = z.object({
  /** The relay that shows it, and the one that it is shown to. */
  iss: z.string().min(1).max(128),
  aud: z.string().min(1).max(128),
  room: roomNameSchema,
  iat: z.number().int().min(0),
  exp: z.number().int().min(0),
});
export type CredentialClaims = z.infer<typeof credentialSchema>;

/** A relay's key pair, and how what others have signed is checked. */
export interface RelayKeys {
  /** For the directory record (RelayRecord.linkKey). */
  readonly linkKey: string;
  sign(claims: CredentialClaims | ResumeTicket): Promise<string>;
  /** Rejects with Refusal `relay-refused`. */
  verify(credential: string, linkKey: string, audience: string): Promise<CredentialClaims>;
  /** The relay that a resume ticket says it was made by, with nothing checked; undefined: it is something else. */
  resumeIssuerOf(ticket: string): string | undefined;
  /** Rejects with Refusal `ticket-...`. */
  verifyResume(ticket: string, linkKey: string): Promise<ResumeTicket>;
}
