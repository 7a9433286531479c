/**
 * PictureDecoder by an ffmpeg subprocess: access units in IVF on its standard input, raw frames of one size on its standard output, the time of
 * each as a line on its standard error, written before the frame. A process a picture, so that what a hostile one does stays there.
 */
import type { FrameQueue } from "../grid/frame-queue.ts";
import { ivfFrameHeader, ivfHeader } from "../grid/ivf-writer.ts";
import { MAX_DECODER_BACKLOG_BYTES } from "../grid/limits.ts";
import type { PictureDecoder, PictureDecoderOptions } from "../grid/picture-codec.ts";
import { FfmpegProcess } from "./ffmpeg-process.ts";

const TICKS_PER_SECOND = 1_000_000;
/** Times of frames whose bytes have not come: more means that lines and frames no longer belong together. */
const MAX_TIMES = 64;
const TIME_LINE = /^frame:\d+\s+pts:(-?\d+)/;
/** Reads that wait for a time: some 64 KiB each. */
const MAX_PIECES = 256;
/** What the filter prints with it. */
const MARK = "tributary=1";

/** Threads of their own, for the decoder or the writer of raw frames, would hold frames back. */
function commandLine({ width, height }: FrameQueue): string[] {
  const fit = `scale=${width}:${height}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=fast_bilinear`;
  const bars = `pad=${width}:${height}:-1:-1:color=0x131313`;
  const [key, value] = MARK.split("=");
  const tell = `metadata=mode=add:key=${key}:value=${value},metadata=mode=print:file=pipe\\\\:2:direct=1`;
  return [
    ...["-threads", "1", "-protocol_whitelist", "pipe", "-probesize", "32", "-analyzeduration", "0"],
    ...[
      "-f",
      "ivf",
      "-i",
      "pipe:0",
      "-map",
      "0:v:0",
      "-vf",
      `${fit},${bars},setsar=1,format=yuv420p,${tell}`,
    ],
    ...["-threads", "1", "-filter_threads", "1", "-fps_mode", "passthrough", "-copyts"],
    ...["-f", "rawvideo", "-flush_packets", "1", "pipe:1"],
  ];
}

class FfmpegPictureDecoder implements PictureDecoder {
  readonly #frames: FrameQueue;
  readonly #process: FfmpegProcess;
  readonly #timesUs: number[] = [];
  /** Times are counted from here. */
  #originUs: number | undefined;
  /** What has come of frames and is not copied yet. */
  readonly #pieces: Uint8Array[] = [];
  /** Bytes of the frame that is coming. */
  #filled = 0;

  constructor(program: string, { frames, onFailure }: PictureDecoderOptions) {
    this.#frames = frames;
    this.#process = new FfmpegProcess(program, commandLine(frames), {
      onOutput: (bytes) => this.#take(bytes),
      onLine: (line) => this.#listen(line),
      onFailure,
    });
    const { width, height } = frames;
    this.#process.write(ivfHeader({ fourCc: "H264", width, height, ticksPerSecond: TICKS_PER_SECOND }));
  }

  push(bytes: Uint8Array, timeUs: number): boolean {
    if (this.#process.backlogBytes + bytes.length > MAX_DECODER_BACKLOG_BYTES) return false;
    // Pictures may be shown before the first that is decoded: a second is room for them.
    this.#originUs ??= timeUs - TICKS_PER_SECOND;
    this.#process.write(ivfFrameHeader(bytes.length, Math.max(0, Math.round(timeUs - this.#originUs))));
    this.#process.write(bytes);
    return true;
  }

  close(): void {
    this.#process.close();
  }

  #listen(line: string): boolean {
    const ticks = TIME_LINE.exec(line)?.[1];
    if (ticks === undefined) return line === MARK;
    this.#timesUs.push(this.#originUs! + Number(ticks));
    if (this.#timesUs.length > MAX_TIMES) this.#process.fail("frames do not come with their times");
    this.#drain();
    return true;
  }

  #take(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    if (this.#pieces.length > MAX_PIECES) this.#process.fail("frames come without their times");
    this.#drain();
  }

  /** A frame's time was written before it, but may be read later: until then what comes waits. */
  #drain(): void {
    for (let piece = this.#pieces[0]; piece !== undefined || this.#isWhole; piece = this.#pieces[0]) {
      if (this.#isWhole && !this.#commit()) return;
      if (piece === undefined) return;
      const { bytes: frame } = this.#frames.begin();
      const part = piece.subarray(0, frame.length - this.#filled);
      frame.set(part, this.#filled);
      this.#filled += part.length;
      if (part.length === piece.length) this.#pieces.shift();
      else this.#pieces[0] = piece.subarray(part.length);
    }
  }

  get #isWhole(): boolean {
    return this.#filled === this.#frames.begin().bytes.length;
  }

  #commit(): boolean {
    const timeUs = this.#timesUs.shift();
    if (timeUs === undefined) return false;
    this.#filled = 0;
    this.#frames.commit(timeUs);
    return true;
  }
}

/** `program`: name or path of ffmpeg. */
export function openFfmpegPictureDecoder(options: PictureDecoderOptions, program: string): PictureDecoder {
  return new FfmpegPictureDecoder(program, options);
}
