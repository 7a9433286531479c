/** A bridge's HTTP server with a certificate: HTTP/2 for whoever offers it, and a new certificate without a word to those who listen. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect } from "node:tls";
import { SocketError } from "../bridge/net/byte-socket.ts";
import { createCertificate } from "../relay/serving/certificate.ts";
import { AudienceServer } from "./audience-server.ts";

async function identity(): Promise<{ cert: string; key: string }> {
  const { certPem, keyPem } = await createCertificate({ names: ["localhost"] });
  return { cert: certPem, key: keyPem };
}

/** What the server shows on a new connection, and which protocol it takes of those offered. */
function handshake(port: number): Promise<{ certificate: string; protocol: string | false | null }> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: "127.0.0.1",
      servername: "localhost",
      rejectUnauthorized: false,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      const certificate = Buffer.from(socket.getPeerCertificate().raw).toString("base64");
      resolve({ certificate, protocol: socket.alpnProtocol });
      socket.destroy();
    });
  });
}

const derOf = (pem: string): string => pem.replace(/-----[^-]+-----|\s/g, "");

Deno.test("HTTPS takes HTTP/2, and shows a new certificate once it has one", async () => {
  const [first, second] = [await identity(), await identity()];
  const server = new AudienceServer({
    host: "127.0.0.1",
    port: 0,
    identity: first,
    answer: () => new Response("here"),
  });
  assert.deepEqual(await handshake(server.port), { certificate: derOf(first.cert), protocol: "h2" });
  await assert.rejects(server.replaceCertificate({ cert: first.cert, key: second.key }), SocketError);
  assert.equal((await handshake(server.port)).certificate, derOf(first.cert));
  await server.replaceCertificate(second);
  assert.equal((await handshake(server.port)).certificate, derOf(second.cert));
  await server.close();
});
