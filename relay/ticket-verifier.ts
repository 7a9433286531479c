/**
 * Checks relay tickets and service tokens with the gateway's public ES256 keys. A ticket is good once: its jti is
 * remembered until it has expired. docs/wire.md, "Tokens and tickets".
 */
import { errors, type JWTPayload } from "jose";
import type { Clock } from "../core/clock.ts";
import { CLOCK_TOLERANCE_SECONDS, type TicketKeys, verifyGatewayToken } from "../core/wire/gateway-keys.ts";
import { RELAY_TICKET_SECONDS } from "../core/wire/limits.ts";
import {
  type RelayTicket,
  relayTicketSchema,
  type ServiceToken,
  serviceTokenSchema,
} from "../core/wire/tokens.ts";
import { Refusal } from "./refusal.ts";
import { UsedTickets } from "./used-tickets.ts";

export { type TicketKeys, ticketKeysOf } from "../core/wire/gateway-keys.ts";

export class TicketVerifier {
  readonly #keys: TicketKeys;
  readonly #relayId: string;
  readonly #clock: Clock;
  readonly #used: UsedTickets;

  constructor(keys: TicketKeys, relayId: string, clock: Clock, maxRemembered?: number) {
    this.#keys = keys;
    this.#relayId = relayId;
    this.#clock = clock;
    this.#used = new UsedTickets(clock, maxRemembered);
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
    this.#used.use(jti, exp + CLOCK_TOLERANCE_SECONDS);
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
}

/** What is wrong with a token that jose does not take. */
export function refusalOf(cause: unknown): Refusal {
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
    return new Refusal("ticket-wrong-signature", "the ticket is not signed by whom it should be: join anew", {
      cause,
    });
  }
  if (cause instanceof errors.JWKSTimeout || cause instanceof errors.JWKSInvalid) {
    return new Refusal("internal-error", "the gateway's keys cannot be fetched: try again", { cause });
  }
  return new Refusal("ticket-malformed", "the ticket is not a valid JWT", { cause });
}
