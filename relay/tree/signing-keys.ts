/** Relay keys for production: ES256 by jose, made anew each time a relay starts. */
import { exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from "jose";
import type { Clock } from "../../core/clock.ts";
import { Refusal } from "../refusal.ts";
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
  };
}

async function verify(
  credential: string,
  linkKey: string,
  audience: string,
  clock: Clock,
): Promise<CredentialClaims> {
  try {
    const [x = "", y = ""] = linkKey.split(".");
    const key = await importJWK({ kty: "EC", crv: "P-256", x, y }, ALGORITHM);
    const { payload } = await jwtVerify(credential, key, {
      algorithms: [ALGORITHM],
      audience,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(clock.nowUs() / 1000),
      requiredClaims: ["exp", "iat", "iss"],
    });
    const claims = credentialSchema.parse(payload);
    if (claims.exp - claims.iat > CREDENTIAL_SECONDS) throw new Error("it is valid for too long");
    return claims;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal("relay-refused", `the relay's credential is no good: ${detail}`, { cause });
  }
}
