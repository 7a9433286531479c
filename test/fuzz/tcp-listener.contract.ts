/**
 * What a TCP listener makes of clients that break the rules, as named cases for any test runner: whatever comes, it counts
 * it, ends that connection alone and goes on.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { TLSSocket } from "node:tls";
import type { Session } from "../../core/session/session.ts";
import { CLOSE_CODES } from "../../core/wire/close-codes.ts";
import { TCP_KEEP_ALIVE, TCP_STREAM_END } from "../../core/wire/tcp-messages.ts";
import { createCertificate } from "../../relay/serving/certificate.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import type { ConnectionLimits } from "../../relay/tcp/connection-table.ts";
import { TcpListener } from "../../relay/tcp/tcp-listener.ts";
import { pause } from "../etcd/etcd-cluster.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { hostileBytes } from "./mutation.ts";
import { ask, CONNECT, frame, http2, plain, secure, UPGRADE, upgraded } from "./tcp-clients.ts";

interface Scene {
  listener: TcpListener;
  port: number;
  /** In the order in which they came. */
  sessions: Session[];
}

export interface ListenerCase {
  name: string;
  /** Only Node's sockets stop reading when they are told to. */
  isForNode?: boolean;
  run(): Promise<void>;
}

const HOST = "127.0.0.1";
const FUZZ_SEEDS = 150;
const certificate = createCertificate();

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !condition(); i++) await pause(5);
  assert.ok(condition(), `it did not come to this: ${what}`);
}

const DATAGRAM_CAPSULE = 0;
const STREAM_CAPSULE = [0x99, 0x0b, 0x4d, 0x3b];

async function onSession(scene: Scene): Promise<{ socket: TLSSocket; session: Session }> {
  const before = scene.sessions.length;
  const { socket, status } = await upgraded(scene.port);
  assert.match(status, / 101 /);
  await until("a session", () => scene.sessions.length > before);
  return { socket, session: scene.sessions.at(-1)! };
}

function listenerCase(
  name: string,
  run: (scene: Scene) => Promise<void>,
  limits: Partial<ConnectionLimits> = {},
): ListenerCase {
  return {
    name,
    run: async () => {
      const { certPem: cert, keyPem: key } = await certificate;
      const faults: unknown[] = [];
      const sessions: Session[] = [];
      const listener = await TcpListener.listen({
        hostname: HOST,
        port: 0,
        cert,
        key,
        clock: systemClock,
        refuse: ({ path }) => (path.startsWith("/forbidden") ? 403 : undefined),
        onSession: (session) => void sessions.push(session),
        onFault: (fault) => faults.push(fault),
        limits,
      });
      const scene = { listener, port: listener.port, sessions };
      try {
        await run(scene);
        // Whatever happened: the next one is served.
        const { socket } = await onSession(scene);
        socket.destroy();
      } finally {
        await listener.close();
      }
      assert.deepEqual(faults, []);
    },
  };
}

/** What a session ends with when these frames come. */
async function closeAfter(scene: Scene, frames: readonly Uint8Array[]): Promise<number> {
  const { socket, session } = await onSession(scene);
  socket.resume();
  for (const bytes of frames) socket.write(bytes);
  const { code } = await session.closed;
  socket.destroy();
  return code;
}

