/** The keys of a cluster that tests make up: its gateways' settings, and what its relays check tickets with. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";

const SECRET_BYTES = 32;

export interface ClusterKeys {
  publicJwk: string;
  /** Settings of each gateway. */
  gateway: Record<string, string>;
}

export async function makeKeys(): Promise<ClusterKeys> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(publicKey);
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(SECRET_BYTES))).toString("hex");
  return {
    publicJwk: JSON.stringify({ ...jwk, kid: await calculateJwkThumbprint(jwk) }),
    gateway: {
      TRIBUTARY_TICKET_KEY: JSON.stringify(await exportJWK(privateKey)),
      TRIBUTARY_API_KEYS: `cluster:${secret}`,
    },
  };
}
