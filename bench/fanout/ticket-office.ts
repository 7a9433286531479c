/** Stands in for the gateway in benchmarks of a relay alone: makes the tickets that the relay asks for. */
import { SignJWT } from "jose";
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import { RELAY_TICKET_SECONDS } from "../../core/wire/limits.ts";
import type { RelayProcess } from "./relay-process.ts";

export class TicketOffice {
  readonly #key: CryptoKey;
  readonly #relay: RelayProcess;

  constructor(privateKey: CryptoKey, relay: RelayProcess) {
    this.#key = privateKey;
    this.#relay = relay;
  }

  async ticketFor(identity: string, publishes: boolean): Promise<RelayCandidate> {
    const now = Math.floor(Date.now() / 1000);
    const ticket = await new SignJWT({
      name: identity,
      room: "bench",
      grants: {
        publish: publishes ? ["camera"] : [],
        subscribe: !publishes,
        data: false,
        admin: false,
        hidden: false,
      },
      token: identity,
      tokenExp: now + 3600,
    })
      .setProtectedHeader({ alg: "ES256", kid: this.#relay.keyId })
      .setIssuedAt(now)
      .setExpirationTime(now + RELAY_TICKET_SECONDS)
      .setSubject(identity)
      .setAudience(this.#relay.relayId)
      .setJti(crypto.randomUUID())
      .sign(this.#key);
    return {
      url: this.#relay.url,
      relayId: this.#relay.relayId,
      certificateHashes: this.#relay.certificateHashes,
      ticket,
    };
  }
}
