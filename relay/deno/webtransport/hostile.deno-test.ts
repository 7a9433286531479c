/** Clients that break rules, take too long or are too many: each is refused with its code and counted, others go on. */
import assert from "node:assert/strict";
import { createCertificate } from "../../serving/certificate.ts";
import { connectRequestFields } from "./connect-headers.ts";
import { encodeFrame } from "./frames.ts";
import {
  FRAME_DATA,
  FRAME_HEADERS,
  H3_CLOSED_CRITICAL_STREAM,
  H3_DATAGRAM_ERROR,
  H3_EXCESSIVE_LOAD,
  H3_FRAME_UNEXPECTED,
  H3_ID_ERROR,
  H3_MESSAGE_ERROR,
  H3_MISSING_SETTINGS,
  H3_REQUEST_INCOMPLETE,
  H3_STREAM_CREATION_ERROR,
  QPACK_DECOMPRESSION_FAILED,
  QPACK_ENCODER_STREAM_ERROR,
} from "./http3-codes.ts";
import {
  connectWebTransport,
  type RefusalReason,
  serveWebTransport,
  type WebTransportServer,
} from "./mod.ts";
import { decodeFieldSection, encodeFieldSection } from "./qpack.ts";
import type { HeaderField } from "./qpack-static-table.ts";
import { concatBytes, encodeVarints } from "./varint.ts";

const certificate = await createCertificate();
const hashes = { serverCertificateHashes: [certificate.sha256] };
const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function start(options: Partial<Parameters<typeof serveWebTransport>[0]> = {}): WebTransportServer {
  const { certPem: cert, keyPem: key } = certificate;
  return serveWebTransport({ hostname: "127.0.0.1", cert, key, ...options });
}

/** A QUIC connection without any HTTP/3 on it. */
async function rawConnection(port: number): Promise<Deno.QuicConn> {
  const options = {
    hostname: "127.0.0.1",
    port,
    alpnProtocols: ["h3"],
    endpoint: new Deno.QuicEndpoint({ hostname: "0.0.0.0" }),
    serverCertificateHashes: [{ algorithm: "sha-256", value: certificate.sha256 }],
  };
  const quic = await Deno.connectQuic(options as Deno.ConnectQuicOptions<false>);
  quic.closed.catch(() => undefined);
  return quic;
}

async function sendUnidirectional(
  quic: Deno.QuicConn,
  bytes: Uint8Array,
): Promise<WritableStreamDefaultWriter> {
  const writer = (await quic.createUnidirectionalStream()).getWriter();
  writer.closed.catch(() => undefined);
  await writer.write(bytes);
  return writer;
}

/** Sends bytes on a request stream and reads frames until a header section has come. */
async function request(quic: Deno.QuicConn, bytes: Uint8Array): Promise<readonly HeaderField[]> {
  const stream = await quic.createBidirectionalStream();
  const writer = stream.writable.getWriter();
  writer.closed.catch(() => undefined);
  open.push(writer);
  await writer.write(bytes);
  const reader = stream.readable.getReader();
  const { value } = await reader.read();
  open.push(reader);
  const block = (value as Uint8Array).subarray(2);
  return decodeFieldSection(block, { maxHeaderBytes: 1000, maxHeaderFields: 10 });
}

/** What must not be garbage collected while a test runs: Deno would finish the streams. */
const open: unknown[] = [];
const CONNECT = connectRequestFields({ authority: "a:1", path: "/", origin: undefined, headers: new Map() });
const CONNECT_FRAME = encodeFrame(FRAME_HEADERS, encodeFieldSection(CONNECT));

function test(name: string, body: () => Promise<void>): void {
  Deno.test({ name, fn: body, sanitizeOps: false, sanitizeResources: false });
}

/** Waits until the counter has a value; fails by the runner's patience. */
async function untilRefused(server: WebTransportServer, reason: RefusalReason, count: number): Promise<void> {
  while (server.stats().refused[reason] < count) await delay(5);
}

