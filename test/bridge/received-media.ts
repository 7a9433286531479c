/** Looks into a file of H.264 and AAC with ffprobe and ffmpeg: streams, times, flashes of the picture, samples of the sound. */
import { runProgram } from "./run-program.ts";

const RATE_HZ = 48_000;

export interface ReceivedUnit {
  kind: "audio" | "video";
  seconds: number;
  keyframe: boolean;
}

/** What ffprobe says of each stream: codec, profile, rates. */
export async function streamsOf(file: string): Promise<Record<string, string | number>[]> {
  const json = await runProgram("ffprobe", ["-v", "error", "-show_streams", "-of", "json", file]);
  return JSON.parse(json.toString()).streams;
}

/** Every encoded unit in the order of the file, with its decode time. */
export async function unitsOf(file: string): Promise<ReceivedUnit[]> {
  const entries = ["-show_entries", "packet=codec_type,dts_time,flags"];
  const json = await runProgram("ffprobe", ["-v", "error", ...entries, "-of", "json", file]);
  const units: { codec_type: "audio" | "video"; dts_time: string; flags: string }[] = JSON.parse(
    json.toString(),
  ).packets;
  return units.map(({ codec_type, dts_time, flags }) => ({
    kind: codec_type,
    seconds: Number(dts_time),
    keyframe: flags.includes("K"),
  }));
}

export interface ReceivedPicture {
  seconds: number;
  width: number;
  height: number;
  /** Mean brightness, 0..255. */
  brightness: number;
}

/** Every picture as decoded. Rejects when a decoder finds a fault. */
export async function picturesOf(file: string): Promise<ReceivedPicture[]> {
  // ffmpeg makes its filters anew where the size changes; ffprobe's own filters fall over it. So sizes are read apart.
  const print = ["-vf", "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"];
  const [printed, json] = await Promise.all([
    runProgram("ffmpeg", [
      ...[
        "-v",
        "error",
        "-xerror",
        "-i",
        file,
        "-an",
        ...print,
        "-fps_mode",
        "passthrough",
        "-f",
        "null",
        "-",
      ],
    ]),
    runProgram("ffprobe", [
      ...["-v", "error", "-select_streams", "v", "-show_entries", "frame=width,height", "-of", "json", file],
    ]),
  ]);
  const sizes: { width: number; height: number }[] = JSON.parse(json.toString()).frames;
  const measured = [...printed.toString().matchAll(/pts_time:(\S+)\s+lavfi\.signalstats\.YAVG=(\S+)/g)];
  if (measured.length !== sizes.length) throw new Error(`${measured.length} pictures, ${sizes.length} sizes`);
  return measured.map(([, seconds, brightness], index) => ({
    seconds: Number(seconds),
    brightness: Number(brightness),
    ...sizes[index]!,
  }));
}

/** One channel at 48 kHz; sample 0 belongs to the time of the first sound unit. */
export async function samplesOf(file: string, channel: "left" | "right"): Promise<Float32Array> {
  const pan = `pan=mono|c0=${channel === "left" ? "c0" : "c1"}`;
  const raw = await runProgram("ffmpeg", [
    ...["-v", "error", "-xerror", "-i", file, "-af", pan, "-ar", String(RATE_HZ), "-f", "f32le", "-"],
  ]);
  return new Float32Array(raw.buffer, raw.byteOffset, raw.length >> 2).slice();
}

/** One hash of all encoded sound and pictures, whatever is around them. */
export async function contentHashOf(file: string): Promise<string> {
  const args = ["-v", "error", "-i", file, "-map", "0", "-c", "copy", "-f", "streamhash", "-"];
  return (await runProgram("ffmpeg", args)).toString();
}
