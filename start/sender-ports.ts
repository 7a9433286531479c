/** The TCP ports of a bridge that programs send to: RTMP, RTMPS where there is a certificate, Icecast. */
import type { JobLog } from "../bridge/jobs/running-job.ts";
import type { ByteSocket } from "../bridge/net/byte-socket.ts";
import { listenTcp, type TcpListener, type TlsIdentity } from "../bridge/node/tcp.ts";

/** Connections of RTMP senders, and as many over TLS; further ones are closed at once. */
const MAX_RTMP_CONNECTIONS = 1_000;
/** The same of Icecast sources. */
const MAX_ICECAST_CONNECTIONS = 1_000;
/** What OBS and its like take for granted. */
const USUAL_RTMP_PORT = 1935;

export interface SenderPortsOptions {
  /** Address of the ports. */
  host: string;
  /** 0 = any free port; undefined = the usual one, or any where that is taken. */
  rtmpPort: number | undefined;
  /** 0 = any free port. */
  rtmps: { port: number; identity: TlsIdentity } | undefined;
  /** 0 = any free port. */
  icecastPort: number;
  onRtmp(socket: ByteSocket): void;
  onIcecast(socket: ByteSocket): void;
  log: JobLog;
}

export interface SenderPorts {
  readonly rtmpPort: number;
  readonly rtmpsPort: number | undefined;
  readonly icecastPort: number;
  /** For new connections over TLS. Throws when it is unusable. */
  updateCertificate(identity: TlsIdentity): void;
  /** Takes no more connections. Those that are open stay so. */
  close(): void;
}

/** Rejects with SocketError when a port cannot be opened; then none is. */
export async function openSenderPorts(options: SenderPortsOptions): Promise<SenderPorts> {
  const { host, rtmps, icecastPort, onRtmp, onIcecast } = options;
  const open: TcpListener[] = [];
  const close = (): void => {
    for (const listener of open) listener.close();
  };
  const kept = async (listening: Promise<TcpListener>): Promise<TcpListener> => {
    const listener = await listening;
    open.push(listener);
    return listener;
  };
  try {
    const rtmp = await kept(listenRtmp(options));
    const limits = { host, maxConnections: MAX_RTMP_CONNECTIONS };
    const secure =
      rtmps &&
      (await kept(listenTcp({ ...limits, port: rtmps.port, tls: rtmps.identity, onSocket: onRtmp })));
    const icecast = await kept(
      listenTcp({ host, port: icecastPort, maxConnections: MAX_ICECAST_CONNECTIONS, onSocket: onIcecast }),
    );
    return {
      rtmpPort: rtmp.port,
      rtmpsPort: secure?.port,
      icecastPort: icecast.port,
      updateCertificate: (identity) => secure?.updateCertificate(identity),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function listenRtmp({ host, rtmpPort, onRtmp, log }: SenderPortsOptions): Promise<TcpListener> {
  const listen = (port: number): Promise<TcpListener> =>
    listenTcp({ host, port, maxConnections: MAX_RTMP_CONNECTIONS, onSocket: onRtmp });
  if (rtmpPort !== undefined) return listen(rtmpPort);
  const listener = await listen(USUAL_RTMP_PORT).catch(() => listen(0));
  if (listener.port !== USUAL_RTMP_PORT)
    log("warn", `port ${USUAL_RTMP_PORT} is taken: RTMP is on port ${listener.port} instead`);
  return listener;
}
