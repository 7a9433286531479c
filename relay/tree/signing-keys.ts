/** Relay keys for production: ES256 by jose, made anew each time a relay starts. */
import {
  type CryptoKey,
  decodeJwt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from "jose";
import type { Clock } from "../../core/clock.ts";
import { RESUME_AUDIENCE, type ResumeTicket, resumeTicketSchema } from "../../core/wire/tokens.ts";
import { Refusal } from "../refusal.ts";
import { refusalOf } from "../ticket-verifier.ts";
import { CREDENTIAL_SECONDS, type CredentialClaims, credentialSchema, type RelayKeys } from "./credential.ts";

/** Clocks of two relays may differ by this. */
const CLOCK_TOLERANCE_SECONDS = 5;
const ALGORITHM = "ES256";

export async function makeSigningKeys(clock: Clock): Promise<RelayKeys> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
  const { x, y } = await exportJWK(publicKey);
  return {
    linkKey: `${x}.${y}`,
    sign: (claims) => new SignJWT({ ...claims }).setProtectedHeader({ alg: ALGORITHM }).sign(privateKey),
    verify: (credential, linkKey, audience) => verify(credential, linkKey, audience, clock),
    resumeIssuerOf,
    verifyResume: (ticket, linkKey) => verifyResume(ticket, linkKey, clock),
  };
}

async function claimsOf(token: string, linkKey: string, audience: string, clock: Clock): Promise<JWTPayload> {
  const [x = "", y = ""] = linkKey.split(".");
  const key = (await importJWK({ kty: "EC", crv: "P-256", x, y }, ALGORITHM)) as CryptoKey;
  const { payload } = await jwtVerify(token, key, {
    algorithms: [ALGORITHM],
    audience,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: new Date(clock.nowUs() / 1000),
    requiredClaims: ["exp", "iat", "iss"],
  });
  return payload;
}

async function verify(
  credential: string,
  linkKey: string,
  audience: string,
  clock: Clock,
): Promise<CredentialClaims> {
  try {
    const payload = await claimsOf(credential, linkKey, audience, clock);
    const claims = credentialSchema.parse(payload);
    if (claims.exp - claims.iat > CREDENTIAL_SECONDS) throw new Error("it is valid for too long");
    return claims;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal("relay-refused", `the relay's credential is no good: ${detail}`, { cause });
  }
}

function resumeIssuerOf(ticket: string): string | undefined {
  try {
    const { aud, iss } = decodeJwt(ticket);
    return aud === RESUME_AUDIENCE ? iss : undefined;
  } catch {
    // Whoever checks the gateway's tickets says what is wrong with it.
    return undefined;
  }
}

async function verifyResume(ticket: string, linkKey: string, clock: Clock): Promise<ResumeTicket> {
  let claims: JWTPayload;
  try {
    claims = await claimsOf(ticket, linkKey, RESUME_AUDIENCE, clock);
  } catch (cause) {
    throw refusalOf(cause);
  }
  const checked = resumeTicketSchema.safeParse(claims);
  if (!checked.success)
    throw new Refusal("ticket-malformed", "the ticket's claims are not those of a resume ticket");
  return checked.data;
}
