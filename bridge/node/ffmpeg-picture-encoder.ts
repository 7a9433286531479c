/**
 * PictureEncoder by an ffmpeg subprocess with libx264: raw frames in IVF on its standard input, FLV on its standard output. A frame's time says
 * whether it is to be a keyframe: times are in half frames, and an odd one asks for it (`-force_key_frames`).
 */
import { FlvReader } from "../grid/flv-reader.ts";
import { ivfFrameHeader, ivfHeader } from "../grid/ivf-writer.ts";
import { GRID_BITRATE_BPS, GRID_FRAMES_PER_SECOND, GRID_KEYFRAME_SECONDS } from "../grid/limits.ts";
import type { PictureEncoder, PictureEncoderOptions } from "../grid/picture-codec.ts";
import type { PictureFrame } from "../grid/picture-frame.ts";
import { FfmpegProcess } from "./ffmpeg-process.ts";

const TICKS_PER_FRAME = 2;
const TICKS_PER_SECOND = GRID_FRAMES_PER_SECOND * TICKS_PER_FRAME;

/** Threads of their own, and frames that are looked at ahead, would hold frames back. */
function commandLine(): string[] {
  const bitrate = String(GRID_BITRATE_BPS);
  const gop = String(GRID_FRAMES_PER_SECOND * GRID_KEYFRAME_SECONDS);
  const wish = `expr:mod(floor(t*${TICKS_PER_SECOND}+0.5),${TICKS_PER_FRAME})`;
  const x264 = `repeat-headers=1:scenecut=0:force-cfr=1:fps=${GRID_FRAMES_PER_SECOND}`;
  return [
    ...["-threads", "1", "-protocol_whitelist", "pipe", "-probesize", "32", "-analyzeduration", "0"],
    ...["-f", "ivf", "-i", "pipe:0", "-map", "0:v:0", "-fps_mode", "passthrough", "-copyts"],
    ...["-force_key_frames", wish, "-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency"],
    ...["-profile:v", "main", "-level:v", "3.1", "-bf", "0", "-threads", "1", "-forced-idr", "1", "-g", gop],
    ...["-b:v", bitrate, "-maxrate", bitrate, "-bufsize", bitrate, "-x264-params", x264],
    ...["-f", "flv", "-flvflags", "no_duration_filesize+no_metadata+no_sequence_end"],
    ...["-flush_packets", "1", "pipe:1"],
  ];
}

class FfmpegPictureEncoder implements PictureEncoder {
  readonly #process: FfmpegProcess;
  #frames = 0;

  constructor(program: string, { width, height, onUnit, onFailure }: PictureEncoderOptions) {
    const reader = new FlvReader(onUnit);
    this.#process = new FfmpegProcess(program, commandLine(), {
      onOutput: (bytes) => {
        try {
          reader.push(bytes);
        } catch (error) {
          this.#process.fail(String(error));
        }
      },
      onFailure,
    });
    this.#process.write(ivfHeader({ fourCc: "I420", width, height, ticksPerSecond: TICKS_PER_SECOND }));
  }

  push({ bytes }: PictureFrame, keyframe: boolean, onTaken: () => void): void {
    const ticks = this.#frames++ * TICKS_PER_FRAME + (keyframe ? 1 : 0);
    this.#process.write(ivfFrameHeader(bytes.length, ticks));
    this.#process.write(bytes, onTaken);
  }

  close(): void {
    this.#process.close();
  }
}

/** `program`: name or path of ffmpeg. */
export function openFfmpegPictureEncoder(options: PictureEncoderOptions, program: string): PictureEncoder {
  return new FfmpegPictureEncoder(program, options);
}