const broken: readonly [name: string, code: number, act: (quic: Deno.QuicConn) => Promise<unknown>][] = [
  [
    "a control stream without SETTINGS",
    H3_MISSING_SETTINGS,
    (quic) => sendUnidirectional(quic, Uint8Array.of(0, 7, 1, 0)),
  ],
  [
    "two control streams",
    H3_STREAM_CREATION_ERROR,
    async (quic) => {
      open.push(await sendUnidirectional(quic, Uint8Array.of(0, 4, 0)));
      open.push(await sendUnidirectional(quic, Uint8Array.of(0, 4, 0)));
    },
  ],
  [
    "a control stream that ends",
    H3_CLOSED_CRITICAL_STREAM,
    async (quic) => (await sendUnidirectional(quic, Uint8Array.of(0, 4, 0))).close(),
  ],
  ["a push stream", H3_STREAM_CREATION_ERROR, (quic) => sendUnidirectional(quic, Uint8Array.of(1, 0))],
  [
    "an entry for the dynamic table",
    QPACK_ENCODER_STREAM_ERROR,
    (quic) => sendUnidirectional(quic, Uint8Array.of(2, 0xc0, 0)),
  ],
  [
    "a stream of an impossible session",
    H3_ID_ERROR,
    (quic) => sendUnidirectional(quic, encodeVarints(0x54, 3)),
  ],
  [
    "DATA before HEADERS",
    H3_FRAME_UNEXPECTED,
    (quic) => request(quic, encodeFrame(FRAME_DATA, new Uint8Array(1))),
  ],
  [
    "headers that refer to the dynamic table",
    QPACK_DECOMPRESSION_FAILED,
    (quic) => request(quic, Uint8Array.of(1, 3, 0, 0, 0x80)),
  ],
  [
    "headers that are too long",
    H3_EXCESSIVE_LOAD,
    (quic) => request(quic, encodeVarints(FRAME_HEADERS, 1_000_000)),
  ],
  [
    "a malformed request",
    H3_MESSAGE_ERROR,
    (quic) => request(quic, encodeFrame(FRAME_HEADERS, encodeFieldSection([...CONNECT, ["Bad Name", "x"]]))),
  ],
  [
    "a malformed capsule",
    H3_MESSAGE_ERROR,
    (quic) =>
      request(quic, concatBytes(CONNECT_FRAME, encodeFrame(FRAME_DATA, Uint8Array.of(0x68, 0x43, 1, 0)))),
  ],
  ["a datagram without a session id", H3_DATAGRAM_ERROR, (quic) => quic.sendDatagram(new Uint8Array(0))],
];

for (const [name, code, act] of broken) {
  test(`closed with its code: ${name}`, async () => {
    const server = start();
    const bystander = await connectWebTransport(server.url("127.0.0.1"), hashes);
    const quic = await rawConnection(server.port);
    await act(quic).catch(() => undefined);
    assert.equal((await quic.closed).closeCode, code);
    await untilRefused(server, "protocol-error", 1);
    assert.ok(bystander.isOpen);
    await server.close();
  });
}

test("unknown streams and frames are skipped, grease included", async () => {
  const server = start();
  const quic = await rawConnection(server.port);
  open.push(await sendUnidirectional(quic, concatBytes(encodeVarints(0x21), new Uint8Array(5000))));
  const grease = encodeFrame(0x1f * 9 + 0x21, new Uint8Array(100));
  assert.deepEqual((await request(quic, concatBytes(grease, CONNECT_FRAME)))[0], [":status", "200"]);
  await server.close();
});

test("a request for something else gets a status", async () => {
  const server = start();
  const quic = await rawConnection(server.port);
  const get: HeaderField[] = [
    [":method", "GET"],
    [":scheme", "https"],
    [":authority", "a"],
    [":path", "/"],
  ];
  assert.deepEqual(await request(quic, encodeFrame(FRAME_HEADERS, encodeFieldSection(get))), [
    [":status", "405"],
  ]);
  assert.equal(server.stats().refused["not-webtransport"], 1);
  await server.close();
});

test("a second session on a connection gets 429 and the first goes on", async () => {
  const server = start();
  const quic = await rawConnection(server.port);
  assert.deepEqual((await request(quic, CONNECT_FRAME))[0], [":status", "200"]);
  assert.deepEqual((await request(quic, CONNECT_FRAME))[0], [":status", "429"]);
  assert.equal(server.stats().refused["second-session"], 1);
  assert.equal(server.stats().sessions, 1);
  await server.close();
});

