/** TCP and TLS as ByteSockets, over node:net and node:tls: a listener, and connections to others. Runs in Node and in Deno. */
import { lookup } from "node:dns/promises";
import { connect, createServer, isIP, type Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { type ByteSocket, SocketError } from "../net/byte-socket.ts";
import { addressOf, NodeSocket } from "./node-socket.ts";
import { secureClientSide, secureServerSide } from "./tls-socket.ts";

/** PEM. */
export interface TlsIdentity {
  cert: string;
  key: string;
}

export interface ListenOptions {
  /** An address; "0.0.0.0" and "::" are all of them. */
  host: string;
  /** 0 = any that is free. */
  port: number;
  /** With it, TLS is spoken. */
  tls?: TlsIdentity;
  /** Open connections, TLS handshakes included; further ones are closed at once. */
  maxConnections: number;
  onSocket(socket: ByteSocket): void;
}

export interface TcpListener {
  readonly port: number;
  /** For new connections; old ones go on with what they have. */
  updateCertificate(identity: TlsIdentity): void;
  /** Takes no more connections. Those that are open stay so. */
  close(): void;
}

/** A TLS handshake that takes longer is cut off. */
const TLS_HANDSHAKE_MS = 10_000;

/** Rejects with SocketError. */
export async function listenTcp(options: ListenOptions): Promise<TcpListener> {
  const { host, port, tls, onSocket } = options;
  let context = tls === undefined ? undefined : createSecureContext({ ...tls });
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (context === undefined) onSocket(new NodeSocket(socket, addressOf(socket)));
    else secureServerSide(socket, context, TLS_HANDSHAKE_MS, onSocket);
  });
  server.maxConnections = options.maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new SocketError(`${host}:${port} cannot be listened on: ${cause.message}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
  // Later ones concern single connections (no file descriptors left); the listener goes on.
  server.on("error", () => undefined);
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new SocketError("the listener has no port");
  return {
    port: bound.port,
    updateCertificate: (identity) => {
      if (context !== undefined) context = createSecureContext({ ...identity });
    },
    close: () => {
      server.close();
    },
  };
}

export interface ConnectOptions {
  /** Name or address. */
  host: string;
  port: number;
  /** With it, TLS is spoken. */
  tls?: {
    /** Sent as SNI, and what the certificate must be for; `host` where nothing is said. */
    serverName?: string;
    /** Root certificates to trust, PEM; the runtime's where nothing is said. */
    ca?: string;
  };
  /** For everything: look-up, connection, TLS handshake. */
  timeoutMs: number;
  /** Which addresses may be connected to. It sees what the name resolved to, and exactly that is connected to. */
  allowAddress?(address: string): boolean;
}

/** Tries each address of the host in turn. Rejects with SocketError, whose message is a sentence for people. */
export async function connectTcp(options: ConnectOptions): Promise<ByteSocket> {
  const where = `${options.host}:${options.port}`;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let current: Socket | undefined;
  let late = false;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      late = true;
      current?.destroy();
      reject(new SocketError(`${where} did not answer within ${options.timeoutMs} ms.`));
    }, options.timeoutMs);
  });
  const attempt = async (): Promise<ByteSocket> => {
    let failure: unknown;
    for (const address of await addressesOf(options)) {
      if (late) break;
      try {
        return await connected(options, address, (socket) => {
          current = socket;
        });
      } catch (cause) {
        failure = cause;
      }
    }
    const why = failure instanceof Error ? failure.message : "no time was left";
    throw new SocketError(`${where} cannot be connected to: ${why}`, { cause: failure });
  };
  try {
    return await Promise.race([attempt(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

async function addressesOf({ host, port, allowAddress }: ConnectOptions): Promise<string[]> {
  let addresses: string[];
  try {
    addresses = isIP(host) ? [host] : (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new SocketError(`${host}:${port} cannot be connected to: the name ${host} is not known.`, {
      cause,
    });
  }
  const allowed = addresses.filter((address) => allowAddress?.(address) ?? true);
  if (allowed.length === 0) {
    throw new SocketError(`${host}:${port} is not connected to: its address is not one that is allowed.`);
  }
  return allowed;
}

async function connected(
  options: ConnectOptions,
  address: string,
  begun: (socket: Socket) => void,
): Promise<ByteSocket> {
  const { host, port, tls } = options;
  const raw = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
  begun(raw);
  await new Promise<void>((resolve, reject) => {
    raw.once("connect", resolve);
    raw.once("error", reject);
    raw.once("close", () => reject(new SocketError("it was closed at once")));
  });
  if (tls === undefined) return new NodeSocket(raw, addressOf(raw));
  const name = tls.serverName ?? host;
  // An address is no name that SNI may carry (RFC 6066, section 3).
  const serverName = isIP(name) ? undefined : name;
  return await secureClientSide(raw, { serverName, host: name, ca: tls.ca });
}
