/** Sessions over TCP on Deno: the Session contract, and a relay that takes nothing else. */
import assert from "node:assert/strict";
import { connect as connectTls } from "node:tls";
import { MemoryDirectory } from "../../core/directory/memory.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import { joinRelay } from "../../core/participant/participant.ts";
import type { Participant } from "../../core/participant/participant-api.ts";
import { sessionContract } from "../../core/session/session.contract.ts";
import { type Session, SessionClosedError } from "../../core/session/session.ts";
import { CLOSE_CODES } from "../../core/wire/close-codes.ts";
import { TicketOffice } from "../../test/cluster/ticket-office.ts";
import { createCertificate } from "../serving/certificate.ts";
import { systemClock } from "../serving/clock.ts";
import { TcpListener } from "../tcp/tcp-listener.ts";
import { ticketKeysOf } from "../ticket-verifier.ts";
import { denoRuntime } from "./runtime.ts";
import { type RelayConfig, RelayStartError, type RunningRelay, startRelay } from "./start-relay.ts";

const certificate = await createCertificate();
const office = await TicketOffice.open();
const serving = {
  certPem: certificate.certPem,
  keyPem: certificate.keyPem,
  hashes: [certificate.sha256.toBase64()],
};

// node:http2 of Deno keeps timers and sockets a while longer than its sessions.
const loose = { sanitizeOps: false, sanitizeResources: false };

for (const { name, run } of sessionContract) {
  Deno.test({
    ...loose,
    name: `session over TCP ${name}`,
    fn: async () => {
      const waiting: ((session: Session) => void)[] = [];
      const listener = await TcpListener.listen({
        hostname: "127.0.0.1",
        port: 0,
        cert: certificate.certPem,
        key: certificate.keyPem,
        clock: systemClock,
        refuse: () => undefined,
        onSession: (session) => waiting.shift()?.(session),
        onFault: (error) => {
          throw error;
        },
      });
      try {
        await run({
          clock: systemClock,
          connect: async () => {
            const accepted = new Promise<Session>((resolve) => waiting.push(resolve));
            const dialled = await denoRuntime.connect("", {
              certificateHashes: [certificate.sha256],
              timeoutMs: 5_000,
              fallbackUrl: `https://127.0.0.1:${listener.port}/contract?case=1`,
            });
            return { dialled, accepted: await accepted };
          },
        });
      } finally {
        await listener.close();
      }
    },
  });
}

function configuration(change: Partial<RelayConfig> = {}): RelayConfig {
  return {
    host: "127.0.0.1",
    port: undefined,
    tcpPort: 0,
    id: "tcp-relay",
    region: "",
    capacity: 100,
    version: "0.0.0",
    certificate: serving,
    keys: ticketKeysOf(JSON.parse(office.jwks)),
    directory: new MemoryDirectory(systemClock),
    operations: { host: "127.0.0.1", port: 0 },
    log: () => undefined,
    ...change,
  };
}

async function join(relay: RunningRelay, name: string, events: ParticipantEvent[]): Promise<Participant> {
  return joinRelay({
    connect: denoRuntime.connect,
    clock: systemClock,
    random: Math.random,
    relay: await office.candidateFor(relay.relay.record, name, "room"),
    client: "test",
    onEvent: (event) => void events.push(event),
    onAccessUnit: () => undefined,
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(condition(), "what was waited for did not happen");
}

function relayTest(name: string, run: (relay: RunningRelay) => Promise<void>): void {
  Deno.test({
    ...loose,
    name,
    fn: async () => {
      const relay = await startRelay(configuration());
      try {
        await run(relay);
      } finally {
        await relay.stop();
      }
    },
  });
}

relayTest("a relay without UDP has a room over TCP, says so, and counts it", async (relay) => {
  assert.equal(relay.url, "");
  assert.equal(relay.fallbackUrl, `https://127.0.0.1:${relay.tcpPort}/`);
  const { url, fallbackUrl } = relay.relay.record;
  assert.deepEqual({ url, fallbackUrl }, { url: "", fallbackUrl: relay.fallbackUrl });
  const events: ParticipantEvent[] = [];
  const ada = await join(relay, "ada", events);
  const bob = await join(relay, "bob", []);
  await until(() => events.some(({ type }) => type === "participant-joined"));
  const metrics = await (await fetch(`http://127.0.0.1:${relay.operationsPort}/metrics`)).text();
  assert.match(metrics, /^tributary_tcp_sessions 2$/m);
  await bob.leave();
  await until(() => events.some(({ type }) => type === "participant-left"));
  await ada.leave();
});

relayTest("a session over TCP that is closed hears why", async (relay) => {
  const session = await denoRuntime.connect("", {
    certificateHashes: [certificate.sha256],
    timeoutMs: 5_000,
    fallbackUrl: relay.fallbackUrl,
  });
  await relay.stop();
  const { code, clean } = await session.closed;
  assert.deepEqual({ code, clean }, { code: CLOSE_CODES.draining, clean: true });
  await assert.rejects(
    denoRuntime.connect("", {
      certificateHashes: [certificate.sha256],
      timeoutMs: 2_000,
      fallbackUrl: relay.fallbackUrl,
    }),
    SessionClosedError,
  );
});

/** A name that was not asked for before: a session that is resumed shows the certificate that it began with. */
function fingerprint(port: number, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1", servername, rejectUnauthorized: false, ALPNProtocols: ["h2"] };
    const socket = connectTls(options, () => {
      resolve(socket.getPeerCertificate().fingerprint256.replaceAll(":", "").toLowerCase());
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

relayTest("a renewed certificate reaches the TCP port", async (relay) => {
  assert.equal(await fingerprint(relay.tcpPort, "before.test"), certificate.sha256.toHex());
  const fresh = await createCertificate();
  relay.replaceCertificate({ certPem: fresh.certPem, keyPem: fresh.keyPem, hashes: [] });
  assert.equal(await fingerprint(relay.tcpPort, "after.test"), fresh.sha256.toHex());
  assert.throws(() => relay.replaceCertificate({ ...serving, certPem: "no PEM" }));
  assert.equal(await fingerprint(relay.tcpPort, "still.test"), fresh.sha256.toHex());
});

relayTest(
  "a TCP port that is taken is one line that says what to do, and frees the UDP port",
  async (relay) => {
    const port = relay.tcpPort;
    await assert.rejects(startRelay(configuration({ port: 0, tcpPort: port })), (error) => {
      assert.ok(error instanceof RelayStartError);
      assert.equal(
        error.message,
        `TCP port ${port} of 127.0.0.1 is taken: stop what uses it or set RELAY_TCP_PORT to another.`,
      );
      return true;
    });
  },
);

Deno.test({
  ...loose,
  name: "a relay without any port, and one with a broken certificate, say so in one line",
  fn: async () => {
    await assert.rejects(startRelay(configuration({ tcpPort: undefined })), /RELAY_PORT.*RELAY_TCP_PORT/);
    const broken = { ...serving, certPem: "no PEM" };
    await assert.rejects(
      startRelay(configuration({ certificate: broken })),
      /look at RELAY_CERT and RELAY_KEY/,
    );
  },
});
