/** The gateway's public ES256 keys, and the check of what it signs for others. docs/wire.md, "Tokens and tickets". */
import {
  createLocalJWKSet,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import type { Clock } from "../clock.ts";

/** Clocks of the gateway and of whoever checks may differ by this. */
export const CLOCK_TOLERANCE_SECONDS = 5;

/** The gateway's public keys: fixed ones, or what jose's createRemoteJWKSet gives. */
export type TicketKeys = JWTVerifyGetKey;

/** `keys` is a public JWK or a JWKS. Throws TypeError with what to do when it is neither. */
export function ticketKeysOf(keys: JWK | JSONWebKeySet): TicketKeys {
  const set = "keys" in keys && Array.isArray(keys.keys) ? (keys as JSONWebKeySet) : { keys: [keys as JWK] };
  const usable = set.keys.filter((key) => key.kty === "EC" && key.crv === "P-256" && key.x && key.y);
  if (usable.length === 0) {
    throw new TypeError(
      "no public P-256 key in it: give the gateway's public JWK or JWKS (kty EC, crv P-256)",
    );
  }
  // A private half given by mistake is not kept.
  return createLocalJWKSet({ keys: usable.map(({ d: _, ...key }) => ({ ...key, alg: "ES256" })) });
}

/** Claims of a token that the gateway made for `audience` and that is valid now. Rejects with jose's errors. */
export async function verifyGatewayToken(
  token: string,
  keys: TicketKeys,
  audience: string,
  clock: Clock,
): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, keys, {
    algorithms: ["ES256"],
    audience,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: new Date(clock.nowUs() / 1000),
    requiredClaims: ["exp", "iat", "aud"],
  });
  return payload;
}
