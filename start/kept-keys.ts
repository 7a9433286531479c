/** The keys that a gateway needs when its operator gives none, made once and kept. */
import type { KeptState } from "./kept-state.ts";

const API_KEY_ID = "local";
const SECRET_BYTES = 32;

/**
 * The environment with TRIBUTARY_API_KEYS and TRIBUTARY_TICKET_KEY filled in where they were not given. The gateway's
 * own configuration reads and checks them.
 */
export async function withKeys(
  environment: Readonly<Record<string, string>>,
  state: KeptState,
): Promise<Record<string, string>> {
  return {
    ...environment,
    TRIBUTARY_API_KEYS: environment.TRIBUTARY_API_KEYS || (await state.readOrMake("api-key", makeApiKey)),
    TRIBUTARY_TICKET_KEY:
      environment.TRIBUTARY_TICKET_KEY || (await state.readOrMake("ticket-key.json", makeTicketKey)),
  };
}

async function makeApiKey(): Promise<string> {
  return `${API_KEY_ID}:${crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toHex()}`;
}

async function makeTicketKey(): Promise<string> {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  return JSON.stringify(await crypto.subtle.exportKey("jwk", keys.privateKey));
}
