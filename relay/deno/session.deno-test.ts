/** The Session contract over real QUIC on loopback, both ends in this process. */
import { type ContractEnvironment, sessionContract } from "../../core/session/session.contract.ts";
import type { Session } from "../../core/session/session.ts";
import { createCertificate } from "../serving/certificate.ts";
import { systemClock } from "../serving/clock.ts";
import { connectSession, DenoSession, SESSION_LIMITS } from "./session.ts";
import { serveWebTransport } from "./webtransport/mod.ts";

const certificate = await createCertificate();

for (const { name, run } of sessionContract) {
  Deno.test({
    name: `session over HTTP/3 ${name}`,
    // The QUIC endpoint outlives its last session by the linger of the layer below.
    sanitizeResources: false,
    sanitizeOps: false,
    fn: async () => {
      const waiting: ((session: Session) => void)[] = [];
      const server = serveWebTransport({
        hostname: "127.0.0.1",
        cert: certificate.certPem,
        key: certificate.keyPem,
        limits: SESSION_LIMITS,
        onSession: (opened) => waiting.shift()?.(new DenoSession(opened)),
      });
      const environment: ContractEnvironment = {
        clock: systemClock,
        connect: async () => {
          const accepted = new Promise<Session>((resolve) => waiting.push(resolve));
          const dialled = await connectSession(server.url("127.0.0.1", "/contract?case=1"), {
            certificateHashes: [certificate.sha256],
            timeoutMs: 5_000,
          });
          return { dialled, accepted: await accepted };
        },
      };
      try {
        await run(environment);
      } finally {
        await server.close();
      }
    },
  });
}
