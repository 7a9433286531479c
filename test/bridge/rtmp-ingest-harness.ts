/** An RTMP ingest server on a real socket that keeps what it takes, and the programs that tests send to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenTcp, type TlsIdentity } from "../../bridge/node/tcp.ts";
import { adtsFrame } from "../../bridge/rtmp/aac-config.ts";
import type { Amf0Object } from "../../bridge/rtmp/amf0.ts";
import { IngestServer } from "../../bridge/rtmp/ingest-server.ts";
import type {
  Authorise,
  IngestAudio,
  IngestControl,
  IngestEnd,
  IngestSink,
  IngestVideo,
  VideoCodec,
} from "../../bridge/rtmp/ingest-sink.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { wallClock } from "../sim/wall-clock.ts";

export const KEY = "a-key-of-sixteen-or-more";

/** One publication as it arrived. */
export class Taken implements IngestSink {
  readonly video: IngestVideo[] = [];
  readonly audio: IngestAudio[] = [];
  readonly metadata: Amf0Object[] = [];
  readonly control: IngestControl;
  readonly ended: Promise<IngestEnd>;
  #end: (end: IngestEnd) => void = () => undefined;

  constructor(control: IngestControl) {
    this.control = control;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  onVideo(unit: IngestVideo): void {
    this.video.push(unit);
  }

  onAudio(unit: IngestAudio): void {
    this.audio.push(unit);
  }

  onMetadata(entries: Amf0Object): void {
    this.metadata.push(entries);
  }

  onEnd(end: IngestEnd): void {
    this.#end(end);
  }

  /** Pictures that a decoder finds in what came. */
  countPictures(format = "h264"): Promise<number> {
    return countFrames(
      format,
      this.video.map(({ bytes }) => bytes),
    );
  }

  /** AAC frames that a decoder finds in what came. */
  countSounds(): Promise<number> {
    return countFrames(
      "aac",
      this.audio.map(({ aac, bytes }) => adtsFrame(aac!, bytes)!),
    );
  }
}

export interface Ingest {
  readonly port: number;
  readonly server: IngestServer;
  readonly taken: Taken[];
  readonly log: string[];
  /** rtmp://127.0.0.1:port/live/key */
  url(key?: string): string;
  /** Resolves to the publication of this index when it has begun. */
  publication(index: number): Promise<Taken>;
  close(): void;
}

export async function startIngest(
  options: { videoCodecs?: readonly VideoCodec[]; tls?: TlsIdentity; authorise?: Authorise } = {},
): Promise<Ingest> {
  const taken: Taken[] = [];
  const log: string[] = [];
  const waiting: (() => void)[] = [];
  const open = (control: IngestControl): Taken => {
    const sink = new Taken(control);
    taken.push(sink);
    for (const wake of waiting.splice(0)) wake();
    return sink;
  };
  const authorise: Authorise = async ({ streamKey }) =>
    streamKey === KEY
      ? { granted: true, publication: "camera-1", videoCodecs: options.videoCodecs ?? [], open }
      : { granted: false, wrongKey: true, message: "The stream key is not known: copy it from the room." };
  const server = new IngestServer({
    clock: wallClock,
    random: seededRandom(1),
    authorise: options.authorise ?? authorise,
    log: (line) => log.push(line),
  });
  const listener = await listenTcp({
    host: "127.0.0.1",
    port: 0,
    maxConnections: 100,
    onSocket: (socket) => void server.accept(socket),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  });
  const scheme = options.tls === undefined ? "rtmp" : "rtmps";
  return {
    port: listener.port,
    server,
    taken,
    log,
    url: (key = KEY) => `${scheme}://127.0.0.1:${listener.port}/live/${key}`,
    publication: async (index) => {
      while (taken[index] === undefined) await new Promise<void>((resolve) => waiting.push(resolve));
      return taken[index];
    },
    close: () => {
      server.close("The test is over.");
      listener.close();
    },
  };
}

/** A program that ran to its end. */
export interface Ran {
  code: number | null;
  output: string;
}

export class Program {
  readonly ended: Promise<Ran>;
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-20_000);
    };
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
    this.ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code) => resolve({ code, output }));
    });
  }

  /** Gone at once, with no word to the server. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

const PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"];
const SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
const X264 = [
  "-c:v",
  "libx264",
  "-preset",
  "ultrafast",
  "-tune",
  "zerolatency",
  "-g",
  "30",
  "-pix_fmt",
  "yuv420p",
];
const AAC = ["-c:a", "aac", "-b:a", "96k"];

export interface FfmpegOptions {
  seconds?: number;
  bFrames?: number;
  video?: boolean;
  audio?: boolean;
  /** In place of x264's, AAC's settings. */
  videoCodec?: readonly string[];
  audioCodec?: readonly string[];
  /** Send as fast as the connection takes it. */
  fast?: boolean;
  before?: readonly string[];
}

/** ffmpeg that publishes a test picture and a tone. */
export function ffmpeg(url: string, options: FfmpegOptions = {}): Program {
  const { seconds = 2, bFrames = 0, video = true, audio = true } = options;
  const live = options.fast === true ? [] : ["-re"];
  const reordered = bFrames > 0 ? ["-tune", "animation", "-bf", String(bFrames), "-b_strategy", "0"] : [];
  return new Program("ffmpeg", [
    ...["-hide_banner", "-nostdin", "-loglevel", "warning"],
    ...(video ? [...live, ...PICTURE] : []),
    ...(audio ? [...live, ...SOUND] : []),
    ...(video ? [...(options.videoCodec ?? [...X264, ...reordered])] : []),
    ...(audio ? (options.audioCodec ?? AAC) : []),
    ...["-t", String(seconds), ...(options.before ?? []), "-f", "flv", url],
  ]);
}

/** How many frames ffmpeg decodes from an elementary stream; rejects where it finds fault with it. */
async function countFrames(format: string, pieces: readonly Uint8Array[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "rtmp-ingest-"));
  try {
    const file = join(folder, "media");
    writeFileSync(file, Buffer.concat(pieces));
    const entries = ["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"];
    const args = ["-v", "error", "-f", format, "-count_frames", ...entries, file];
    const { code, output } = await new Program("ffprobe", args).ended;
    const count = /^(\d+)\s*$/.exec(output.trim());
    if (code !== 0 || count === null) throw new Error(`ffprobe finds fault (${code}): ${output}`);
    return Number(count[1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A proxy that passes everything on in pieces of `size` bytes, each with a segment of its own as far as TCP lets. */
export function smallPieces(port: number, size: number): Promise<{ port: number; close(): void }> {
  const server: Server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: "127.0.0.1", noDelay: true });
    near.on("data", (bytes) => {
      for (let at = 0; at < bytes.length; at += size) far.write(bytes.subarray(at, at + size));
    });
    far.pipe(near);
    // What is still on its way is passed on before the end is.
    near.on("close", () => far.end());
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const bound = server.address();
      if (bound === null || typeof bound === "string") throw new Error("no port");
      resolve({ port: bound.port, close: () => server.close() });
    });
  });
}
