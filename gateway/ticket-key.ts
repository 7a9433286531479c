/**
 * The gateway's own ES256 key: signs relay tickets and the tokens of its calls to relays
 * (docs/wire.md, "Tokens and tickets"). Relays hold only its public half.
 */
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  SignJWT,
} from "jose";
import type { RelayTicket, ServiceToken } from "../core/wire/tokens.ts";

export interface PublicTicketJwk {
  kty: "EC";
  crv: "P-256";
  x: string;
  y: string;
  /** RFC 7638 thumbprint. */
  kid: string;
  alg: "ES256";
  use: "sig";
}

export interface TicketKey {
  /** Public half, as it stands in the JWKS. */
  readonly publicJwk: PublicTicketJwk;
  readonly privateKey: CryptoKey;
}

/** A fresh key, for a gateway and relay that start and end together. */
export async function generateTicketKey(): Promise<TicketKey> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  return { privateKey, publicJwk: await publishable(await exportJWK(publicKey)) };
}

/** `jwk` is a private P-256 key. Rejects with TypeError when the numbers in it do not fit together. */
export async function importTicketKey(jwk: JWK): Promise<TicketKey> {
  const { kty, crv, x, y, d } = jwk;
  if (kty !== "EC" || crv !== "P-256" || !x || !y || !d) throw new TypeError("not a private P-256 JWK");
  const privateKey = await importJWK({ kty, crv, x, y, d }, "ES256");
  if (privateKey instanceof Uint8Array) throw new TypeError("not a private P-256 JWK");
  return { privateKey: privateKey as CryptoKey, publicJwk: await publishable(jwk) };
}

export function signTicket(key: TicketKey, ticket: RelayTicket): Promise<string> {
  return sign(key, ticket);
}

export function signServiceToken(key: TicketKey, token: ServiceToken): Promise<string> {
  return sign(key, token);
}

function sign(key: TicketKey, claims: JWTPayload): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: key.publicJwk.kid })
    .sign(key.privateKey);
}

async function publishable({ x, y }: JWK): Promise<PublicTicketJwk> {
  if (!x || !y) throw new TypeError("not a P-256 key");
  const point = { kty: "EC", crv: "P-256", x, y } as const;
  return { ...point, kid: await calculateJwkThumbprint(point), alg: "ES256", use: "sig" };
}
