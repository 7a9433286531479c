/** s3rver on a port of its own, and a proxy before it that is as bad as a test wants it to be. */
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface S3Server {
  /** Of the proxy. */
  endpoint: string;
  bucket: string;
  /** What goes wrong with a request; undefined = nothing. */
  fault: (request: IncomingMessage) => ProxyFault | undefined;
  close(): Promise<void>;
}

export type ProxyFault =
  | { kind: "status"; status: number }
  /** Cut when so many bytes of the request have passed. */
  | { kind: "cut-request"; afterBytes: number }
  /** Passed on, and the answer cut. */
  | { kind: "cut-answer" }
  | { kind: "wrong-etag" }
  | { kind: "slow"; delayMs: number };

interface Rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}

export async function startS3(directory: string): Promise<S3Server> {
  // It has no types.
  const S3rver: new (options: object) => Rver = (await import("s3rver" as string)).default;
  const bucket = "recordings";
  const rver = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory,
    resetOnClose: false,
    allowMismatchedSignatures: true,
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await rver.run();
  const server: S3Server = { endpoint: "", bucket, fault: () => undefined, close: async () => undefined };
  const proxy = createServer((incoming, answer) => relay(incoming, answer, port, server.fault(incoming)));
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  server.endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  server.close = async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
    await rver.close();
  };
  return server;
}

function relay(
  incoming: IncomingMessage,
  answer: ServerResponse,
  port: number,
  fault: ProxyFault | undefined,
): void {
  if (fault?.kind === "status") {
    incoming.resume();
    incoming.on("end", () => answer.writeHead(fault.status).end());
    return;
  }
  const { method, url, headers } = incoming;
  const outgoing = forward({ port, host: "127.0.0.1", method, path: url, headers }, (reply) => {
    if (fault?.kind === "cut-answer") {
      reply.resume();
      reply.on("end", () => answer.destroy());
      return;
    }
    const changed = fault?.kind === "wrong-etag" ? { ...reply.headers, etag: '"0123"' } : reply.headers;
    answer.writeHead(reply.statusCode ?? 502, changed);
    reply.pipe(answer);
  });
  outgoing.on("error", () => answer.destroy());
  let passed = 0;
  incoming.on("data", (chunk: Buffer) => {
    passed += chunk.length;
    if (fault?.kind !== "cut-request" || passed <= fault.afterBytes) return void outgoing.write(chunk);
    outgoing.destroy();
    incoming.destroy();
  });
  incoming.on("end", () => {
    if (fault?.kind === "slow") setTimeout(() => outgoing.end(), fault.delayMs);
    else outgoing.end();
  });
}
