/** A real relay on loopback: signed tickets over QUIC, and the operations API over HTTP. */
import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, importJWK, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { MemoryDirectory } from "../../core/directory/memory.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import { JoinFailedError, joinRelay } from "../../core/participant/participant.ts";
import type { Participant } from "../../core/participant/participant-api.ts";
import { EVENTS_AUDIENCE } from "../../core/wire/room-events.ts";
import { ticketKeysOf } from "../ticket-verifier.ts";
import { createCertificate } from "../serving/certificate.ts";
import { systemClock } from "../serving/clock.ts";
import { connectSession } from "./session.ts";
import { type RelayConfig, RelayStartError, type RunningRelay, startRelay } from "./start-relay.ts";

const keys = await generateKeyPair("ES256", { extractable: true });
const certificate = await createCertificate();
const serving = {
  certPem: certificate.certPem,
  keyPem: certificate.keyPem,
  hashes: [certificate.sha256.toBase64()],
};

async function configuration(): Promise<RelayConfig> {
  return {
    host: "127.0.0.1",
    port: 0,
    id: "relay1",
    region: "",
    capacity: 100,
    version: "0.0.0",
    certificate: serving,
    keys: ticketKeysOf(await exportJWK(keys.publicKey)),
    directory: new MemoryDirectory(systemClock),
    operations: { host: "127.0.0.1", port: 0 },
    log: () => undefined,
  };
}

function sign(claims: JWTPayload): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  return new SignJWT({ iat, exp: iat + 60, aud: "relay1", ...claims })
    .setProtectedHeader({ alg: "ES256" })
    .sign(keys.privateKey);
}

function ticketFor(identity: string, change: JWTPayload = {}): Promise<string> {
  return sign({
    sub: identity,
    name: identity,
    room: "room",
    grants: { publish: ["microphone"], subscribe: true, data: true, admin: false, hidden: false },
    jti: crypto.randomUUID(),
    token: `token-of-${identity}`,
    tokenExp: Math.floor(Date.now() / 1000) + 3600,
    ...change,
  });
}

