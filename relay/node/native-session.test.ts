/**
 * The Session contract by the interface that the package's HTTP/3 and HTTP/2 sessions share, over HTTP/2: its HTTP/3 needs a
 * native part that cannot be installed here.
 */
import { afterAll, beforeAll, describe, it } from "vitest";
import { sessionContract } from "../../core/session/session.contract.ts";
import type { Session } from "../../core/session/session.ts";
import { wallClock } from "../../test/sim/wall-clock.ts";
import { createCertificate } from "../serving/certificate.ts";
import { loadPackage } from "../tcp/load-package.ts";
import type { PackageServer } from "../tcp/package-objects.ts";
import { NativeSession, type NativeTransport } from "./native-session.ts";

/** Streams over HTTP/2 lose bytes in the package: there sessions of ours do not use them (relay/tcp). */
const NOT_OVER_HTTP2 = "carries a stream of a megabyte whole and in order, both ways";
const PATH = "/contract?case=1";

const waiting: ((session: Session) => void)[] = [];
let server: PackageServer;
let hash: Uint8Array;

beforeAll(async () => {
  const { Http2Server } = await loadPackage();
  const { certPem: cert, keyPem: privKey, sha256 } = await createCertificate();
  hash = sha256;
  server = new Http2Server({ port: 0, host: "127.0.0.1", secret: "unused", cert, privKey });
  server.setRequestCallback(async ({ header }) => ({ status: 200, path: "/", userData: header[":path"] }));
  server.sessionController["/"] = {
    enqueue: (opened) =>
      waiting.shift()?.(new NativeSession(opened as unknown as NativeTransport, String(opened.userData))),
    close: () => undefined,
  };
  await server.createTransportInt();
  server.startServer();
  await server.ready;
});

afterAll(() => server.stopServer());

async function connect() {
  const { WebTransport } = await loadPackage();
  const accepted = new Promise<Session>((resolve) => waiting.push(resolve));
  const transport = new WebTransport(`https://127.0.0.1:${server.address()?.port}${PATH}`, {
    forceReliable: true,
    serverCertificateHashes: [{ algorithm: "sha-256", value: hash }],
    quicConnectTimeout: 5_000,
    webTransportConnectTimeout: 5_000,
  });
  await transport.ready;
  const dialled = new NativeSession(transport as unknown as NativeTransport, PATH);
  return { dialled, accepted: await accepted };
}

describe("session by the interface of the package", () => {
  for (const { name, run } of sessionContract.filter((one) => one.name !== NOT_OVER_HTTP2)) {
    it(name, () => run({ clock: wallClock, connect }));
  }
});
