/** Brings a bridge to life on Deno: its sockets, its codecs, its way into rooms. Used by `npm start` and by start/bridge.ts. */
import { Bridge } from "../bridge/bridge.ts";
import type { JobLog } from "../bridge/jobs/running-job.ts";
import type { ByteSocket } from "../bridge/net/byte-socket.ts";
import { ffmpegPictureCodecs } from "../bridge/node/ffmpeg-picture-codecs.ts";
import { ffmpegPoster } from "../bridge/node/ffmpeg-poster.ts";
import { openFfmpegSoundDecoder } from "../bridge/node/ffmpeg-sound-decoder.ts";
import { dialTarget, resolveHost } from "../bridge/node/rtmp-target-dial.ts";
import type { TlsIdentity } from "../bridge/node/tcp.ts";
import { GatewayAccess, type GatewaySettings } from "../bridge/room/gateway-access.ts";
import { TargetGuard } from "../bridge/rtmp-out/target-address.ts";
import { openAacEncoder } from "../bridge/sound/aac-encoder.ts";
import { openOpusDecoder } from "../bridge/sound/opus-decoder.ts";
import type { BridgeDirectory } from "../core/directory/bridge-directory.ts";
import type { JoinRequest } from "../core/participant/joining/gateway-join.ts";
import type { Connect } from "../core/session/session.ts";
import type { BridgeRecord } from "../core/wire/bridge-jobs.ts";
import type { TicketKeys } from "../core/wire/gateway-keys.ts";
import { systemClock } from "../relay/serving/clock.ts";
import { ProcessMetrics } from "../relay/serving/process-metrics.ts";
import { bridgeMetrics } from "./bridge-metrics.ts";
import { openRecordingStorage, type S3Settings } from "./recording-storage.ts";
import { openSenderPorts } from "./sender-ports.ts";

export interface BridgeConfig {
  id: string;
  region: string;
  version: string;
  /** Outputs and senders that it takes at most. */
  capacity: number;
  /** Address of the ports. */
  host: string;
  /** Host in the URLs that senders are told. */
  publicHost: string;
  /** Base URL of what audiences get. */
  publicUrl: string;
  /** 0 = any free port; undefined = the usual one, or any where that is taken. */
  rtmpPort: number | undefined;
  /** RTMP over TLS as well; 0 = any free port. */
  rtmps: { port: number; identity: TlsIdentity } | undefined;
  /** 0 = any free port. */
  icecastPort: number;
  /** Hosts and networks that RTMP targets may be at although they are not public. */
  allowedTargets: readonly string[];
  gateway: GatewaySettings;
  /** Opens sessions with relays. */
  connect: Connect;
  /** How the gateway is asked. */
  request: JoinRequest<{ aborted: boolean }>;
  directory: BridgeDirectory;
  /** The gateway's public keys. */
  keys: TicketKeys;
  /** Where recordings are kept, and how long: for ever where nothing is said. */
  recordingsFolder: string;
  /** Then the folder is only what has not got there yet. */
  s3?: S3Settings | undefined;
  retention?: { maxDays?: number; maxBytes?: number };
  /** Address of the operations API, and its base URL where gateways see another one. */
  operations: { host: string; port: number; url?: string | undefined };
  log: JobLog;
}

export interface RunningBridge {
  /** Answers what audiences ask for; undefined: it is nothing of a bridge's. */
  answer(request: Request): Response | Promise<Response> | undefined;
  /** For RTMPS connections from now on. Throws when it is unusable. */
  updateCertificate(identity: TlsIdentity): void;
  record: Omit<BridgeRecord, "jobs" | "draining">;
  /** Takes no new jobs, and gives those that it has to others. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

const AUDIENCE_PATHS = /^\/(hls\/|recordings\/|listen\/[^/]+\.(mp3|json)$)/;

/** Rejects with SocketError when the port cannot be opened. */
export async function startBridge(config: BridgeConfig): Promise<RunningBridge> {
  const { id, region, version, capacity, publicUrl, publicHost, directory, log } = config;
  let bridge: Bridge | undefined;
  const withBridge = (take: (bridge: Bridge, socket: ByteSocket) => void) => (socket: ByteSocket) =>
    bridge === undefined ? socket.destroy() : take(bridge, socket);
  const senders = await openSenderPorts({
    ...config,
    onRtmp: withBridge((to, socket) => to.acceptRtmp(socket)),
    onIcecast: withBridge((to, socket) => to.acceptIcecast(socket)),
  });
  const processMetrics = new ProcessMetrics(() => Deno.memoryUsage());
  const operations = Deno.serve(
    { hostname: config.operations.host, port: config.operations.port, onListen: () => undefined },
    (request) =>
      bridge === undefined ? new Response(null, { status: 503 }) : operate(bridge, request, processMetrics),
  );
  const gateway = new GatewayAccess(config.gateway, config.request);
  const record = {
    id,
    region,
    version,
    capacity,
    publicUrl,
    rtmpUrl: `rtmp://${publicHost}:${senders.rtmpPort}/live`,
    rtmpsUrl: senders.rtmpsPort === undefined ? "" : `rtmps://${publicHost}:${senders.rtmpsPort}/live`,
    icecastUrl: `http://${publicHost}:${senders.icecastPort}`,
    operationsUrl: config.operations.url ?? `http://${config.operations.host}:${operations.addr.port}`,
  };
  bridge = new Bridge({
    record,
    directory,
    access: { clock: systemClock, random: Math.random, connect: config.connect, gateway },
    openOpus: () =>
      openOpusDecoder((error) => log("error", "libopus does not load", { error: String(error) })),
    openAac: openAacEncoder,
    openDecoder: openFfmpegSoundDecoder,
    pictureCodecs: ffmpegPictureCodecs(),
    storage: await openRecordingStorage(config.recordingsFolder, config.s3, log),
    makePoster: ffmpegPoster(),
    keys: config.keys,
    ...(config.retention === undefined ? {} : { retention: config.retention }),
    dial: dialTarget(),
    guard: new TargetGuard(resolveHost, config.allowedTargets),
    log,
  });
  bridge.start();
  const running = bridge;
  return {
    answer: (request) =>
      AUDIENCE_PATHS.test(new URL(request.url).pathname) ? running.routes.fetch(request) : undefined,
    updateCertificate: (identity) => senders.updateCertificate(identity),
    record,
    drain: () => running.drain(),
    async stop(): Promise<void> {
      senders.close();
      processMetrics.end();
      await operations.shutdown();
      await running.close();
    },
  };
}

/** The operations port: how the bridge is, and what it does for gateways. */
function operate(
  bridge: Bridge,
  request: Request,
  processMetrics: ProcessMetrics,
): Response | Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/metrics") {
    const text = bridgeMetrics(bridge.figures, (further) => processMetrics.write(further));
    return new Response(text, { headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } });
  }
  if (pathname !== "/readyz") return bridge.operations.fetch(request);
  const { registered, draining } = bridge.figures;
  return new Response(null, { status: registered && !draining ? 200 : 503 });
}
