/** Server and client of this layer against each other. */
import assert from "node:assert/strict";
import { createCertificate } from "../../serving/certificate.ts";
import {
  connectWebTransport,
  StreamAbortedError,
  serveWebTransport,
  type WebTransportClientOptions,
  WebTransportConnectError,
  type WebTransportServer,
  type WebTransportServerOptions,
  type WtSession,
} from "./mod.ts";

const certificate = await createCertificate();
const hashes = { serverCertificateHashes: [certificate.sha256] };
const text = new TextEncoder();
const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Pair {
  readonly server: WebTransportServer;
  readonly near: WtSession;
  readonly far: WtSession;
}

function start(options: Partial<WebTransportServerOptions> = {}): WebTransportServer {
  const { certPem: cert, keyPem: key } = certificate;
  return serveWebTransport({ hostname: "127.0.0.1", cert, key, ...options });
}

/** A server with one session, `near` on the client and `far` on the server. */
async function pair(
  serverOptions: Partial<WebTransportServerOptions> = {},
  clientOptions: WebTransportClientOptions = {},
): Promise<Pair> {
  const opened = Promise.withResolvers<WtSession>();
  const server = start({ ...serverOptions, onSession: opened.resolve });
  const near = await connectWebTransport(server.url("127.0.0.1", "/room?x=1"), {
    ...hashes,
    ...clientOptions,
  });
  return { server, near, far: await opened.promise };
}

async function readText(readable: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

async function writeText(writable: WritableStream<Uint8Array>, words: string): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(text.encode(words));
  await writer.close();
}