export const listenerContract: readonly ListenerCase[] = [
  listenerCase("counts what is no TLS, and answers pages", async ({ listener, port }) => {
    const socketInPlain = plain(port);
    socketInPlain.write("GET / HTTP/1.1\r\n\r\n");
    await until("a failed handshake", () => listener.stats().refused["handshake-failed"] > 0);
    socketInPlain.destroy();
    const socket = await secure(port);
    const answer = new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(String(bytes))));
    socket.write("GET / HTTP/1.1\r\nhost: relay.test\r\n\r\n");
    assert.match(await answer, /^HTTP\/1\.1 404 /);
    const client = await http2(port);
    assert.equal(await ask(client, { ":method": "GET", ":path": "/" }).status, 406);
    client.destroy();
    socket.destroy();
  }),
  listenerCase(
    "cuts connections without a session in time, and those that had one for as long",
    async (scene) => {
      const { listener, port, sessions } = scene;
      const idle = await secure(port);
      const closed = new Promise<void>((resolve) => idle.once("close", () => resolve()));
      idle.resume();
      await closed;
      assert.equal(listener.stats().refused["no-session-in-time"], 1);
      const { socket, session } = await onSession(scene);
      await pause(400);
      assert.equal(socket.destroyed, false);
      assert.equal(listener.stats().sessions, 1);
      socket.destroy();
      await session.closed;
      await until("nobody is there", () => listener.stats().connections === 0);
      assert.equal(sessions.length, 1);
    },
    { connectTimeoutMs: 200 },
  ),
  listenerCase(
    "bounds connections without a session, and all of them",
    async (scene) => {
      const { listener, port } = scene;
      const idle = [await secure(port), await secure(port)];
      const refused = plain(port);
      refused.resume();
      await new Promise<void>((resolve) => refused.once("close", () => resolve()));
      assert.equal(listener.stats().refused["too-many-half-open"], 1);
      for (const socket of idle) socket.destroy();
      await until("they are gone", () => listener.stats().halfOpen === 0);
      const three = [await onSession(scene), await onSession(scene), await onSession(scene)];
      const fourth = plain(port);
      fourth.resume();
      await new Promise<void>((resolve) => fourth.once("close", () => resolve()));
      assert.equal(listener.stats().refused["too-many-connections"], 1);
      for (const { socket } of three) socket.destroy();
      await until("they are gone", () => listener.stats().connections === 0);
    },
    { maxHalfOpen: 2, maxConnections: 3 },
  ),
  listenerCase(
    "bounds sessions of one connection",
    async ({ listener, port }) => {
      const client = await http2(port);
      const asked = [1, 2, 3].map(() => ask(client, CONNECT));
      await until("one is refused", () => listener.stats().refused["too-many-sessions"] === 1);
      assert.equal(listener.stats().sessions, 2);
      for (const { stream } of asked) stream.destroy();
      client.destroy();
    },
    { maxSessionsPerConnection: 2 },
  ),
  listenerCase("refuses by status, over HTTP/1.1 and HTTP/2", async ({ listener, port }) => {
    const socket = await secure(port);
    const answer = new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(String(bytes))));
    socket.write(UPGRADE.replace("/path", "/forbidden"));
    assert.match(await answer, /^HTTP\/1\.1 403 /);
    const client = await http2(port);
    assert.equal(await ask(client, { ...CONNECT, ":path": "/forbidden" }).status, 403);
    assert.equal(listener.stats().refused["refused-by-application"], 2);
    client.destroy();
    socket.destroy();
  }),
  listenerCase("ends a session with what is no message", async (scene) => {
    const wrong = [DATAGRAM_CAPSULE, TCP_STREAM_END, 0, 0, 0, 0];
    assert.equal(await closeAfter(scene, [frame(wrong)]), CLOSE_CODES["protocol-error"]);
  }),
  listenerCase("cuts a session for a fragmented message", async (scene) => {
    const frames = [frame([DATAGRAM_CAPSULE, TCP_KEEP_ALIVE], 2, false), frame([1], 0, false)];
    assert.equal(await closeAfter(scene, frames), CLOSE_CODES.lost);
    assert.equal(scene.listener.stats().refused.fragmented, 1);
  }),
  listenerCase("cuts a session for a message without end", async (scene) => {
    const claim = Uint8Array.from([
      0x82,
      0xff,
      0,
      0,
      0,
      0,
      0x7f,
      0xff,
      0xff,
      0xff,
      0,
      0,
      0,
      0,
      DATAGRAM_CAPSULE,
    ]);
    const frames = [claim, new Uint8Array(20_000), new Uint8Array(20_000)];
    assert.equal(await closeAfter(scene, frames), CLOSE_CODES.lost);
    assert.equal(scene.listener.stats().refused.oversized, 1);
  }),
  listenerCase("cuts a session for a stream of the layer below", async (scene) => {
    assert.equal(await closeAfter(scene, [frame([...STREAM_CAPSULE, 0, 1, 2, 3])]), CLOSE_CODES.lost);
    assert.equal(scene.listener.stats().refused["stream-opened"], 1);
  }),
  {
    ...listenerCase("cuts a session that asks for answers and reads none", async (scene) => {
      const { socket, session } = await onSession(scene);
      socket.pause();
      const ping = Buffer.concat(Array.from({ length: 20 }, () => frame(Array<number>(8_000).fill(7), 9)));
      let isOver = false;
      void session.closed.then(() => {
        isOver = true;
      });
      for (let i = 0; i < 500 && !isOver; i++) {
        socket.write(ping);
        await pause(1);
      }
      assert.equal(isOver, true);
      assert.equal(scene.listener.stats().refused["never-reads"], 1);
      socket.destroy();
    }),
    isForNode: true,
  },
  listenerCase("survives whatever bytes come: a WebSocket", async (scene) => {
    const samples = [
      frame([DATAGRAM_CAPSULE, TCP_KEEP_ALIVE]),
      frame([DATAGRAM_CAPSULE, 0, 0, 2, 1, 2]),
      frame([...STREAM_CAPSULE, 4, 1]),
      frame([0x68, 0x43, 0, 0, 0, 33, 65]),
      frame([1, 2, 3], 9),
      frame([3, 232], 8),
    ];
    for (let seed = 0; seed < FUZZ_SEEDS; seed++) {
      const random = seededRandom(seed);
      const { socket } = await onSession(scene);
      socket.resume();
      for (let i = 0; i < 10; i++) socket.write(hostileBytes(random, samples));
      if (random() < 0.5) socket.end();
      else socket.destroy();
    }
    await until("all have ended", () => scene.listener.stats().sessions === 0);
  }),
  listenerCase("survives whatever bytes come: HTTP/2", async (scene) => {
    const samples = [
      [0, 1, 6],
      [0, 6, 0, 0, 2, 1, 2],
      [...STREAM_CAPSULE, 2, 4, 1],
      [0x68, 0x43, 4, 0, 0, 0, 33],
    ];
    const bytes = samples.map((sample) => Uint8Array.from(sample));
    for (let seed = 0; seed < FUZZ_SEEDS / 5; seed++) {
      const random = seededRandom(seed);
      const client = await http2(scene.port);
      const { stream, status } = ask(client, CONNECT);
      await status;
      stream.resume();
      for (let i = 0; i < 10 && !stream.destroyed; i++) stream.write(hostileBytes(random, bytes));
      await pause(1);
      client.destroy();
    }
    await until("all have ended", () => scene.listener.stats().sessions === 0);
  }),
  listenerCase("survives whatever bytes come: before the upgrade", async ({ port }) => {
    const samples = [UPGRADE, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"].map(
      (text) => new Uint8Array(Buffer.from(text)),
    );
    for (let seed = 0; seed < FUZZ_SEEDS; seed++) {
      const random = seededRandom(seed);
      const socket = await secure(port, random() < 0.5 ? "http/1.1" : "h2");
      socket.resume();
      socket.write(hostileBytes(random, samples));
      if (random() < 0.5) socket.end();
      else socket.destroy();
    }
  }),
];
