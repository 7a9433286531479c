/** H.264 as x264 makes it, by ffmpeg, as picture units whose times begin at 0. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PictureUnit } from "../../bridge/programme/programme.ts";
import { contentOf, forEachNalUnit } from "../../core/media/annex-b.ts";

export interface TestPictureOptions {
  seconds: number;
  size?: string;
  fps?: number;
  /** Pictures from keyframe to keyframe. */
  gop?: number;
  bFrames?: number;
  /** An ffmpeg source without size and rate, for instance testsrc2. */
  source?: string;
  /** ffmpeg filters, in front of the encoder. */
  filter?: string;
}

/** Encodes at once; units come in decode order. */
export function testPictures(options: TestPictureOptions): PictureUnit[] {
  const { seconds, size = "320x180", fps = 30, gop = fps * 2, bFrames = 0, source = "testsrc2" } = options;
  const folder = mkdtempSync(join(tmpdir(), "tributary-pictures-"));
  try {
    const [raw, boxed] = [join(folder, "a.h264"), join(folder, "a.mp4")];
    const x264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", String(gop)];
    const rates = ["-bf", String(bFrames), "-sc_threshold", "0", "-x264-params", "repeat-headers=1"];
    const input = ["-f", "lavfi", "-i", `${source}=size=${size}:rate=${fps}:duration=${seconds}`];
    const filter = options.filter === undefined ? [] : ["-vf", options.filter];
    run("ffmpeg", ["-v", "error", ...input, ...filter, ...x264, ...rates, boxed]);
    const marked = ["-bsf:v", "h264_mp4toannexb,h264_metadata=aud=insert"];
    run("ffmpeg", ["-v", "error", "-i", boxed, "-c", "copy", ...marked, "-f", "h264", raw]);
    const shown = ["-show_entries", "packet=pts_time", "-of", "csv=p=0", boxed];
    const times = run("ffprobe", ["-v", "error", "-select_streams", "v", ...shown])
      .trim()
      .split("\n")
      .map((line) => Number.parseFloat(line));
    const units = splitAtDelimiters(readFileSync(raw));
    if (units.length !== times.length) throw new Error(`${units.length} pictures, ${times.length} times`);
    // Those in front are shown first; B-frames push the rest back by a constant.
    const firstUs = Math.min(...times) * 1e6;
    const reorderUs = bFrames > 0 ? 2e6 / fps : 0;
    return units.map((bytes, index) => ({
      timeUs: Math.round(times[index]! * 1e6 - firstUs + reorderUs),
      decodeTimeUs: Math.round((index * 1e6) / fps),
      keyframe: contentOf(bytes).keyframe,
      switched: index === 0,
      bytes,
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(program: string, args: readonly string[]): string {
  const result = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr}`);
  return result.stdout;
}

/** Access units of a byte stream with a delimiter in front of each, without the delimiters. */
function splitAtDelimiters(bytes: Uint8Array): Uint8Array[] {
  const units: Uint8Array[][] = [];
  forEachNalUnit(bytes, (type, start, end) => {
    if (type === 9) units.push([]);
    else units.at(-1)?.push(Uint8Array.of(0, 0, 0, 1), bytes.subarray(start, end));
    return true;
  });
  return units.map((parts) => Uint8Array.from(Buffer.concat(parts)));
}
