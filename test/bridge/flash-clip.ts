/** Test pictures: H.264 made by ffmpeg, one keyframe a second, which is white for a tenth of it and dark for the rest. */
import { forEachNalUnit } from "../../core/media/annex-b.ts";
import { runProgram } from "./run-program.ts";

const NAL_DELIMITER = 9;
const NAL_IDR = 5;
export const CLIP_FPS = 30;

export interface ClipPicture {
  keyframe: boolean;
  /** Annex B, SPS and PPS in front of a keyframe. */
  bytes: Uint8Array;
}

/** One second, without B-frames, to be repeated. `bitrate`: as much as that, all of it noise. */
export async function makeFlashClip(width: number, height: number, bitrate?: string): Promise<ClipPicture[]> {
  const noise = bitrate === undefined ? "" : "noise=alls=60:allf=t,";
  const rate = bitrate === undefined ? [] : ["-b:v", bitrate, "-maxrate", bitrate, "-bufsize", "1M"];
  return makeClip(`testsrc=s=${width}x${height}:r=${CLIP_FPS}:d=1`, `${noise}eq=brightness=-0.3`, rate);
}

/** The same of one colour, as ffmpeg names it, with a line that moves. */
export async function makeColourClip(colour: string, width: number, height: number): Promise<ClipPicture[]> {
  const source = `color=c=${colour}:s=${width}x${height}:r=${CLIP_FPS}:d=1`;
  return makeClip(source, `drawbox=x='t*${width}':y=0:w=4:h=${Math.round(height / 8)}:t=fill:c=black`, []);
}

async function makeClip(source: string, filter: string, rate: readonly string[]): Promise<ClipPicture[]> {
  const stream = await runProgram("ffmpeg", [
    ...["-v", "error", "-f", "lavfi", "-i", source],
    ...["-vf", `${filter},drawbox=t=fill:c=white:enable='lt(t,0.095)',format=yuv420p`],
    ...["-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast", "-g", `${CLIP_FPS}`],
    ...rate,
    ...["-x264-params", "aud=1:scenecut=0", "-f", "h264", "-"],
  ]);
  return picturesOf(stream);
}

/** Splits a stream at its access unit delimiters, which are left out, as encoders of browsers have none. */
function picturesOf(stream: Uint8Array): ClipPicture[] {
  const pictures: ClipPicture[] = [];
  let from: number | undefined;
  let keyframe = false;
  const end = (at: number): void => {
    if (from !== undefined) pictures.push({ keyframe, bytes: stream.slice(from, at) });
    from = undefined;
    keyframe = false;
  };
  forEachNalUnit(stream, (type, start, unitEnd) => {
    if (type === NAL_DELIMITER) {
      // Start codes here have four bytes or three: the zero of the longer belongs to the code.
      end(start - 3 - (stream[start - 4] === 0 ? 1 : 0));
      from = unitEnd;
    } else if (type === NAL_IDR) keyframe = true;
    return true;
  });
  end(stream.length);
  return pictures;
}
