/** Two real relays on loopback that share a room: signed credentials over QUIC, media across the link, and relays that are none. */
import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { MemoryDirectory } from "../../core/directory/memory.ts";
import { joinRelay } from "../../core/participant/participant.ts";
import type { Participant } from "../../core/participant/participant-api.ts";
import { ControlChannel } from "../../core/session/control-channel.ts";
import { closeReasonOf } from "../../core/wire/close-codes.ts";
import { PROTOCOL_VERSION } from "../../core/wire/limits.ts";
import { type TreeMessageInput, treeMessageSchema } from "../../core/wire/tree-messages.ts";
import { MICROPHONE, unitOf } from "../../test/sim/simulated-cluster.ts";
import { ticketKeysOf } from "../ticket-verifier.ts";
import { makeSigningKeys } from "../tree/signing-keys.ts";
import { createCertificate } from "../serving/certificate.ts";
import { systemClock } from "../serving/clock.ts";
import { connectSession } from "./session.ts";
import { type RunningRelay, startRelay } from "./start-relay.ts";

const keys = await generateKeyPair("ES256", { extractable: true });
const certificate = await createCertificate();
const hashes = [certificate.sha256.toBase64()];
const serving = { certPem: certificate.certPem, keyPem: certificate.keyPem, hashes };

async function start(id: string, directory: MemoryDirectory): Promise<RunningRelay> {
  return await startRelay({
    host: "127.0.0.1",
    port: 0,
    id,
    region: id,
    capacity: 100,
    version: "0.0.0",
    certificate: serving,
    keys: ticketKeysOf(await exportJWK(keys.publicKey)),
    directory,
    operations: { host: "127.0.0.1", port: 0 },
    log: () => undefined,
  });
}

async function join(
  relay: RunningRelay,
  identity: string,
  onUnit: (trackId: number) => void,
): Promise<Participant> {
  const iat = Math.floor(Date.now() / 1000);
  const ticket = await new SignJWT({
    iat,
    exp: iat + 60,
    aud: relay.relay.id,
    sub: identity,
    name: identity,
    room: "room",
    grants: { publish: ["microphone"], subscribe: true, data: true, admin: false, hidden: false },
    jti: crypto.randomUUID(),
    token: `token-of-${identity}`,
    tokenExp: iat + 3600,
  })
    .setProtectedHeader({ alg: "ES256" })
    .sign(keys.privateKey);
  return await joinRelay({
    connect: connectSession,
    clock: systemClock,
    random: Math.random,
    relay: {
      url: relay.url,
      fallbackUrl: relay.fallbackUrl,
      relayId: relay.relay.id,
      certificateHashes: hashes,
      ticket,
    },
    client: "test",
    onEvent: () => undefined,
    onAccessUnit: (trackId) => onUnit(trackId),
  });
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await pause(10);
  assert.ok(condition(), "what was waited for did not happen");
}

/** Dials the relay as another relay would; resolves to what it says of it. */
async function attach(
  relay: RunningRelay,
  change: Partial<Extract<TreeMessageInput, { type: "attach" }>>,
): Promise<string> {
  const session = await connectSession(new URL("/tree", relay.url).href, {
    certificateHashes: [certificate.sha256],
    timeoutMs: 5_000,
  });
  const stream = await session.openStream();
  const answer = new Promise<string>((resolve) => {
    const channel = new ControlChannel<TreeMessageInput, typeof treeMessageSchema>(
      stream,
      treeMessageSchema,
      systemClock,
      undefined,
      { onMessage: ({ type }) => resolve(type), onEnd: () => undefined },
    );
    channel.send({
      type: "attach",
      version: PROTOCOL_VERSION,
      room: "room",
      relay: { id: "eve", region: "", url: "https://eve.example.org/", certificateHashes: [] },
      credential: "none",
      below: [],
      height: 0,
      avoid: [],
      ...change,
    });
  });
  const closed = session.closed.then(({ code }) => closeReasonOf(code));
  const said = await Promise.race([answer, closed]);
  session.close(0, "");
  return said;
}

const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test({
  name: "a room on two relays: people see each other, and sound crosses the link",
  ...options,
  fn: async () => {
    const directory = new MemoryDirectory(systemClock);
    const [first, second] = [await start("relay1", directory), await start("relay2", directory)];
    try {
      let units = 0;
      const ada = await join(first, "ada", () => undefined);
      const bob = await join(second, "bob", () => units++);
      await until(() => bob.participants.has("ada") && ada.participants.has("bob"));
      const track = await ada.publish(MICROPHONE);
      await until(() => bob.participants.get("ada")?.tracks.length === 1);
      await bob.subscribe(track.trackId);
      for (let frameId = 0; units < 20 && frameId < 500; frameId++) {
        track.send(unitOf(frameId, Math.round(systemClock.nowUs()), { keyframe: true, size: 80 }));
        await pause(10);
      }
      assert.ok(units >= 20, "sound did not cross the link");
      assert.equal(first.relay.rooms.tree("room")?.isRoot, true);
      assert.equal(second.relay.rooms.tree("room")?.parent?.relay.id, "relay1");
      await Promise.all([ada.leave(), bob.leave()]);
      await until(() => first.relay.rooms.size === 0 && second.relay.rooms.size === 0);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  },
});

Deno.test({
  name: "relays that are none are refused, logged and counted; a good one that would make a loop too",
  ...options,
  fn: async () => {
    const directory = new MemoryDirectory(systemClock);
    const relay = await start("relay1", directory);
    const eveKeys = await makeSigningKeys(systemClock);
    const otherKeys = await makeSigningKeys(systemClock);
    const record = { ...relay.relay.record, id: "eve", linkKey: eveKeys.linkKey };
    const registration = await directory.register(record, 60_000);
    const iat = Math.floor(Date.now() / 1000);
    const claims = { iss: "eve", aud: "relay1", room: "room", iat, exp: iat + 30 };
    const address = { id: "eve", region: "", url: "https://eve.example.org/", certificateHashes: [] };
    const good = await eveKeys.sign(claims);
    try {
      const refused: [string, Parameters<typeof attach>[1]][] = [
        ["relay-refused", { credential: "none" }],
        ["relay-refused", { credential: await otherKeys.sign(claims) }],
        ["relay-refused", { credential: await eveKeys.sign({ ...claims, iat: iat - 100, exp: iat - 70 }) }],
        ["relay-refused", { credential: await eveKeys.sign({ ...claims, exp: iat + 3_600 }) }],
        ["relay-refused", { credential: await eveKeys.sign({ ...claims, aud: "relay2" }) }],
        ["relay-refused", { credential: await eveKeys.sign({ ...claims, room: "other" }) }],
        ["relay-refused", { credential: good, relay: { ...address, id: "relay1" } }],
        ["relay-refused", { credential: good, relay: { ...address, id: "nobody" } }],
        ["unsupported-version", { credential: good, version: PROTOCOL_VERSION + 1 }],
        ["tree-refused", { credential: good, below: ["relay1"] }],
      ];
      for (const [reason, change] of refused) assert.equal(await attach(relay, change), reason);
      assert.equal(await attach(relay, { credential: good }), "attached");
      const metrics = await (await fetch(`http://127.0.0.1:${relay.operationsPort}/metrics`)).text();
      assert.match(metrics, /tributary_links_refused_total\{reason="relay-refused"\} 8\n/);
      assert.match(metrics, /tributary_links_refused_total\{reason="tree-refused"\} 1\n/);
      await until(() => relay.relay.rooms.size === 0);
    } finally {
      await registration.end();
      await relay.stop();
    }
  },
});
