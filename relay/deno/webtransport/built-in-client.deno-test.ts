/** The server against Deno's own WebTransport, as far as that works. */
import assert from "node:assert/strict";
import { createCertificate } from "../../serving/certificate.ts";
import { serveWebTransport, type WtSession } from "./mod.ts";

async function talk(): Promise<void> {
  const certificate = await createCertificate();
  const { certPem: cert, keyPem: key } = certificate;
  const opened = Promise.withResolvers<WtSession>();
  const server = serveWebTransport({ hostname: "127.0.0.1", cert, key, onSession: opened.resolve });
  const builtIn = new WebTransport(server.url("127.0.0.1", "/built-in"), {
    serverCertificateHashes: [{ algorithm: "sha-256", value: certificate.sha256 }],
  });
  builtIn.closed.catch(() => undefined);
  await builtIn.ready;
  const far = await opened.promise;
  assert.equal(far.path, "/built-in");
  const got = Promise.withResolvers<number[]>();
  far.onDatagram = (bytes) => got.resolve([...bytes]);
  await builtIn.datagrams.writable.getWriter().write(Uint8Array.of(1, 2, 3));
  assert.deepEqual(await got.promise, [1, 2, 3]);
  far.sendDatagram(Uint8Array.of(0, 9));
  assert.deepEqual([...((await builtIn.datagrams.readable.getReader().read()).value as Uint8Array)], [9]);
  far.onBidirectionalStream = ({ readable, writable }) =>
    void readable.pipeTo(writable).catch(() => undefined);
  const stream = await builtIn.createBidirectionalStream();
  await stream.writable.getWriter().write(new TextEncoder().encode("ping"));
  assert.equal(
    new TextDecoder().decode((await stream.readable.getReader().read()).value as Uint8Array),
    "ping",
  );
  builtIn.close({ closeCode: 3, reason: "bye" });
  assert.ok(await far.closed);
  await server.close();
}

// The built-in client leaves streams open behind it.
Deno.test({ name: "datagrams, streams, close", fn: talk, sanitizeOps: false, sanitizeResources: false });
