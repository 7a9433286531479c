/**
 * SoundDecoder by an ffmpeg subprocess: encoded bytes on its standard input, float samples on its standard output, its last complaint
 * kept for the error. A process a decoder, so that what a hostile file does to it stays there.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { MAX_DECODER_BACKLOG_BYTES, MAX_DECODER_COMPLAINT_CHARS } from "../sound/limits.ts";
import {
  type ForeignFormat,
  type SoundDecoder,
  SoundDecoderError,
  type SoundDecoderOptions,
} from "../sound/sound-decoder.ts";

/** Two floats. */
const BYTES_PER_SAMPLE = 8;
/** Below so much `ready` resolves. */
const ENOUGH_WAITING_BYTES = 32 * 1024;

const DEMUXERS: Readonly<Record<ForeignFormat, string>> = { "aac-adts": "aac", mp3: "mp3", ogg: "ogg" };

/**
 * Puts silence where a frame did not decode, so that the n-th sample out belongs to the n-th that was sent. The demuxer's clock is one frame
 * off until its parser has settled, so the first samples are counted instead.
 */
const KEEP_TIME =
  "asetpts='if(lt(N,4096),0*st(0,PTS-N)+N,PTS-ld(0))',aresample=48000:async=1:min_hard_comp=0.01";

/**
 * The first sound comes some 60 ms after the first frame, later ones with the frame they are of (MP3: up to 1024 bytes and a frame later).
 * `-fflags nobuffer` would be no faster and throws away what was read while probing.
 */
function commandLine(format: ForeignFormat): string[] {
  // Times in Ogg are whatever the sender writes: filling gaps between them could last for ever.
  const filter = format === "ogg" ? [] : ["-af", KEEP_TIME];
  return [
    ...["-hide_banner", "-nostdin", "-loglevel", "error", "-threads", "1"],
    ...["-protocol_whitelist", "pipe", "-probesize", "32", "-analyzeduration", "0"],
    ...["-f", DEMUXERS[format], "-i", "pipe:0", "-map", "0:a:0", ...filter],
    ...["-f", "f32le", "-ac", "2", "-ar", "48000", "-flush_packets", "1", "pipe:1"],
  ];
}

class FfmpegSoundDecoder implements SoundDecoder {
  readonly #options: SoundDecoderOptions;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  readonly #waiters: (() => void)[] = [];
  /** The first bytes of a sample whose others have not come. */
  #rest: Uint8Array = new Uint8Array(0);
  #complaint = "";
  #samplesOut = 0;
  #state: "running" | "ending" | "over" = "running";
  droppedBytes = 0;

  constructor(program: string, options: SoundDecoderOptions) {
    this.#options = options;
    this.#child = spawn(program, commandLine(options.format), { stdio: "pipe", windowsHide: true });
    const { stdin, stdout, stderr } = this.#child;
    stdin.on("drain", () => this.#release());
    // What breaks its input ends the process too, and that is told once, by "close".
    stdin.on("error", () => this.#release());
    stdout.on("data", (bytes: Uint8Array) => this.#take(bytes));
    stderr.on("data", (bytes: Uint8Array) => this.#listen(bytes));
    this.#ended = new Promise((resolve) => {
      const finish = (error: SoundDecoderError | undefined): void => {
        this.#conclude(error);
        resolve();
      };
      this.#child.once("error", (cause) => finish(missing(program, cause)));
      this.#child.once("close", (code, signal) => finish(this.#judge(code, signal)));
    });
  }

  get queuedBytes(): number {
    return this.#state === "over" ? 0 : this.#child.stdin.writableLength;
  }

  push(bytes: Uint8Array): boolean {
    if (this.#state !== "running") return true;
    if (this.queuedBytes + bytes.length > MAX_DECODER_BACKLOG_BYTES) {
      this.droppedBytes += bytes.length;
      return false;
    }
    this.#child.stdin.write(bytes);
    return true;
  }

  pause(): void {
    this.#child.stdout.pause();
  }

  resume(): void {
    this.#child.stdout.resume();
  }

  async ready(): Promise<void> {
    if (this.queuedBytes <= ENOUGH_WAITING_BYTES) return;
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  async end(): Promise<void> {
    if (this.#state === "running") {
      this.#state = "ending";
      this.#child.stdin.end();
    }
    await this.#ended;
  }

  close(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#release();
    this.#child.stdout.resume();
    this.#child.kill("SIGKILL");
  }

  #take(bytes: Uint8Array): void {
    if (this.#state === "over") return;
    const joined = this.#rest.length === 0 ? bytes : concat(this.#rest, bytes);
    const count = Math.floor(joined.length / BYTES_PER_SAMPLE);
    this.#rest = joined.slice(count * BYTES_PER_SAMPLE);
    if (count === 0) return;
    const view = new DataView(joined.buffer, joined.byteOffset, count * BYTES_PER_SAMPLE);
    const left = new Float32Array(count);
    const right = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      left[i] = view.getFloat32(i * BYTES_PER_SAMPLE, true);
      right[i] = view.getFloat32(i * BYTES_PER_SAMPLE + 4, true);
    }
    const first = this.#samplesOut;
    this.#samplesOut += count;
    this.#options.onSound(left, right, first);
  }

  /** Keeps the last line. */
  #listen(bytes: Uint8Array): void {
    const text = `${this.#complaint}${new TextDecoder().decode(bytes)}`;
    const line = text.trimEnd().split("\n").at(-1) ?? "";
    this.#complaint = line.slice(-MAX_DECODER_COMPLAINT_CHARS) + (text.endsWith("\n") ? "\n" : "");
  }

  #judge(code: number | null, signal: string | null): SoundDecoderError | undefined {
    // An end that was asked for is no failure where anything came of it.
    if (this.#state === "ending" && signal === null && (code === 0 || this.#samplesOut > 0)) return undefined;
    const how = signal === null ? `with status ${code ?? "unknown"}` : `by ${signal}`;
    const why = this.#complaint.trim();
    return new SoundDecoderError(
      "failed",
      `The sound could not be decoded: ffmpeg ended ${how}${why === "" ? "" : ` (${why})`}. Is it really ${this.#options.format}? Send it again.`,
    );
  }

  #conclude(error: SoundDecoderError | undefined): void {
    const told = this.#state === "over";
    this.#state = "over";
    this.#release();
    if (!told && error !== undefined) this.#options.onFailure(error);
  }

  #release(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

function missing(program: string, cause: Error): SoundDecoderError {
  return new SoundDecoderError(
    "missing",
    `Sound in AAC, MP3 or Ogg needs ffmpeg, and ${program} cannot be run: install it (Debian: apt-get install ffmpeg).`,
    { cause },
  );
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** `program`: name or path of ffmpeg. */
export function openFfmpegSoundDecoder(options: SoundDecoderOptions, program = "ffmpeg"): SoundDecoder {
  return new FfmpegSoundDecoder(program, options);
}
