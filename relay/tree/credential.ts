/**
 * How a relay shows another one who it is: a token signed with a key whose public half is in its directory record, so that
 * whoever may not write to the directory is no relay. docs/wire.md, "Tree of relays".
 */
import { z } from "zod";
import { roomNameSchema } from "../../core/wire/room-model.ts";

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

/** A relay's key pair, and how credentials of others are checked. */
export interface RelayKeys {
  /** For the directory record (RelayRecord.linkKey). */
  readonly linkKey: string;
  sign(claims: CredentialClaims): Promise<string>;
  /** Rejects with Refusal `relay-refused`. */
  verify(credential: string, linkKey: string, audience: string): Promise<CredentialClaims>;
}
