/** Brings a bridge to life on Deno: its sockets, its codecs, its way into rooms. Used by `npm start` and by start/bridge.ts. */
import { Bridge } from "../bridge/bridge.ts";
import type { JobLog } from "../bridge/jobs/running-job.ts";
import { ffmpegPictureCodecs } from "../bridge/node/ffmpeg-picture-codecs.ts";
import { ffmpegPoster } from "../bridge/node/ffmpeg-poster.ts";
import { openFfmpegSoundDecoder } from "../bridge/node/ffmpeg-sound-decoder.ts";
import { dialTarget, resolveHost } from "../bridge/node/rtmp-target-dial.ts";
import { listenTcp, type TcpListener } from "../bridge/node/tcp.ts";
import { GatewayAccess, type GatewaySettings } from "../bridge/room/gateway-access.ts";
import { TargetGuard } from "../bridge/rtmp-out/target-address.ts";
import { openAacEncoder } from "../bridge/sound/aac-encoder.ts";
import { openOpusDecoder } from "../bridge/sound/opus-decoder.ts";
import type { BridgeDirectory } from "../core/directory/bridge-directory.ts";
import type { JoinRequest } from "../core/participant/joining/gateway-join.ts";
import type { BridgeRecord } from "../core/wire/bridge-jobs.ts";
import type { TicketKeys } from "../core/wire/gateway-keys.ts";
import { systemClock } from "../relay/deno/clock.ts";
import { connectSession } from "../relay/deno/session.ts";
import { openRecordingStorage, type S3Settings } from "./recording-storage.ts";

/** Connections of RTMP senders; further ones are closed at once. */
const MAX_RTMP_CONNECTIONS = 1_000;
/** What OBS and its like take for granted. */
const USUAL_RTMP_PORT = 1935;
/** The same of Icecast sources. */
const MAX_ICECAST_CONNECTIONS = 1_000;

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
  /** 0 = any free port. */
  icecastPort: number;
  /** Hosts and networks that RTMP targets may be at although they are not public. */
  allowedTargets: readonly string[];
  gateway: GatewaySettings;
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
  rtmpPort: number;
  record: Omit<BridgeRecord, "jobs" | "draining">;
  /** Takes no new jobs, and gives those that it has to others. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

const AUDIENCE_PATHS = /^\/(hls\/|recordings\/|listen\/[^/]+\.mp3$)/;

/** Rejects with SocketError when the port cannot be opened. */
export async function startBridge(config: BridgeConfig): Promise<RunningBridge> {
  const { id, region, version, capacity, publicUrl, publicHost, host, directory, log } = config;
  let bridge: Bridge | undefined;
  const listenRtmp = (port: number): Promise<TcpListener> =>
    listenTcp({
      host,
      port,
      maxConnections: MAX_RTMP_CONNECTIONS,
      onSocket: (socket) => (bridge === undefined ? socket.destroy() : bridge.acceptRtmp(socket)),
    });
  const listener =
    config.rtmpPort === undefined
      ? await listenRtmp(USUAL_RTMP_PORT).catch(() => listenRtmp(0))
      : await listenRtmp(config.rtmpPort);
  if (config.rtmpPort === undefined && listener.port !== USUAL_RTMP_PORT)
    log("warn", `port ${USUAL_RTMP_PORT} is taken: RTMP is on port ${listener.port} instead`);
  const sources = await listenTcp({
    host,
    port: config.icecastPort,
    maxConnections: MAX_ICECAST_CONNECTIONS,
    onSocket: (socket) => (bridge === undefined ? socket.destroy() : bridge.acceptIcecast(socket)),
  });
  const operations = Deno.serve(
    { hostname: config.operations.host, port: config.operations.port, onListen: () => undefined },
    (request) =>
      bridge === undefined ? new Response(null, { status: 503 }) : bridge.operations.fetch(request),
  );
  const gateway = new GatewayAccess(config.gateway, config.request);
  const record = {
    id,
    region,
    version,
    capacity,
    publicUrl,
    rtmpUrl: `rtmp://${publicHost}:${listener.port}/live`,
    icecastUrl: `http://${publicHost}:${sources.port}`,
    operationsUrl: config.operations.url ?? `http://${config.operations.host}:${operations.addr.port}`,
  };
  bridge = new Bridge({
    record,
    directory,
    access: { clock: systemClock, random: Math.random, connect: connectSession, gateway },
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
    rtmpPort: listener.port,
    record,
    drain: () => running.drain(),
    async stop(): Promise<void> {
      listener.close();
      sources.close();
      await operations.shutdown();
      await running.close();
    },
  };
}