/** Waits until something holds; fails by the test's own patience. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(5);
}

function test(name: string, body: () => Promise<void>): void {
  // Closed endpoints let go of their sockets a moment after the test.
  Deno.test({ name, fn: body, sanitizeOps: false, sanitizeResources: false });
}

test("the server sees the request, the client the response", async () => {
  const { server, near, far } = await pair(
    {},
    { origin: "https://app.example", headers: new Map([["X-Key", "v"]]) },
  );
  assert.equal(far.path, "/room?x=1");
  assert.equal(far.origin, "https://app.example");
  assert.equal(far.authority, `127.0.0.1:${server.port}`);
  assert.equal(far.headers.get("x-key"), "v");
  assert.equal(far.remoteAddress.hostname, "127.0.0.1");
  assert.equal(near.remoteAddress.port, server.port);
  assert.ok(near.maxDatagramSize > 1000 && far.maxDatagramSize > 1000);
  await server.close();
});

test("datagrams both ways, of every size to the maximum and not beyond", async () => {
  const { server, near, far } = await pair();
  const got: number[] = [];
  near.onDatagram = (bytes) => got.push(bytes.length);
  far.onDatagram = (bytes) => {
    const buffer = new Uint8Array(far.datagramHeadroom + bytes.length);
    buffer.set(bytes, far.datagramHeadroom);
    assert.ok(far.sendDatagram(buffer));
  };
  for (const size of [0, 1, 1000, Math.min(near.maxDatagramSize, far.maxDatagramSize)]) {
    assert.ok(near.sendDatagram(new Uint8Array(near.datagramHeadroom + size)));
    await until(() => got.at(-1) === size);
  }
  assert.equal(near.sendDatagram(new Uint8Array(near.maxDatagramSize + near.datagramHeadroom + 1)), false);
  assert.equal(near.stats().dropped["too-large"], 1);
  assert.equal(near.stats().datagramsReceived, 4);
  await server.close();
});

test("the buffer may be changed as soon as sendDatagram returns, also while QUIC cannot send", async () => {
  const { server, near, far } = await pair({}, { limits: { maxPendingDatagrams: 5000 } });
  const got: Uint8Array[] = [];
  far.onDatagram = (bytes) => got.push(bytes);
  const buffer = new Uint8Array(1001);
  let accepted = 0;
  // 3 MB at once: more than Deno buffers, so the last sends really wait.
  for (let count = 0; count < 3000; count += 1) {
    new DataView(buffer.buffer).setUint32(1, count);
    buffer.fill(count % 256, 5);
    if (near.sendDatagram(buffer)) accepted += 1;
  }
  buffer.fill(0xee);
  assert.equal(accepted, 3000);
  await until(() => near.stats().datagramsPending === 0);
  await delay(100);
  assert.ok(got.length > 500, `${got.length} arrived`);
  for (const bytes of got) {
    const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    assert.ok(bytes.subarray(4).every((byte) => byte === count % 256));
  }
  await server.close();
});

test("more unsettled sends than allowed are dropped and counted", async () => {
  const { server, near } = await pair({}, { limits: { maxPendingDatagrams: 10 } });
  const results = Array.from({ length: 15 }, () => near.sendDatagram(new Uint8Array(100)));
  assert.deepEqual(results.filter((isSent) => !isSent).length, 5);
  assert.equal(near.stats().dropped["queue-full"], 5);
  await server.close();
});

test("streams of both kinds from both ends, while others stay idle", async () => {
  const { server, near, far } = await pair();
  for (const [opener, other] of [
    [near, far],
    [far, near],
  ] as const) {
    const idle = await opener.createBidirectionalStream();
    await opener.createUnidirectionalStream();
    other.onBidirectionalStream = ({ readable, writable }) =>
      void readable.pipeTo(writable).catch(() => undefined);
    const oneWay = Promise.withResolvers<string>();
    other.onUnidirectionalStream = (readable) =>
      void readText(readable).then(oneWay.resolve, () => undefined);
    const { readable, writable } = await opener.createBidirectionalStream();
    const long = "0123456789".repeat(50_000);
    const [echoed] = await Promise.all([readText(readable), writeText(writable, long)]);
    assert.equal(echoed, long);
    other.onUnidirectionalStream = (stream) => void readText(stream).then(oneWay.resolve, () => undefined);
    await writeText(await opener.createUnidirectionalStream({ sendOrder: 5 }), "one way");
    assert.equal(await oneWay.promise, "one way");
    await idle.writable.close();
    assert.equal(await readText(idle.readable), "");
  }
  await server.close();
});

test("streams that come before there is a handler are held, up to a maximum", async () => {
  const { server, near, far } = await pair({ limits: { maxHeldStreams: 2 } });
  for (const words of ["a", "b", "c"]) await writeText(await near.createUnidirectionalStream(), words);
  await until(() => far.stats().dropped["held-streams-full"] === 1);
  const got: string[] = [];
  far.onUnidirectionalStream = async (readable) => got.push(await readText(readable));
  await until(() => got.length === 2);
  assert.equal(far.stats().streamsAccepted, 2);
  await server.close();
});

test("an unfinished stream outlives the application's reference to it", async () => {
  const { server, near, far } = await pair();
  const opened = Promise.withResolvers<ReadableStream<Uint8Array>>();
  far.onUnidirectionalStream = opened.resolve;
  await near.createUnidirectionalStream();
  const reader = (await opened.promise).getReader();
  const read = reader.read().then(() => "ended");
  let garbage: unknown[] = [];
  for (let round = 0; round < 40; round += 1) {
    garbage = Array.from({ length: 20_000 }, () => new Uint8Array(100));
    await delay(5);
  }
  assert.ok(garbage.length > 0);
  assert.equal(await Promise.race([read, delay(50).then(() => "open")]), "open");
  assert.ok(near.isOpen && far.isOpen);
  await server.close();
});

test("close code and reason arrive in both directions", async () => {
  for (const closer of ["near", "far"] as const) {
    const sessions = await pair();
    sessions[closer].close({ code: 4_000_000_001, reason: "grüße" });
    const expected = { code: 4_000_000_001, reason: "grüße", clean: true };
    assert.deepEqual(await sessions.near.closed, expected);
    assert.deepEqual(await sessions.far.closed, expected);
    assert.equal(sessions.near.sendDatagram(new Uint8Array(2)), false);
    await assert.rejects(sessions.near.createBidirectionalStream(), /closed/);
    await until(() => sessions.server.stats().connections === 0);
    await sessions.server.close();
  }
});

test("closing the server tells every session why", async () => {
  const { server, near } = await pair();
  await server.close({ code: 7, reason: "maintenance" });
  assert.deepEqual(await near.closed, { code: 7, reason: "maintenance", clean: true });
});

test("a drain request arrives and the session goes on", async () => {
  const { server, near, far } = await pair();
  const drained = Promise.withResolvers<void>();
  near.onDrain = drained.resolve;
  far.drain();
  await drained.promise;
  assert.ok(near.isOpen);
  await server.close();
});

test("a client that vanishes is noticed by the idle timeout, without an unhandled rejection", async () => {
  const opened = Promise.withResolvers<WtSession>();
  const server = start({
    onSession: opened.resolve,
    limits: { maxIdleTimeoutMs: 600, keepAliveIntervalMs: 60_000 },
  });
  await connectWebTransport(server.url("127.0.0.1"), { ...hashes, limits: { keepAliveIntervalMs: 60_000 } });
  const far = await opened.promise;
  const { readable, writable } = await far.createBidirectionalStream();
  const info = await far.closed;
  assert.equal(info.clean, false);
  assert.match(info.reason, /timed out/);
  await assert.rejects(readable.getReader().read());
  await assert.rejects(writable.getWriter().write(new Uint8Array(1)), StreamAbortedError);
  await server.close();
});

test("a refusal carries its status", async () => {
  const server = start({ onRequest: ({ path }) => ({ accept: false, status: path === "/a" ? 403 : 429 }) });
  for (const [path, status] of [
    ["/a", 403],
    ["/b", 429],
  ] as const) {
    const failure = await connectWebTransport(server.url("127.0.0.1", path), hashes).catch(
      (error: unknown) => error,
    );
    assert.ok(failure instanceof WebTransportConnectError);
    assert.equal(failure.failure, "refused");
    assert.equal(failure.status, status);
  }
  assert.equal(server.stats().refused["refused-by-application"], 2);
  await server.close();
});

test("a decision that throws or never comes is a status, not a hang", async () => {
  const errors: unknown[] = [];
  const server = start({
    onRequest: ({ path }) => {
      if (path === "/throws") throw new Error("no");
      return new Promise(() => undefined);
    },
    onHandlerError: (error) => errors.push(error),
    limits: { decisionTimeoutMs: 50 },
  });
  for (const [path, status] of [
    ["/throws", 500],
    ["/hangs", 503],
  ] as const) {
    await assert.rejects(connectWebTransport(server.url("127.0.0.1", path), hashes), {
      failure: "refused",
      status,
    });
  }
  assert.equal(errors.length, 1);
  await server.close();
});

test("a handler that throws costs its session, not the server", async () => {
  const errors: unknown[] = [];
  const { server, near, far } = await pair({ onHandlerError: (error) => errors.push(error) });
  far.onDatagram = () => {
    throw new Error("a bug");
  };
  near.sendDatagram(new Uint8Array(2));
  assert.deepEqual(await near.closed, { code: 0, reason: "internal error", clean: true });
  assert.equal(errors.length, 1);
  const again = await connectWebTransport(server.url("127.0.0.1"), hashes);
  assert.ok(again.isOpen);
  await server.close();
});

test("wrong hash, nobody there, not https: each is one clear error", async () => {
  const server = start();
  const wrong = { serverCertificateHashes: [new Uint8Array(32)] };
  await assert.rejects(connectWebTransport(server.url("127.0.0.1"), wrong), { failure: "unreachable" });
  await assert.rejects(connectWebTransport(server.url("127.0.0.1")), { failure: "unreachable" });
  await server.close();
  await assert.rejects(connectWebTransport(server.url("127.0.0.1"), { ...hashes, timeoutMs: 200 }), {
    failure: "timeout",
  });
  await assert.rejects(connectWebTransport("http://127.0.0.1:1/"), TypeError);
});

test("a new certificate serves new sessions, old sessions live on, also after garbage collection", async () => {
  const { server, near, far } = await pair();
  const renewed = await createCertificate();
  server.updateCertificate(renewed.certPem, renewed.keyPem);
  let garbage: unknown[] = [];
  for (let round = 0; round < 20; round += 1)
    garbage = Array.from({ length: 20_000 }, () => new Uint8Array(100));
  assert.ok(garbage.length > 0);
  await assert.rejects(connectWebTransport(server.url("127.0.0.1"), hashes), { failure: "unreachable" });
  const next = await connectWebTransport(server.url("127.0.0.1"), {
    serverCertificateHashes: [renewed.sha256],
  });
  const got = Promise.withResolvers<number>();
  far.onDatagram = (bytes) => got.resolve(bytes.length);
  near.sendDatagram(new Uint8Array(4));
  assert.equal(await got.promise, 3);
  assert.ok(next.isOpen);
  assert.throws(() => server.updateCertificate("no certificate", "no key"));
  assert.ok(
    (await connectWebTransport(server.url("127.0.0.1"), { serverCertificateHashes: [renewed.sha256] }))
      .isOpen,
  );
  await server.close();
});
