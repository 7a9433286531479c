/**
 * A bridge: takes jobs of the cluster's directory and does them. Rooms go out as RTMP, HLS, MP3 and recordings, programs come in by RTMP
 * and Icecast. What it stands on (sockets, storage, codecs, the room's transport) is handed in.
 */
import { Hono } from "hono";
import { every, type Timer } from "../core/clock.ts";
import type { BridgeDirectory } from "../core/directory/bridge-directory.ts";
import type { BridgeRecord } from "../core/wire/bridge-jobs.ts";
import type { TicketKeys } from "../core/wire/gateway-keys.ts";
import type { PictureCodecs } from "./grid/picture-codec.ts";
import { HlsRooms } from "./hls/hls-rooms.ts";
import { hlsRoutes } from "./hls/hls-routes.ts";
import { SourceServer } from "./icecast/source-server.ts";
import { authoriseIcecast, authoriseRtmp } from "./ingest/senders.ts";
import { JobRunner } from "./jobs/job-runner.ts";
import type { JobLog } from "./jobs/running-job.ts";
import { listenRoutes } from "./mp3/listen-routes.ts";
import type { Mp3Output } from "./mp3/mp3-output.ts";
import type { ByteSocket } from "./net/byte-socket.ts";
import { createBridgeOperations } from "./operations-routes.ts";
import { hlsOutput } from "./outputs/hls.ts";
import { mp3Output } from "./outputs/mp3.ts";
import { PastHls } from "./outputs/past-hls.ts";
import { recordingOutput } from "./outputs/recording.ts";
import { rtmpOutput } from "./outputs/rtmp.ts";
import { SharedParts } from "./outputs/shared-parts.ts";
import { startOutput } from "./outputs/start-output.ts";
import { Programmes } from "./programme/programmes.ts";
import type { FreeableDecoder } from "./programme/sound-mix.ts";
import { Catalogue } from "./recording/catalogue.ts";
import { History } from "./recording/history.ts";
import { historyRoutes } from "./recording/history-routes.ts";
import type { MakePoster } from "./recording/poster.ts";
import { Recordings } from "./recording/recordings.ts";
import { recordingsSource } from "./recording/recordings-source.ts";
import { Retention } from "./recording/retention.ts";
import { RoomHistory } from "./recording/room-history.ts";
import type { RoomAccess } from "./room/room-member.ts";
import { RunningCounts } from "./running-counts.ts";
import { IngestServer } from "./rtmp/ingest-server.ts";
import type { Dial } from "./rtmp-out/target.ts";
import type { TargetGuard } from "./rtmp-out/target-address.ts";
import type { OpenSoundDecoder } from "./sound/sound-decoder.ts";
import type { SoundEncoder, SoundEncoderOptions } from "./sound/sound-encoder.ts";
import type { Storage } from "./storage/storage.ts";

/** How long the directory keeps a bridge that it does not hear of. */
const LEASE_MS = 10_000;
/** Between two looks for recordings that nobody goes on with. */
const RECOVER_EVERY_MS = 30_000;

export interface BridgeOptions {
  record: Omit<BridgeRecord, "jobs" | "draining">;
  directory: BridgeDirectory;
  access: RoomAccess;
  /** libopus, stereo at 48 kHz. */
  openOpus(): FreeableDecoder;
  openAac(options: SoundEncoderOptions): Promise<SoundEncoder>;
  /** Decodes AAC, MP3 and Ogg that come in. */
  openDecoder: OpenSoundDecoder;
  /** Decodes and encodes pictures, for grids. */
  pictureCodecs: PictureCodecs;
  storage: Storage;
  /** How long recordings are kept; for ever where nothing is said. */
  retention?: { maxDays?: number; maxBytes?: number };
  /** The gateway's public keys. */
  keys: TicketKeys;
  makePoster: MakePoster | undefined;
  dial: Dial;
  guard: TargetGuard;
  log: JobLog;
}

/** How a bridge does, for its metrics. */
export interface BridgeFigures {
  registered: boolean;
  draining: boolean;
  /** Outputs and senders that it takes at most, and has. */
  capacity: number;
  load: number;
  outputs: JobRunner["outputs"];
  /** That send now, by protocol. */
  senders: { rtmp: number; icecast: number };
  hlsWaiting: number;
  mp3Listeners: number;
  counts: ReturnType<RunningCounts["now"]>;
}

export class Bridge {
  /** For audiences: /hls, /listen and /recordings. */
  readonly routes = new Hono();
  /** For gateways (core/wire/bridge-operations.ts). */
  readonly operations: Hono;
  readonly #options: BridgeOptions;
  readonly #runner: JobRunner;
  readonly #rtmp: IngestServer;
  readonly #icecast: SourceServer;
  readonly #retention: Retention;
  readonly #recordings: Recordings;
  readonly #hlsRooms: HlsRooms;
  readonly #mp3Rooms = new Map<string, Mp3Output>();
  readonly #counts = new RunningCounts();
  #recover: Timer | undefined;