test("datagrams before the session are dropped and counted, of other sessions too", async () => {
  const decide = Promise.withResolvers<void>();
  const received: number[] = [];
  const server = start({
    onRequest: () => decide.promise.then(() => ({ accept: true }) as const),
    onSession: (session) => {
      session.onDatagram = (bytes) => received.push(bytes.length);
    },
  });
  const quic = await rawConnection(server.port);
  await quic.sendDatagram(Uint8Array.of(0, 1));
  await untilRefused(server, "early-datagram", 1);
  const answer = request(quic, CONNECT_FRAME);
  await quic.sendDatagram(Uint8Array.of(0, 1));
  await untilRefused(server, "early-datagram", 2);
  decide.resolve();
  await answer;
  await quic.sendDatagram(Uint8Array.of(1, 1));
  await untilRefused(server, "unknown-session", 1);
  await quic.sendDatagram(Uint8Array.of(0, 1, 2, 3));
  while (received.length === 0) await delay(5);
  assert.deepEqual(received, [3]);
  await server.close();
});

test("streams before the session are held, then handed over", async () => {
  const texts: string[] = [];
  const server = start({
    limits: { maxHeldStreams: 1 },
    onSession: (session) => {
      session.onUnidirectionalStream = async (readable) => {
        texts.push(await new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).text());
      };
    },
  });
  const quic = await rawConnection(server.port);
  await (await sendUnidirectional(quic, Uint8Array.of(0x40, 0x54, 0, 0x68, 0x69))).close();
  await delay(50);
  open.push(await sendUnidirectional(quic, Uint8Array.of(0x40, 0x54, 0, 0x6e, 0x6f)));
  await untilRefused(server, "held-streams-full", 1);
  await request(quic, CONNECT_FRAME);
  while (texts.length === 0) await delay(5);
  assert.deepEqual(texts, ["hi"]);
  await server.close();
});

test("a connection without a complete CONNECT in time is closed", async () => {
  const server = start({ limits: { connectTimeoutMs: 100 } });
  const silent = await rawConnection(server.port);
  const slow = await rawConnection(server.port);
  void request(slow, CONNECT_FRAME.subarray(0, 5)).catch(() => undefined);
  for (const quic of [silent, slow]) assert.equal((await quic.closed).closeCode, H3_REQUEST_INCOMPLETE);
  await untilRefused(server, "no-connect-in-time", 2);
  await server.close();
});

test("too many connections, altogether and from one address", async () => {
  for (const [limit, reason] of [
    ["maxConnections", "too-many-connections"],
    ["maxConnectionsPerAddress", "too-many-from-address"],
  ] as const) {
    const server = start({ limits: { [limit]: 2 } });
    const sessions = [];
    for (let count = 0; count < 2; count += 1) {
      sessions.push(await connectWebTransport(server.url("127.0.0.1"), hashes));
    }
    await assert.rejects(connectWebTransport(server.url("127.0.0.1"), hashes), {
      name: "WebTransportConnectError",
    });
    assert.equal(server.stats().refused[reason], 1);
    sessions[0]?.close();
    while (server.stats().connections > 1) await delay(5);
    assert.ok((await connectWebTransport(server.url("127.0.0.1"), hashes)).isOpen);
    assert.ok(sessions[1]?.isOpen);
    await server.close();
  }
});

test("half-open handshakes are bounded, time out, and leave running sessions alone", async () => {
  const server = start({ limits: { maxHalfOpen: 10, handshakeTimeoutMs: 300 } });
  const bystander = await connectWebTransport(server.url("127.0.0.1"), hashes);
  // Lets nothing back through: the server's half of each handshake vanishes.
  const hole = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const out = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const forward = (async () => {
    for await (const [bytes] of hole) {
      await out.send(bytes, { transport: "udp", hostname: "127.0.0.1", port: server.port });
    }
  })();
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1" });
  const { port } = hole.addr as Deno.NetAddr;
  const attempts = Array.from({ length: 200 }, () =>
    Deno.connectQuic<false>({ hostname: "127.0.0.1", port, alpnProtocols: ["h3"], endpoint }).catch(
      () => "failed",
    ),
  );
  await untilRefused(server, "too-many-half-open", 100);
  assert.ok(server.stats().halfOpen <= 10);
  await untilRefused(server, "handshake-timeout", 10);
  assert.ok(bystander.isOpen);
  endpoint.close();
  hole.close();
  await Promise.all(attempts);
  await forward;
  while (server.stats().halfOpen > 0) await delay(5);
  assert.ok((await connectWebTransport(server.url("127.0.0.1"), hashes)).isOpen);
  out.close();
  await server.close();
});
