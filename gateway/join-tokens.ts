/**
 * Join tokens: minting (HS256) and checking, docs/wire.md "Tokens and tickets". The algorithm in a token's
 * header only chooses which keys are tried: HS256 is tried with API key secrets alone, the asymmetric ones
 * with the JWKS alone, so a public key can never serve as a secret.
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from "jose";
import type { Clock } from "../core/clock.ts";
import { MAX_TOKEN_CHARS } from "../core/wire/limits.ts";
import { type JoinToken, joinTokenSchema } from "../core/wire/tokens.ts";
import { challenge } from "./api-keys.ts";
import { ProblemError } from "./problem.ts";

const ASYMMETRIC_ALGORITHMS = ["ES256", "RS256", "EdDSA", "Ed25519"];
/** A token that names an audience must name this one. */
const TOKEN_AUDIENCE = "tributary";
/** Clocks of token makers may be off by this much. */
const CLOCK_TOLERANCE_SECONDS = 5;
const JWKS_TIMEOUT_MS = 3_000;

export type JwksSource = { keys: JSONWebKeySet } | { url: string };

export interface CheckedJoinToken {
  claims: JoinToken;
  /** Names the token in tickets and bans. */
  name: string;
  /** API key that stands behind it; undefined when a JWKS does. */
  keyId: string | undefined;
}

export class JoinTokenVerifier {
  readonly #secrets: ReadonlyMap<string, Uint8Array>;
  readonly #jwks: JWTVerifyGetKey | undefined;
  readonly #issuer: string | undefined;
  readonly #clock: Clock;

  constructor(options: {
    secrets: ReadonlyMap<string, string>;
    jwks: JwksSource | undefined;
    /** `iss` that tokens signed by the JWKS must carry; undefined: any. */
    jwksIssuer: string | undefined;
    clock: Clock;
    fetch: typeof fetch;
  }) {
    const encoder = new TextEncoder();
    this.#secrets = new Map([...options.secrets].map(([id, secret]) => [id, encoder.encode(secret)]));
    this.#jwks = options.jwks && keySetOf(options.jwks, options.fetch);
    this.#issuer = options.jwksIssuer;
    this.#clock = options.clock;
  }

  /** The room that a token says it is for, before anything in it is believed. Throws ProblemError when it says none. */
  roomClaimedBy(token: string): string {
    if (token.length > MAX_TOKEN_CHARS) throw malformed(`it is longer than ${MAX_TOKEN_CHARS} characters`);
    const { room } = unverifiedParts(token);
    if (room === undefined) throw malformed("its claim room is missing or not valid");
    return room;
  }

  /** Throws ProblemError unless the token is whole, trusted, valid now and for this room. */
  async verify(token: string, room: string): Promise<CheckedJoinToken> {
    if (token.length > MAX_TOKEN_CHARS) {
      throw malformed(`it is longer than ${MAX_TOKEN_CHARS} characters`);
    }
    const { payload, keyId } = await this.#verifySignature(token);
    if (payload.aud !== undefined && ![payload.aud].flat().includes(TOKEN_AUDIENCE)) {
      throw refused(`its aud is not "${TOKEN_AUDIENCE}": make it so, or leave aud out`);
    }
    const checked = joinTokenSchema.safeParse(payload);
    if (!checked.success) {
      const issue = checked.error.issues[0];
      throw malformed(`its claim ${issue?.path.join(".") ?? ""} is not valid (${issue?.message ?? ""})`);
    }
    if (checked.data.room !== room) {
      throw new ProblemError(
        "token-other-room",
        `The join token is for the room ${checked.data.room}: join that one, or ask for a token for ${room}.`,
      );
    }
    return { claims: checked.data, name: await nameOf(token, checked.data), keyId };
  }

