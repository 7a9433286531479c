/** Attacks of bench/flood.deno.ts: QUIC handshakes that are never finished, and sessions that never say hello. */

import type { RelayRecord } from "../../core/directory/directory.ts";
import { connectWebTransport } from "../../relay/deno/webtransport/mod.ts";

/** Attempts under way at once. */
const AT_ONCE = 250;
const PAUSE_MS = 100;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Begins `count` handshakes whose answers vanish, so that each stays half-open at the relay until it gives up. */
export async function floodHalfOpen(relay: RelayRecord, count: number): Promise<void> {
  const target = new URL(relay.url);
  const hole = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const out = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const forward = (async () => {
    for await (const [bytes] of hole) {
      await out.send(bytes, { transport: "udp", hostname: target.hostname, port: Number(target.port) });
    }
  })();
  const { port } = hole.addr as Deno.NetAddr;
  for (let begun = 0; begun < count; begun += AT_ONCE) {
    const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1" });
    const attempts = Array.from({ length: Math.min(AT_ONCE, count - begun) }, () =>
      Deno.connectQuic<false>({ hostname: "127.0.0.1", port, alpnProtocols: ["h3"], endpoint }).catch(
        () => "ended with the endpoint",
      ),
    );
    await pause(PAUSE_MS);
    endpoint.close();
    await Promise.all(attempts);
  }
  hole.close();
  await forward;
  out.close();
}

/** Opens `count` sessions that say nothing; resolves to how many the relay let in. */
export async function floodSilent(relay: RelayRecord, count: number): Promise<number> {
  const hashes = relay.certificateHashes.map((hash) => Uint8Array.from(atob(hash), (c) => c.charCodeAt(0)));
  let opened = 0;
  for (let begun = 0; begun < count; begun += AT_ONCE) {
    const attempts = Array.from({ length: Math.min(AT_ONCE, count - begun) }, async () => {
      try {
        await connectWebTransport(relay.url, { serverCertificateHashes: hashes, timeoutMs: 5_000 });
        opened++;
      } catch {
        // Turned away: what the attack is about.
      }
    });
    await Promise.all(attempts);
  }
  return opened;
}
