/** s3rver on a real socket, and a proxy in front of it that cuts connections half-way, stalls them, or lets nobody in. */
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Random } from "../../core/clock.ts";

interface Rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}

export const S3RVER = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };

export interface S3Server {
  port: number;
  close(): Promise<void>;
}

/** With one bucket, "bucket", in a folder that goes with it. */
export async function startS3Server(): Promise<S3Server> {
  const S3rver = createRequire(import.meta.url)("s3rver") as new (options: object) => Rver;
  const directory = await mkdtemp(join(tmpdir(), "s3rver-"));
  const configureBuckets = [{ name: "bucket", configs: [] }];
  const server = new S3rver({ address: "127.0.0.1", port: 0, silent: true, directory, configureBuckets });
  const { port } = await server.run();
  const close = async (): Promise<void> => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { port, close };
}

export interface FaultyProxy {
  port: number;
  /** Each connection is cut after at most so many bytes of both directions. */
  lifeBytes: number;
  /** Nobody gets in. */
  isDown: boolean;
  /** How long each chunk of bytes is held up, milliseconds. */
  holdMs: number;
  readonly cuts: number;
  close(): Promise<void>;
}

export async function startFaultyProxy(toPort: number, random: Random): Promise<FaultyProxy> {
  const sockets = new Set<Socket>();
  const proxy = { port: 0, lifeBytes: Number.POSITIVE_INFINITY, isDown: false, holdMs: 0, cuts: 0, close };
  const server: Server = createServer((client) => {
    if (proxy.isDown) return client.destroy();
    const upstream = connect(toPort, "127.0.0.1");
    let left = random() * proxy.lifeBytes;
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    const carry = (from: Socket, to: Socket): void => {
      from.on("data", (chunk) => {
        if (proxy.isDown) return cut();
        left -= chunk.length;
        if (left < 0) {
          proxy.cuts += 1;
          return cut();
        }
        from.pause();
        setTimeout(() => to.write(chunk, () => from.resume()), proxy.holdMs);
      });
      from.on("end", () => setTimeout(() => to.end(), proxy.holdMs));
      from.on("error", cut);
      from.on("close", () => sockets.delete(from));
      sockets.add(from);
    };
    carry(client, upstream);
    carry(upstream, client);
  });
  async function close(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy.port = (server.address() as AddressInfo).port;
  return proxy;
}
