/** The ByteSocket contract over TCP and TLS on Deno, whose node:net and node:tls are its own. */
import { testCertificate } from "../../test/bridge/certificate.ts";
import { wallClock } from "../../test/sim/wall-clock.ts";
import { byteSocketContract } from "../net/byte-socket.contract.ts";
import type { ByteSocket } from "../net/byte-socket.ts";
import { connectTcp, listenTcp } from "./tcp.ts";

const { cert, key } = await testCertificate();

for (const kind of ["TCP", "TLS"]) {
  for (const { name, run } of byteSocketContract) {
    Deno.test({
      name: `${kind} ${name}`,
      // Closing a socket is not waited for.
      sanitizeResources: false,
      sanitizeOps: false,
      fn: async () => {
        const secure = kind === "TLS";
        const waiting: ((socket: ByteSocket) => void)[] = [];
        const listener = await listenTcp({
          host: "127.0.0.1",
          port: 0,
          maxConnections: 10,
          onSocket: (socket) => waiting.shift()?.(socket),
          ...(secure ? { tls: { cert, key } } : {}),
        });
        const connect = async () => {
          const coming = new Promise<ByteSocket>((resolve) => waiting.push(resolve));
          const dialled = await connectTcp({
            host: "localhost",
            port: listener.port,
            timeoutMs: 5_000,
            ...(secure ? { tls: { ca: cert } } : {}),
          });
          return { dialled, accepted: await coming };
        };
        await run({ clock: wallClock, connect });
        listener.close();
      },
    });
  }
}