  constructor(options: BridgeOptions) {
    this.#options = options;
    const { access, record, log, openAac: openEncoder, openDecoder, directory } = options;
    const { clock, random } = access;
    const { publicUrl } = record;
    const line = (text: string): void => log("warn", text);
    const note = (text: string): void => log("info", text);
    const programmes = new Programmes({
      bridgeId: record.id,
      access,
      openDecoder: options.openOpus,
      counts: this.#counts,
      codecs: options.pictureCodecs,
      log: note,
    });
    const parts = new SharedParts({ openAac: openEncoder, log: line });
    this.#hlsRooms = new HlsRooms(clock);
    const [mp3Rooms, counts] = [this.#mp3Rooms, this.#counts];
    const { storage, makePoster } = options;
    const catalogue = new Catalogue({ storage, clock, log });
    const recordings = new Recordings({
      storage,
      catalogue,
      clock,
      random,
      log,
      bridgeId: record.id,
      makePoster,
    });
    const kinds = {
      rtmp: rtmpOutput({ clock, random, openEncoder, guard: options.guard, dial: options.dial }),
      hls: hlsOutput({
        clock,
        parts,
        rooms: this.#hlsRooms,
        historyOf: (room) => new RoomHistory(recordings, room),
        publicUrl,
      }),
      mp3: mp3Output({ clock, rooms: mp3Rooms, publicUrl }),
      recording: recordingOutput({ parts, recordings, clock, publicUrl, log }),
    };
    const start = startOutput(kinds, { programmes, clock, counts });
    this.#runner = new JobRunner({ directory, record, ttlMs: LEASE_MS, clock, random, log, start });
    const { ingests } = this.#runner;
    const senders = { ingests, access, openDecoder, counts, log: note };
    this.#rtmp = new IngestServer({ clock, random, authorise: authoriseRtmp(senders), log: line });
    this.#icecast = new SourceServer({ clock, authorise: authoriseIcecast(senders), openDecoder, log: line });
    const history = new History({ storage, catalogue, recordings });
    this.#retention = new Retention({ catalogue, history, clock, log, ...options.retention });
    this.#recordings = recordings;
    this.#countAnswers();
    // Lists, and deleting, are the gateway's: it knows who may.
    this.routes.route("/", historyRoutes({ history, storage, log, authorise: async () => false }));
    this.operations = createBridgeOperations({
      bridgeId: record.id,
      keys: options.keys,
      clock,
      recordings: recordingsSource(history),
      log: note,
    });
    const past = new PastHls({ history, isWanted: (room) => this.#runner.isWanted(room, "hls") });
    const room = (name: string) => this.#hlsRooms.find(name);
    this.routes.route("/hls", hlsRoutes({ room, past: (name) => past.playlist(name) }));
    this.routes.route(
      "/listen",
      listenRoutes((name) => mp3Rooms.get(name)),
    );
  }

  /** Bytes that audiences are answered with, where the answer says how many. MP3 counts by itself. */
  #countAnswers(): void {
    for (const to of ["hls", "recordings"] as const) {
      this.routes.use(`/${to}/*`, async (c, next) => {
        await next();
        const bytes = Number(c.res.headers.get("content-length"));
        if (c.req.method === "GET") this.#counts.count(`bytes-out/${to}`, bytes);
      });
    }
  }

  /** How it does now. */
  get figures(): BridgeFigures {
    const sum = (all: number[]): number => all.reduce((one, other) => one + other, 0);
    return {
      registered: this.#runner.isRegistered,
      draining: this.#runner.isDraining,
      capacity: this.#options.record.capacity,
      load: this.#runner.load,
      outputs: this.#runner.outputs,
      senders: { rtmp: this.#rtmp.publications, icecast: this.#icecast.sources },
      hlsWaiting: this.#hlsRooms.audience,
      mp3Listeners: sum([...this.#mp3Rooms.values()].map((output) => output.status().listeners)),
      counts: this.#counts.now(),
    };
  }

  start(): void {
    this.#runner.start();
    this.#retention.start();
    this.#recover = every(this.#options.access.clock, RECOVER_EVERY_MS, () => void this.#endForgotten());
  }

  /** Ends recordings that a crash has left and whose job nobody wants any more. */
  async #endForgotten(): Promise<void> {
    const { directory, log } = this.#options;
    try {
      const jobs = new Set((await directory.jobs()).map(({ job }) => job.id));
      await this.#recordings.recover(async ({ jobId }) => (jobs.has(jobId) ? "theirs" : "nobodys"));
    } catch (error) {
      log("warn", "interrupted recordings could not be looked for", { error: String(error) });
    }
  }

  /** Takes over the connection of an RTMP sender. */
  acceptRtmp(socket: ByteSocket): void {
    this.#rtmp.accept(socket).catch((error: unknown) => {
      this.#options.log("error", "an RTMP connection failed", { error: String(error) });
    });
  }

  /** Takes over the connection of an Icecast source. */
  acceptIcecast(socket: ByteSocket): void {
    this.#icecast.accept(socket).catch((error: unknown) => {
      this.#options.log("error", "an Icecast connection failed", { error: String(error) });
    });
  }

  /** Takes no new jobs, and gives those that it has to others. */
  drain(): Promise<void> {
    return this.#runner.drain();
  }

  async close(): Promise<void> {
    this.#recover?.cancel();
    this.#retention.stop();
    this.#rtmp.close("This bridge is being restarted: connect again.");
    this.#icecast.close("This bridge is being restarted: connect again.");
    await this.#runner.close();
    this.#hlsRooms.close();
  }
}
