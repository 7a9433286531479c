/** Stands in for the gateway where relays are run without one: makes the tickets that they ask for, with a key of its own. */
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";
import type { RelayRecord } from "../../core/directory/directory.ts";
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import { RELAY_TICKET_SECONDS } from "../../core/wire/limits.ts";
import { grantsSchema } from "../../core/wire/room-model.ts";

const GRANTS = grantsSchema.parse({ publish: ["microphone", "camera", "screen"] });
const TOKEN_SECONDS = 3_600;

export class TicketOffice {
  /** Public half of the key: TRIBUTARY_TICKET_JWKS of the relays. */
  readonly jwks: string;
  readonly #key: CryptoKey;

  private constructor(jwks: string, key: CryptoKey) {
    this.jwks = jwks;
    this.#key = key;
  }

  static async open(): Promise<TicketOffice> {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    return new TicketOffice(JSON.stringify(await exportJWK(publicKey)), privateKey);
  }

  /** A way into `room` on this relay, for once. */
  async candidateFor(
    relay: Pick<RelayRecord, "id" | "url" | "fallbackUrl" | "certificateHashes">,
    identity: string,
    room: string,
  ): Promise<RelayCandidate> {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const ticket = await new SignJWT({
      name: identity,
      room,
      grants: { ...GRANTS },
      token: `token-of-${identity}`,
      tokenExp: nowSeconds + TOKEN_SECONDS,
    })
      .setProtectedHeader({ alg: "ES256" })
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + RELAY_TICKET_SECONDS)
      .setSubject(identity)
      .setAudience(relay.id)
      .setJti(crypto.randomUUID())
      .sign(this.#key);
    const { url, fallbackUrl, id: relayId, certificateHashes } = relay;
    return { url, fallbackUrl, relayId, certificateHashes, ticket };
  }
}