  async #verifySignature(token: string): Promise<{ payload: JWTPayload; keyId: string | undefined }> {
    const { algorithm, issuer } = unverifiedParts(token);
    const options = {
      currentDate: new Date(this.#clock.nowUs() / 1000),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ["exp"],
    };
    try {
      if (algorithm === "HS256") {
        const secret = this.#secrets.get(issuer);
        if (!secret) throw refused("its iss is not the id of an API key of this gateway");
        const { payload } = await jwtVerify(token, secret, { ...options, algorithms: ["HS256"] });
        return { payload, keyId: issuer };
      }
      if (this.#jwks && ASYMMETRIC_ALGORITHMS.includes(algorithm)) {
        const { payload } = await jwtVerify(token, this.#jwks, {
          ...options,
          algorithms: ASYMMETRIC_ALGORITHMS,
          ...(this.#issuer ? { issuer: this.#issuer } : {}),
        });
        return { payload, keyId: undefined };
      }
    } catch (error) {
      throw translated(error);
    }
    throw refused(
      this.#jwks
        ? `its algorithm must be HS256 or one of ${ASYMMETRIC_ALGORITHMS.join(", ")}`
        : "its algorithm must be HS256 (no JWKS is set up here, see TRIBUTARY_JWKS_URL)",
    );
  }
}

/** A token as an application's own server would make it. */
export function mintJoinToken(secret: string, claims: JoinToken): Promise<string> {
  return new SignJWT({ ...claims } as JWTPayload)
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(secret));
}

function keySetOf(source: JwksSource, fetchKeys: typeof fetch): JWTVerifyGetKey {
  if ("keys" in source) return createLocalJWKSet(source.keys);
  return createRemoteJWKSet(new URL(source.url), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    [customFetch]: (url, options) => fetchKeys(url, options),
  });
}

/**
 * The token's jti, or a hash of what its signature covers. Not of the whole text: a signature may be
 * written in several ways, and each must be the same token to the ban list.
 */
async function nameOf(token: string, claims: JoinToken): Promise<string> {
  if (claims.jti) return claims.jti;
  const signed = new TextEncoder().encode(token.slice(0, token.lastIndexOf(".")));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", signed));
  return btoa(String.fromCharCode(...digest))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

function unverifiedParts(token: string): { algorithm: string; issuer: string; room: string | undefined } {
  try {
    const { iss, room } = decodeJwt(token);
    return {
      algorithm: String(decodeProtectedHeader(token).alg ?? ""),
      issuer: String(iss ?? ""),
      room: typeof room === "string" ? room : undefined,
    };
  } catch (cause) {
    throw malformed("it is not a JWT (three base64url parts with dots between)", cause);
  }
}

function malformed(why: string, cause?: unknown): ProblemError {
  return new ProblemError("token-malformed", `The join token cannot be used: ${why}.`, {
    ...challenge(),
    cause,
  });
}

function refused(why: string, cause?: unknown): ProblemError {
  return new ProblemError("token-refused", `The join token cannot be trusted: ${why}.`, {
    ...challenge(),
    cause,
  });
}

/** jose's errors in our words. What is not about the token itself passes through as it is. */
function translated(error: unknown): unknown {
  if (error instanceof ProblemError) return error;
  if (error instanceof errors.JWTExpired) {
    return new ProblemError("token-expired", "The join token has expired: ask for a new one.", {
      ...challenge(),
      cause: error,
    });
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "nbf" && error.reason === "check_failed") {
      const detail = "The join token is not valid yet (nbf): wait, or set the clock of its maker right.";
      return new ProblemError("token-expired", detail, { ...challenge(), cause: error });
    }
    if (error.claim === "iss") return refused("its iss is not the one expected of the JWKS", error);
    return malformed(`its claim ${error.claim} is missing or not valid`, error);
  }
  if (error instanceof errors.JWKSTimeout) return keysUnavailable(error);
  if (error instanceof errors.JWKSInvalid) return keysUnavailable(error);
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return malformed("it is not a well-formed JWT", error);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return refused("its signature does not match the key", error);
  }
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return refused("its key (kid) is not in the JWKS", error);
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return refused("its algorithm is not one that is taken here", error);
  }
  return keysUnavailable(error);
}

function keysUnavailable(cause: unknown): ProblemError {
  return new ProblemError(
    "keys-unavailable",
    "The keys that would check the join token could not be fetched: try again; if it stays, look at TRIBUTARY_JWKS_URL.",
    { headers: { "retry-after": "5" }, cause },
  );
}
