/** Tickets and credentials of the simulation: plain JSON, since signatures need the real clock of WebCrypto and have tests of their own. */
import {
  RESUME_AUDIENCE,
  type RelayTicket,
  relayTicketSchema,
  resumeTicketSchema,
} from "../../core/wire/tokens.ts";
import { Refusal } from "../../relay/refusal.ts";
import { credentialSchema, type RelayKeys } from "../../relay/tree/credential.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export function ticketOf(text: string): RelayTicket {
  try {
    return relayTicketSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Refusal("ticket-malformed", "not a ticket of the simulation", { cause });
  }
}

/** Credentials without signatures; the key is the relay's id. */
export function simulatedKeys(id: string, clock: VirtualClock): RelayKeys {
  return {
    linkKey: id,
    sign: async (claims) => JSON.stringify(claims),
    verify: async (credential, linkKey) => {
      const claims = credentialSchema.parse(JSON.parse(credential));
      if (claims.iss !== linkKey) throw new Refusal("relay-refused", "not a credential of this relay");
      return claims;
    },
    resumeIssuerOf: (ticket) => {
      const [, issuer] = new RegExp(`^{"iss":"([^"]*)","aud":"${RESUME_AUDIENCE}"`).exec(ticket) ?? [];
      return issuer;
    },
    verifyResume: async (ticket, linkKey) => {
      const claims = resumeTicketSchema.parse(JSON.parse(ticket));
      if (claims.iss !== linkKey) throw new Refusal("ticket-wrong-signature", "not of this relay");
      if (claims.exp + 5 < clock.nowUs() / 1_000_000) throw new Refusal("ticket-expired", "too old");
      return claims;
    },
  };
}
