/**
 * Checks relay tickets and service tokens with the gateway's public ES256 keys. A ticket is good once: its jti is
 * remembered until it has expired. docs/wire.md, "Tokens and tickets".
 */
import { errors, type JWTPayload } from "jose";
import type { Clock } from "../core/clock.ts";
import { CLOCK_TOLERANCE_SECONDS, type TicketKeys, verifyGatewayToken } from "../core/wire/gateway-keys.ts";
import { MAX_REMEMBERED_TICKETS, RELAY_TICKET_SECONDS } from "../core/wire/limits.ts";
import {
  type RelayTicket,
  relayTicketSchema,
  type ServiceToken,
  serviceTokenSchema,
} from "../core/wire/tokens.ts";
import { Refusal } from "./refusal.ts";

export { type TicketKeys, ticketKeysOf } from "../core/wire/gateway-keys.ts";

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
    if (!checked.success || checked.data.scope !== "rooms") {
      throw new Refusal("ticket-malformed", "this is not a service token for relays");
    }
    return checked.data;
  }

  async #verify(token: string): Promise<JWTPayload> {
    try {
      return await verifyGatewayToken(token, this.#keys, this.#relayId, this.#clock);
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
