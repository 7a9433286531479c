/**
 * The HTTP server of a bridge for its audiences. With a certificate it speaks HTTPS, and so HTTP/2 with whoever offers it, which
 * LL-HLS players want: many requests wait at once. Deno.serve keeps the certificate that it began with, so for a new one the server is replaced.
 */
import { SocketError } from "../bridge/net/byte-socket.ts";
import type { TlsIdentity } from "../bridge/node/tcp.ts";

/** The port is free a moment after the old server has let it go. */
const REOPEN_TRIES = 200;
const REOPEN_MS = 5;

export interface AudienceServerOptions {
  host: string;
  /** 0 = any free port. */
  port: number;
  /** Undefined: plain HTTP. */
  identity: TlsIdentity | undefined;
  answer(request: Request): Response | Promise<Response>;
}

export class AudienceServer {
  readonly port: number;
  readonly #options: AudienceServerOptions;
  #server: Deno.HttpServer<Deno.NetAddr>;

  /** Throws SocketError when the port cannot be opened, or certificate and key are none or do not belong together. */
  constructor(options: AudienceServerOptions) {
    this.#options = options;
    if (options.identity !== undefined) assertIdentity(options.identity);
    try {
      this.#server = serve(options, options.port, options.identity);
    } catch (cause) {
      const { host, port } = options;
      throw new SocketError(`${host}:${port} cannot be listened on: ${messageOf(cause)}`, { cause });
    }
    this.port = this.#server.addr.port;
  }

  /** For new connections; requests under way are answered on the old ones. Rejects when it is unusable, and goes on with the old one. */
  async replaceCertificate(identity: TlsIdentity): Promise<void> {
    assertIdentity(identity);
    // Endless answers (MP3) may keep it for hours, its port it gives up at once.
    void this.#server.shutdown();
    for (let tries = 1; ; tries++) {
      try {
        this.#server = serve(this.#options, this.port, identity);
        return;
      } catch (error) {
        if (!(error instanceof Deno.errors.AddrInUse) || tries === REOPEN_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
      }
    }
  }

  /** Resolves when everything under way has been answered. */
  async close(): Promise<void> {
    await this.#server.shutdown();
  }
}

function serve(
  { host, answer }: AudienceServerOptions,
  port: number,
  identity: TlsIdentity | undefined,
): Deno.HttpServer<Deno.NetAddr> {
  const address = { hostname: host, port, onListen: () => undefined };
  return Deno.serve({ ...address, ...identity }, answer);
}

/** Throws SocketError. */
function assertIdentity({ cert, key }: TlsIdentity): void {
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
  } catch (cause) {
    throw new SocketError(
      `BRIDGE_TLS_CERT and BRIDGE_TLS_KEY hold no certificate with its key: ${messageOf(cause)}`,
      { cause },
    );
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
