import { afterEach, describe, expect, it } from "vitest";
import { testCertificate } from "../../test/bridge/certificate.ts";
import { wallClock } from "../../test/sim/wall-clock.ts";
import { byteSocketContract } from "../net/byte-socket.contract.ts";
import { type ByteSocket, SocketError } from "../net/byte-socket.ts";
import { connectTcp, listenTcp, type TcpListener, type TlsIdentity } from "./tcp.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** A listener, and the sockets that it takes, in order. */
async function listen(tls?: TlsIdentity, maxConnections = 10) {
  const sockets: ByteSocket[] = [];
  const waiting: ((socket: ByteSocket) => void)[] = [];
  const listener: TcpListener = await listenTcp({
    host: "127.0.0.1",
    port: 0,
    maxConnections,
    onSocket: (socket) => {
      const take = waiting.shift();
      if (take === undefined) sockets.push(socket);
      else take(socket);
    },
    ...(tls === undefined ? {} : { tls }),
  });
  open.push(listener);
  const next = (): Promise<ByteSocket> => {
    const socket = sockets.shift();
    return socket === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(socket);
  };
  return { listener, next, port: listener.port };
}

describe.each(["TCP", "TLS"])("%s", (kind) => {
  async function connect() {
    const tls = kind === "TLS" ? await testCertificate() : undefined;
    const { next, port } = await listen(tls);
    const settings = tls === undefined ? {} : { tls: { ca: tls.cert } };
    const dialled = await connectTcp({ host: "localhost", port, timeoutMs: 5_000, ...settings });
    const accepted = await next();
    open.push({ close: () => dialled.destroy() }, { close: () => accepted.destroy() });
    return { dialled, accepted };
  }
  it.each(byteSocketContract)("$name", ({ run }) => run({ clock: wallClock, connect }));

  it("says the other side's address", async () => {
    const { accepted } = await connect();
    expect(accepted.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
  });
});

describe("connectTcp", () => {
  it("says what did not work", async () => {
    const { listener, port } = await listen();
    listener.close();
    const to = (over: object) => connectTcp({ host: "127.0.0.1", port, timeoutMs: 5_000, ...over });
    await expect(to({})).rejects.toThrow(/127\.0\.0\.1:\d+ cannot be connected to: .*ECONNREFUSED/);
    await expect(to({ host: "no-such-name.invalid" })).rejects.toThrow(
      "name no-such-name.invalid is not known",
    );
    const seen: string[] = [];
    const allowAddress = (address: string): boolean => {
      seen.push(address);
      return false;
    };
    await expect(to({ host: "localhost", allowAddress })).rejects.toThrow("not one that is allowed");
    expect(seen).toContain("127.0.0.1");
  });

  it("trusts no certificate that it was not told to, and none of another name", async () => {
    const tls = await testCertificate();
    const { port } = await listen(tls);
    const to = (settings: object, host = "localhost") =>
      connectTcp({ host, port, timeoutMs: 5_000, tls: settings });
    await expect(to({})).rejects.toThrow("cannot be connected to");
    await expect(to({ ca: tls.cert, serverName: "other.example.org" })).rejects.toThrow(/altnames|match/i);
    const good = await to({ ca: tls.cert, serverName: "localhost" }, "127.0.0.1");
    good.destroy();
  });

  it("gives up on who does not answer the TLS handshake", async () => {
    const { port } = await listen();
    await expect(connectTcp({ host: "127.0.0.1", port, timeoutMs: 150, tls: {} })).rejects.toThrow(
      "did not answer within 150 ms",
    );
  });
});

describe("listenTcp", () => {
  it("serves a new certificate to new connections", async () => {
    const [first, second] = [await testCertificate(), await testCertificate()];
    const { listener, port } = await listen(first);
    const trusting = (ca: string) => connectTcp({ host: "localhost", port, timeoutMs: 5_000, tls: { ca } });
    (await trusting(first.cert)).destroy();
    await expect(trusting(second.cert)).rejects.toThrow(SocketError);
    listener.updateCertificate(second);
    (await trusting(second.cert)).destroy();
  });

  it("closes what is over its maximum, and says that a port is taken", async () => {
    const { next, port } = await listen(undefined, 1);
    const first = await connectTcp({ host: "127.0.0.1", port, timeoutMs: 5_000 });
    await next();
    const second = await connectTcp({ host: "127.0.0.1", port, timeoutMs: 5_000 });
    expect(await second.read().catch(() => undefined)).toBeUndefined();
    first.destroy();
    await expect(
      listenTcp({ host: "127.0.0.1", port, maxConnections: 1, onSocket: () => undefined }),
    ).rejects.toThrow("cannot be listened on");
  });

  it("survives who speaks no TLS", async () => {
    const tls = await testCertificate();
    const { port, next } = await listen(tls);
    const plain = await connectTcp({ host: "127.0.0.1", port, timeoutMs: 5_000 });
    await plain.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await plain.read().catch(() => undefined);
    plain.destroy();
    const good = await connectTcp({ host: "localhost", port, timeoutMs: 5_000, tls: { ca: tls.cert } });
    await next();
    good.destroy();
  });
});
