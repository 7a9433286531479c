/** A gateway and a relay in this Deno process, on loopback: a real room for what a bridge does. */
import { GatewayAccess } from "../../bridge/room/gateway-access.ts";
import type { RoomAccess } from "../../bridge/room/room-member.ts";
import { MemoryDirectory } from "../../core/directory/memory.ts";
import { createGateway } from "../../gateway/app.ts";
import { readGatewayConfig } from "../../gateway/config.ts";
import { generateTicketKey } from "../../gateway/ticket-key.ts";
import { createCertificate } from "../../relay/serving/certificate.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import { connectSession } from "../../relay/deno/session.ts";
import { startRelay } from "../../relay/deno/start-relay.ts";
import { type TicketKeys, ticketKeysOf } from "../../relay/ticket-verifier.ts";

const API_KEY = "bridge:0123456789abcdef0123456789abcdef";
const GATEWAY_URL = "http://gateway.test";

export interface RoomStage {
  access: RoomAccess;
  /** The gateway's public ones. */
  keys: TicketKeys;
  close(): Promise<void>;
}

export async function openRoomStage(): Promise<RoomStage> {
  const ticketKey = await generateTicketKey();
  const directory = new MemoryDirectory(systemClock);
  const app = createGateway({
    directory,
    clock: systemClock,
    config: readGatewayConfig({ TRIBUTARY_API_KEYS: API_KEY }),
    ticketKey,
    fetch,
    log: () => undefined,
    guests: false,
    version: "test",
    clientAddress: () => "127.0.0.1",
  });
  const keys = ticketKeysOf(ticketKey.publicJwk);
  const certificate = await createCertificate();
  const relay = await startRelay({
    id: "local",
    region: "test",
    capacity: 100,
    version: "test",
    host: "127.0.0.1",
    port: 0,
    certificate: { ...certificate, hashes: [certificate.sha256.toBase64()] },
    keys,
    directory,
    operations: { host: "127.0.0.1", port: 0 },
    log: () => undefined,
  });
  const gateway = new GatewayAccess(
    { gateway: GATEWAY_URL, apiKey: API_KEY, region: undefined },
    async (url, { method, headers, body }) => app.fetch(new Request(url, { method, headers, body })),
  );
  const access = { clock: systemClock, random: Math.random, connect: connectSession, gateway };
  return { access, keys, close: () => relay.stop() };
}
