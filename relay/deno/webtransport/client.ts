/** The client of this layer: one QUIC connection, one CONNECT request, one session. */
import { connectRequestFields, parseResponse } from "./connect-headers.ts";
import { Http3Connection } from "./connection.ts";
import { H3_NO_ERROR } from "./http3-codes.ts";
import { DEFAULT_LIMITS, type WebTransportLimits } from "./limits.ts";
import { WtSession } from "./session.ts";
import { speaksWebTransport } from "./settings.ts";

export interface WebTransportClientOptions {
  /** SHA-256 of acceptable certificates (DER), for self-signed ones; without it the certificate is verified by its CA. */
  readonly serverCertificateHashes?: readonly Uint8Array[];
  /** PEM certificates of further authorities. */
  readonly caCerts?: readonly string[];
  readonly origin?: string;
  readonly headers?: ReadonlyMap<string, string>;
  /** From the first byte to the response. Default 5 s. */
  readonly timeoutMs?: number;
  /** Gets the session in the moment it begins; handlers set inside miss nothing. */
  readonly onSession?: (session: WtSession) => void;
  readonly limits?: Partial<WebTransportLimits>;
  /** Told what a handler threw. Default: console.error. */
  readonly onHandlerError?: (error: unknown) => void;
  /** A socket to share between many sessions; default: one each, closed with the session. */
  readonly endpoint?: Deno.QuicEndpoint;
}

/** `unreachable`: no QUIC connection; `refused`: the server answered `status`; `unsupported`: it speaks no WebTransport. */
export type ConnectFailure = "unreachable" | "timeout" | "refused" | "unsupported" | "lost";

export class WebTransportConnectError extends Error {
  readonly failure: ConnectFailure;
  /** Where `failure` is `refused`. */
  readonly status: number | undefined;

  constructor(failure: ConnectFailure, message: string, options: ErrorOptions & { status?: number } = {}) {
    super(message, options);
    this.name = "WebTransportConnectError";
    this.failure = failure;
    this.status = options.status;
  }
}

const DEFAULT_TIMEOUT_MS = 5000;

/** Opens a session at an https URL. Rejects with WebTransportConnectError. */
export async function connectWebTransport(
  url: string | URL,
  options: WebTransportClientOptions = {},
): Promise<WtSession> {
  const target = new URL(url);
  if (target.protocol !== "https:")
    throw new TypeError(`A WebTransport URL begins with https://, not ${target.protocol}//.`);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const hostname = target.hostname.replace(/^\[|\]$/g, "");
  const bindHostname = /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? "0.0.0.0" : "::";
  const endpoint = options.endpoint ?? new Deno.QuicEndpoint({ hostname: bindHostname });
  const isOwnEndpoint = options.endpoint === undefined;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let connection: Http3Connection | null = null;
  let isAbandoned = false;
  const attempt = async (): Promise<WtSession> => {
    const quic = await openQuic(target, hostname, endpoint, options, limits);
    if (isAbandoned) quic.close();
    connection = new Http3Connection({
      quic,
      role: "client",
      limits,
      onDrop: () => undefined,
      onRequest: () => Promise.resolve(),
    });
    const lost = connection.ended.then(({ reason }) => {
      if (isOwnEndpoint) endpoint.close();
      throw new WebTransportConnectError("lost", `The connection to ${target.origin} was lost: ${reason}.`);
    });
    // After the session has begun nobody waits for this any more.
    lost.catch(() => undefined);
    return await Promise.race([lost, openSession(connection, quic, target, options, limits)]);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new WebTransportConnectError("timeout", `${target.origin} did not answer within ${timeoutMs} ms.`),
        ),
      timeoutMs,
    );
  });
  const attempted = attempt();
  try {
    return await Promise.race([timeout, attempted]);
  } catch (error) {
    // A handshake cannot be cancelled; one that still succeeds is closed at once.
    isAbandoned = true;
    attempted.catch(() => undefined);
    if (connection !== null) (connection as Http3Connection).closeNow();
    else if (isOwnEndpoint) endpoint.close({ closeCode: H3_NO_ERROR, reason: "" });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function openQuic(
  target: URL,
  hostname: string,
  endpoint: Deno.QuicEndpoint,
  options: WebTransportClientOptions,
  limits: WebTransportLimits,
): Promise<Deno.QuicConn> {
  // Deno takes `serverCertificateHashes` here as its WebTransport does, but its types do not say so.
  const quicOptions: Deno.ConnectQuicOptions<false> & { serverCertificateHashes?: unknown } = {
    hostname,
    port: Number(target.port || 443),
    alpnProtocols: ["h3"],
    endpoint,
    congestionControl: "low-latency",
    maxIdleTimeout: limits.maxIdleTimeoutMs,
    keepAliveInterval: limits.keepAliveIntervalMs,
    maxConcurrentBidirectionalStreams: limits.maxBidirectionalStreams,
    maxConcurrentUnidirectionalStreams: limits.maxUnidirectionalStreams,
  };
  if (options.caCerts !== undefined) quicOptions.caCerts = [...options.caCerts];
  if (options.serverCertificateHashes !== undefined) {
    quicOptions.serverCertificateHashes = options.serverCertificateHashes.map((value) => ({
      algorithm: "sha-256",
      value,
    }));
  }
  try {
    return await Deno.connectQuic(quicOptions);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new WebTransportConnectError("unreachable", `No QUIC connection to ${target.origin}: ${words}.`, {
      cause,
    });
  }
}

async function openSession(
  connection: Http3Connection,
  quic: Deno.QuicConn,
  target: URL,
  options: WebTransportClientOptions,
  limits: WebTransportLimits,
): Promise<WtSession> {
  await connection.start();
  if (!speaksWebTransport(await connection.peerSettings)) {
    throw new WebTransportConnectError("unsupported", `${target.origin} does not speak WebTransport.`);
  }
  const request = {
    authority: target.host,
    path: `${target.pathname}${target.search}`,
    origin: options.origin,
    headers: options.headers ?? new Map<string, string>(),
  };
  const stream = await connection.openConnectStream();
  await stream.sendHeaders(connectRequestFields(request));
  const { status, headers } = parseResponse(await stream.readHeaders());
  if (status < 200 || status > 299) {
    throw new WebTransportConnectError(
      "refused",
      `${target.origin} refused the session with status ${status}.`,
      { status },
    );
  }
  const onHandlerError = options.onHandlerError ?? console.error;
  const session: WtSession = new WtSession({
    ...request,
    quic,
    connectStream: stream,
    limits,
    headers,
    onEnded: () => {
      stream.finish();
      connection.closeSoon();
    },
    onHandlerError,
  });
  try {
    options.onSession?.(session);
  } catch (error) {
    onHandlerError(error);
    session.close({ code: 0, reason: "internal error" });
  }
  connection.attach(session, stream);
  return session;
}
