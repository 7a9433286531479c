/**
 * Checks relay tickets and service tokens with the gateway's public ES256 keys. A ticket is good once: its jti is
 * remembered until it has expired. docs/wire.md, "Tokens and tickets".
 */
import {
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import type { Clock } from "../core/clock.ts";
import { MAX_REMEMBERED_TICKETS, RELAY_TICKET_SECONDS } from "../core/wire/limits.ts";
import {
  type RelayTicket,
  relayTicketSchema,
  type ServiceToken,
  serviceTokenSchema,
} from "../core/wire/tokens.ts";
import { Refusal } from "./refusal.ts";

/** Clocks of gateway and relay may differ by this. */
const CLOCK_TOLERANCE_SECONDS = 5;

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

export class TicketVerifier {
  readonly #keys: TicketKeys;
  readonly #relayId: string;
  readonly #clock: Clock;
  readonly #maxRemembered: number;
  /** jti -> seconds since the Unix epoch after which it is refused anyway. In order of use. */
  readonly #used = new Map<string, number>();

  constructor(keys: TicketKeys, relayId: string, clock: Clock, maxRemembered = MAX_REMEMBERED_TICKETS) {
    this.#keys = keys;
    this.#relayId = relayId;
    this.#clock = clock;
    this.#maxRemembered = maxRemembered;
  }

  /** Tickets that are remembered as used. */
  get remembered(): number {
    return this.#used.size;
  }

  /** Uses a ticket up. Rejects with Refusal: `ticket-...`, or `relay-full` when too many are remembered. */
  async verifyTicket(ticket: string): Promise<RelayTicket> {
    const claims = await this.#verify(ticket);
    const checked = relayTicketSchema.safeParse(claims);
    if (!checked.success) {
      throw new Refusal("ticket-malformed", "the ticket's claims are not those of a relay ticket");
    }
    const { jti, iat, exp } = checked.data;
    if (exp - iat > RELAY_TICKET_SECONDS) {
      throw new Refusal("ticket-malformed", `a ticket may be valid for ${RELAY_TICKET_SECONDS} s at most`);
    }
    this.#use(jti, exp + CLOCK_TOLERANCE_SECONDS);
    return checked.data;
  }

  /** Checks the token of a call to the operations API. Rejects with Refusal. */
  async verifyServiceToken(token: string): Promise<ServiceToken> {
    const checked = serviceTokenSchema.safeParse(await this.#verify(token));
    if (!checked.success) throw new Refusal("ticket-malformed", "this is not a service token");
    return checked.data;
  }

  async #verify(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        algorithms: ["ES256"],
        audience: this.#relayId,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#clock.nowUs() / 1000),
        requiredClaims: ["exp", "iat", "aud"],
      });
      return payload;
    } catch (cause) {
      throw refusalOf(cause);
    }
  }

  #use(jti: string, untilSeconds: number): void {
    const nowSeconds = this.#clock.nowUs() / 1_000_000;
    // All tickets live equally long, so the first in are the first out.
    for (const [oldest, until] of this.#used) {
      if (until >= nowSeconds) break;
      this.#used.delete(oldest);
    }
    if (this.#used.has(jti)) throw new Refusal("ticket-replayed", "the ticket was used before: join anew");
    if (this.#used.size >= this.#maxRemembered) {
      throw new Refusal("relay-full", "the relay takes no more joins for a minute");
    }
    this.#used.set(jti, untilSeconds);
  }
}

function refusalOf(cause: unknown): Refusal {
  if (cause instanceof errors.JWTExpired) {
    return new Refusal("ticket-expired", "the ticket has expired: join anew", { cause });
  }
  if (cause instanceof errors.JWTClaimValidationFailed && cause.claim === "aud") {
    return new Refusal("ticket-wrong-relay", "the ticket is for another relay", { cause });
  }
  if (
    cause instanceof errors.JWSSignatureVerificationFailed ||
    cause instanceof errors.JWKSNoMatchingKey ||
    cause instanceof errors.JWKSMultipleMatchingKeys ||
    cause instanceof errors.JOSEAlgNotAllowed ||
    cause instanceof errors.JOSENotSupported
  ) {
    return new Refusal("ticket-wrong-signature", "the ticket is not signed by this relay's gateway", {
      cause,
    });
  }
  if (cause instanceof errors.JWKSTimeout || cause instanceof errors.JWKSInvalid) {
    return new Refusal("internal-error", "the gateway's keys cannot be fetched: try again", { cause });
  }
  return new Refusal("ticket-malformed", "the ticket is not a valid JWT", { cause });
}
