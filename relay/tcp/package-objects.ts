/**
 * What is used of @fails-components/webtransport 1.6.8, and of its inside: it has no way to say how much waits in a socket,
 * to bound what a hostile client makes it hold, or to survive what its parsers throw. Hence its version is pinned.
 */

/** The socket of a WebSocket, or a stream of HTTP/2: the part of Node's Duplex that both are. */
export interface PackageStream {
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
  readonly destroyed: boolean;
  cork(): void;
  uncork(): void;
  end(text?: string): void;
  destroy(): void;
  on(event: "drain" | "end" | "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

/** Reads capsules from the stream and writes them. The WebSocket's has more fields. */
export interface PackageParser {
  parseData(bytes: Uint8Array): void;
  drainWrites(): void;
  writeCapsule(capsule: { type: number; headerVints: readonly number[]; payload: Uint8Array }): void;
  /** The beginning of a capsule whose rest has not come. */
  readonly saveddata?: Uint8Array;
  /** Pieces of a fragmented WebSocket message. */
  readonly contframes?: readonly Uint8Array[];
  /** Of a WebSocket: says goodbye. */
  sendCloseInt?(): void;
}

export interface PackageSession {
  readonly ready: Promise<unknown>;
  readonly closed: Promise<unknown>;
  readonly objint: { readonly stream: PackageStream; readonly capsParser: PackageParser };
  readonly peerAddress: string | undefined;
  readonly userData: unknown;
  onDatagramReceived: (event: { datagram: Uint8Array }) => void;
  onStream: (event: unknown) => void;
}

/** The session of a client, and the way to its connection. */
export interface PackageTransport {
  readonly ready: Promise<unknown>;
  readonly sessionint: PackageSession & {
    readonly parentobj: { readonly transportInt?: { readonly clientInt?: { destroy(): void } } };
  };
}

export interface PackageSocket {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  setNoDelay(isOn: boolean): void;
  destroy(): void;
  on(event: "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

interface Http1Response {
  writeHead(status: number, headers: Record<string, string>): void;
  end(text: string): void;
}

/** The server of Node's http2 module. */
export interface PackageListener {
  on(event: "connection", listener: (socket: PackageSocket) => void): void;
  on(event: "tlsClientError", listener: (error: Error, socket: PackageSocket) => void): void;
  on(
    event: "request",
    listener: (request: { httpVersionMajor: number }, response: Http1Response) => void,
  ): void;
  on(event: "stream", listener: (stream: unknown) => void): void;
  prependListener(event: "upgrade", listener: (request: unknown, socket: PackageSocket) => void): void;
  listeners(event: "stream"): readonly ((...values: unknown[]) => void)[];
  removeListener(event: "stream", listener: (...values: unknown[]) => void): void;
}

export type PackageHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface FinishedRequest {
  status: number;
  protocol: string;
  session: PackageStream;
}

export interface PackageServer {
  readonly ready: Promise<unknown>;
  readonly closed: Promise<unknown>;
  readonly transportInt: {
    readonly serverInt: PackageListener;
    finishSessionRequest: (request: FinishedRequest) => void;
  };
  /** By path: where its sessions go, at once. */
  readonly sessionController: Record<string, { enqueue(session: PackageSession): void; close(): void }>;
  setRequestCallback(
    decide: (request: {
      header: PackageHeaders;
    }) => Promise<{ status: number; path: string; userData?: unknown }>,
  ): void;
  createTransportInt(): Promise<void>;
  startServer(): void;
  stopServer(): void;
  address(): { port: number } | null;
  updateCert(cert: string, key: string): void;
}

export interface ServerArguments {
  port: number;
  host: string;
  secret: string;
  cert: string;
  privKey: string;
}

export interface WebTransportPackage {
  Http2Server: new (options: ServerArguments) => PackageServer;
  /** Works where the native part is installed. */
  Http3Server: new (
    options: ServerArguments,
  ) => PackageServer;
  WebTransport: new (
    url: string,
    options: {
      forceReliable: boolean;
      serverCertificateHashes?: readonly { algorithm: "sha-256"; value: Uint8Array }[];
      quicConnectTimeout: number;
      webTransportConnectTimeout: number;
    },
  ) => PackageTransport;
  /** Resolves when it is known whether the native part is there. */
  quicheLoaded: Promise<unknown>;
}
