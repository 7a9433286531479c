/** A relay on Node, in this process: a room of two people without screens over TCP, its operations API, its end. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { MemoryDirectory } from "../../core/directory/memory.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import { joinRelay } from "../../core/participant/participant.ts";
import type { Participant } from "../../core/participant/participant-api.ts";
import { TicketOffice } from "../../test/cluster/ticket-office.ts";
import { MICROPHONE, unitOf } from "../../test/sim/simulated-cluster.ts";
import { createCertificate } from "../serving/certificate.ts";
import { systemClock } from "../serving/clock.ts";
import type { RelayConfig, RunningRelay } from "../serving/relay-config.ts";
import { serveRelay } from "../serving/serve-relay.ts";
import { ticketKeysOf } from "../ticket-verifier.ts";
import { nodeRuntime } from "./runtime.ts";

let office: TicketOffice;
let config: RelayConfig;
let relay: RunningRelay;

beforeAll(async () => {
  office = await TicketOffice.open();
  const { certPem, keyPem, sha256 } = await createCertificate();
  config = {
    host: "127.0.0.1",
    // As it is set by default; Node has none.
    port: 4433,
    publicUrl: "https://relay.example.org:4433/",
    tcpPort: 0,
    tcpPublicUrl: undefined,
    id: "node-relay",
    region: "",
    capacity: 100,
    version: "0.0.0",
    certificate: { certPem, keyPem, hashes: [Buffer.from(sha256).toString("base64")] },
    keys: ticketKeysOf(JSON.parse(office.jwks)),
    directory: new MemoryDirectory(systemClock),
    operations: { host: "127.0.0.1", port: 0 },
    log: () => undefined,
  };
  relay = await serveRelay(config, nodeRuntime);
});

afterAll(() => relay.stop());

async function join(
  name: string,
  events: ParticipantEvent[],
  onUnit = (): void => undefined,
): Promise<Participant> {
  const candidate = await office.candidateFor(relay.relay.record, name, "room");
  return joinRelay({
    connect: nodeRuntime.connect,
    clock: systemClock,
    random: Math.random,
    relay: { ...candidate, fallbackUrl: `https://127.0.0.1:${relay.tcpPort}/` },
    client: "test",
    onEvent: (event) => void events.push(event),
    onAccessUnit: onUnit,
  });
}

it("tells where it is: nowhere over UDP, and over TCP where it is public, on its own port", () => {
  expect(relay.relay.record).toMatchObject({
    url: "",
    fallbackUrl: `https://relay.example.org:${relay.tcpPort}/`,
  });
});

it("has a room in which sound goes from one to the other, whole", async () => {
  const events: ParticipantEvent[] = [];
  let units = 0;
  const ada = await join("ada", events);
  const bob = await join("bob", [], () => units++);
  const track = await ada.publish(MICROPHONE);
  await expect.poll(() => bob.participants.get("ada")?.tracks.length).toBe(1);
  await bob.subscribe(track.trackId);
  for (let frameId = 0; frameId < 50; frameId++) {
    track.send(unitOf(frameId, Math.round(systemClock.nowUs()), { keyframe: true, size: 80 }));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await expect.poll(() => units).toBeGreaterThan(40);
  const metrics = await (await fetch(`http://127.0.0.1:${relay.operationsPort}/metrics`)).text();
  expect(metrics).toMatch(/^tributary_tcp_sessions 2$/m);
  expect(metrics).toMatch(/^process_resident_memory_bytes \d+$/m);
  await bob.leave();
  await expect.poll(() => events.map(({ type }) => type)).toContain("participant-left");
  await ada.leave();
});

it.each([
  ["operations", "RELAY_OPERATIONS_PORT"],
  ["tcp", "RELAY_TCP_PORT"],
])("says in one line that a port is taken: %s", async (which, setting) => {
  const taken =
    which === "tcp"
      ? { ...config, tcpPort: relay.tcpPort }
      : { ...config, operations: { host: "127.0.0.1", port: relay.operationsPort } };
  await expect(serveRelay({ ...taken, id: "another" }, nodeRuntime)).rejects.toThrow(
    new RegExp(`^TCP port \\d+ of 127.0.0.1 is taken: stop what uses it or set ${setting} to another\\.$`),
  );
});

it("says in one line that its certificate is no good", async () => {
  const certificate = { ...config.certificate, certPem: "no PEM" };
  await expect(serveRelay({ ...config, certificate }, nodeRuntime)).rejects.toThrow(
    /look at RELAY_CERT and RELAY_KEY\.$/,
  );
});
