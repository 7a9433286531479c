/** The Session contract over HTTP/2 on loopback, server and client in this process, on Node. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sessionContract } from "../../core/session/session.contract.ts";
import type { Session } from "../../core/session/session.ts";
import { wallClock } from "../../test/sim/wall-clock.ts";
import { createCertificate } from "../serving/certificate.ts";
import { tcpConnect } from "./tcp-connect.ts";
import { TcpListener } from "./tcp-listener.ts";

const faults: unknown[] = [];
const connect = tcpConnect(wallClock, (fault) => faults.push(fault));
const waiting: ((session: Session) => void)[] = [];
let listener: TcpListener;
let hash: Uint8Array;

beforeAll(async () => {
  const certificate = await createCertificate();
  hash = certificate.sha256;
  listener = await TcpListener.listen({
    hostname: "127.0.0.1",
    port: 0,
    cert: certificate.certPem,
    key: certificate.keyPem,
    clock: wallClock,
    refuse: ({ path }) => (path.startsWith("/forbidden") ? 403 : undefined),
    onSession: (session) => waiting.shift()?.(session),
    onFault: (fault) => faults.push(fault),
  });
});

afterAll(async () => {
  await listener.close();
  expect(faults).toEqual([]);
});

const open = async (path: string): Promise<{ dialled: Session; accepted: Session }> => {
  const accepted = new Promise<Session>((resolve) => waiting.push(resolve));
  const dialled = await connect("", {
    certificateHashes: [hash],
    timeoutMs: 5_000,
    fallbackUrl: `https://127.0.0.1:${listener.port}${path}`,
  });
  return { dialled, accepted: await accepted };
};

describe("session over HTTP/2", () => {
  for (const { name, run } of sessionContract) {
    it(name, () => run({ clock: wallClock, connect: () => open("/contract?case=1") }));
  }

  it("is refused by status", async () => {
    await expect(open("/forbidden")).rejects.toThrow(/refused/);
    expect(listener.stats().refused["refused-by-application"]).toBe(1);
    waiting.length = 0;
  });
});