function join(relay: RunningRelay, ticket: string, events: ParticipantEvent[] = []): Promise<Participant> {
  return joinRelay({
    connect: connectSession,
    clock: systemClock,
    random: Math.random,
    relay: {
      url: relay.url,
      fallbackUrl: relay.fallbackUrl,
      relayId: "relay1",
      certificateHashes: serving.hashes,
      ticket,
    },
    client: "test",
    onEvent: (event) => void events.push(event),
    onAccessUnit: () => undefined,
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(condition(), "what was waited for did not happen");
}

async function withRelay(
  run: (relay: RunningRelay) => Promise<void>,
  change: Partial<RelayConfig> = {},
): Promise<void> {
  const relay = await startRelay({ ...(await configuration()), ...change });
  try {
    await run(relay);
  } finally {
    await relay.stop();
  }
}

function relayTest(name: string, run: (relay: RunningRelay) => Promise<void>): void {
  // The QUIC endpoint of a client outlives its session by the linger of the layer below.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn: () => withRelay(run) });
}

relayTest("bad tickets are refused with their code, counted, and nobody else notices", async (relay) => {
  const events: ParticipantEvent[] = [];
  const ada = await join(relay, await ticketFor("ada"), events);
  const used = await ticketFor("bob");
  await (await join(relay, used)).leave();
  await until(() => events.length === 2);
  const past = Math.floor(Date.now() / 1000) - 300;
  const bad = {
    "ticket-replayed": used,
    "ticket-expired": await ticketFor("eve", { iat: past, exp: past + 60 }),
    "ticket-wrong-relay": await ticketFor("eve", { aud: "relay2" }),
    "ticket-wrong-signature": `${used.slice(0, -8)}AAAAAAAA`,
    "ticket-malformed": "not a ticket",
  };
  for (const [reason, ticket] of Object.entries(bad)) {
    await assert.rejects(join(relay, ticket), (error) => {
      assert.ok(error instanceof JoinFailedError);
      assert.equal(error.reason, reason);
      return true;
    });
  }
  const metrics = await (await fetch(`http://127.0.0.1:${relay.operationsPort}/metrics`)).text();
  for (const reason of Object.keys(bad)) {
    assert.match(metrics, new RegExp(`tributary_sessions_closed_total\\{reason="${reason}"\\} 1\n`));
  }
  assert.deepEqual(
    events.map((event) => event.type),
    ["participant-joined", "participant-left"],
  );
  await ada.leave();
});

relayTest("a gateway lists rooms and removes a participant, who stays out", async (relay) => {
  const events: ParticipantEvent[] = [];
  await join(relay, await ticketFor("ada"), events);
  const base = `http://127.0.0.1:${relay.operationsPort}/v1/rooms`;
  const headers = { authorization: `Bearer ${await sign({ scope: "rooms" })}` };
  assert.equal((await fetch(base)).status, 401);
  assert.equal(
    (await fetch(base, { headers: { authorization: `Bearer ${await ticketFor("ada")}` } })).status,
    401,
  );
  const [summary] = await (await fetch(base, { headers })).json();
  assert.equal(summary.room, "room");
  assert.equal(summary.participants, 1);
  const detail = await (await fetch(`${base}/room`, { headers })).json();
  assert.equal(detail.relayId, "relay1");
  assert.equal(detail.members[0].identity, "ada");
  assert.equal((await fetch(`${base}/elsewhere`, { headers })).status, 404);
  const missing = await fetch(`${base}/room/participants/eve`, { method: "DELETE", headers });
  assert.equal(missing.status, 404);
  assert.equal(missing.headers.get("content-type"), "application/problem+json");
  const removed = await fetch(`${base}/room/participants/ada`, { method: "DELETE", headers });
  assert.equal(removed.status, 200);
  assert.equal((await removed.json()).token, "token-of-ada");
  await until(() => events.length > 0);
  assert.deepEqual(events[0], {
    type: "closed",
    reason: "removed",
    message: "removed from the room by an admin",
    final: true,
  });
  await assert.rejects(join(relay, await ticketFor("ada")), { reason: "removed" });
});

relayTest("a relay says whether it is ready", async (relay) => {
  const base = `http://127.0.0.1:${relay.operationsPort}`;
  assert.equal((await fetch(`${base}/healthz`)).status, 200);
  assert.equal((await fetch(`${base}/readyz`)).status, 200);
  await relay.relay.drain(0);
  assert.equal((await fetch(`${base}/readyz`)).status, 503);
  await assert.rejects(join(relay, await ticketFor("ada")), { name: "JoinFailedError" });
});

relayTest("a taken port is one line that says what to do", async (relay) => {
  const config = await configuration();
  const starts = [
    startRelay({ ...config, port: relay.port }),
    startRelay({ ...config, operations: { host: "127.0.0.1", port: relay.operationsPort } }),
  ];
  for (const start of starts) {
    await assert.rejects(start, (error) => {
      assert.ok(error instanceof RelayStartError);
      assert.match(
        error.message,
        /is taken: stop what uses it or set RELAY_(OPERATIONS_)?PORT to another\.$/,
      );
      return true;
    });
  }
});

Deno.test({
  name: "what happens in rooms is posted to the gateway, signed with the relay's link key; the tree of a room is told",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const posted: { type: string; status: number; token: string }[] = [];
    let isUp = false;
    const gateway = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => undefined },
      async (request) => {
        const { type } = (await request.json()) as { type: string };
        const token = (request.headers.get("authorization") ?? "").replace("Bearer ", "");
        const status = isUp && new URL(request.url).pathname === "/relay/events" ? 200 : 503;
        posted.push({ type, status, token });
        isUp = true;
        return new Response("{}", { status });
      },
    );
    const run = async (relay: RunningRelay): Promise<void> => {
      const ada = await join(relay, await ticketFor("ada"));
      const taken = (): string[] => posted.filter(({ status }) => status === 200).map(({ type }) => type);
      await until(() => taken().length === 2);
      const headers = { authorization: `Bearer ${await sign({ scope: "rooms" })}` };
      const operations = `http://127.0.0.1:${relay.operationsPort}`;
      const tree = await (await fetch(`${operations}/v1/rooms/room/tree`, { headers })).json();
      assert.deepEqual([tree.root, tree.participantsHere, tree.children], [true, 1, []]);
      assert.equal((await fetch(`${operations}/v1/rooms/other/tree`, { headers })).status, 404);
      await ada.leave();
      await until(() => taken().length === 4);
      assert.deepEqual(taken(), ["room-started", "participant-joined", "participant-left", "room-ended"]);
      assert.deepEqual(posted[0]?.status, 503);
      const [x = "", y = ""] = relay.relay.record.linkKey.split(".");
      const key = await importJWK({ kty: "EC", crv: "P-256", x, y }, "ES256");
      const { payload } = await jwtVerify(posted[0]?.token ?? "", key, { audience: EVENTS_AUDIENCE });
      assert.deepEqual([payload.iss, payload.room], ["relay1", "room"]);
      const metrics = await (await fetch(`${operations}/metrics`)).text();
      assert.match(metrics, /tributary_events_delivered_total 4\n/);
      assert.match(metrics, /tributary_events_failed_total 1\n/);
    };
    await withRelay(run, { gatewayUrl: `http://127.0.0.1:${gateway.addr.port}/` });
    await gateway.shutdown();
  },
});
