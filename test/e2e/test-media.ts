/** Streams and recordings that ffmpeg makes from the README's picture and tones, for pages that play them. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../start/dependencies.mjs";

const PICTURE = join(ROOT, "docs/pictures/room.png");
const QUIET = ["-hide_banner", "-loglevel", "error", "-nostdin"];
/** A tone that swells, so that levels move. */
const TONE = "aevalsrc=0.4*sin(440*2*PI*t)*(0.55+0.45*sin(2.3*t))*(0.6+0.4*sin(7.1*t)):s=48000";
const FILTER =
  "scale=640:400,crop=640:360,drawbox=x='mod(t*80,640)':y=352:w=60:h=4:color=0x67d3c5:t=fill,format=yuv420p";
const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "500k", "-g", "15", "-sc_threshold", "0"];
const AAC = ["-c:a", "aac", "-b:a", "96k"];

function inputs(picture: boolean): string[] {
  const shown = picture ? ["-loop", "1", "-framerate", "15", "-i", PICTURE, "-vf", FILTER, ...H264] : [];
  return ["-f", "lavfi", "-i", TONE, ...shown, ...AAC];
}

function hls(folder: string, more: string[]): string[] {
  const names = ["-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", join(folder, "s%d.m4s")];
  const form = ["-f", "hls", "-hls_time", "1", "-hls_segment_type", "fmp4", "-master_pl_name", "index.m3u8"];
  return [...form, ...names, ...more, join(folder, "main.m3u8")];
}

/** A finished stream of `seconds`, with its whole as whole.mp4 and a poster.jpg beside it. */
export function makeRecording(folder: string, seconds: number): void {
  mkdirSync(folder, { recursive: true });
  const run = (...args: string[]): void => {
    const result = spawnSync("ffmpeg", [...QUIET, "-y", ...args], { encoding: "utf8" });
    if (result.status !== 0) throw new Error(`ffmpeg: ${result.stderr}`);
  };
  const flags = "independent_segments+program_date_time";
  run(
    ...inputs(true),
    "-t",
    String(seconds),
    ...hls(folder, ["-hls_playlist_type", "vod", "-hls_flags", flags]),
  );
  run("-i", join(folder, "main.m3u8"), "-c", "copy", join(folder, "whole.mp4"));
  run("-i", PICTURE, "-vf", "scale=640:400,crop=640:360", "-frames:v", "1", join(folder, "poster.jpg"));
}

export interface LiveMedia {
  /** Ends the stream as a bridge does: the playlist says that it is over. */
  end(): Promise<void>;
}

/** A live stream with all of its past; resolves once it can be played. */
export async function startLive(folder: string, picture: boolean): Promise<LiveMedia> {
  mkdirSync(folder, { recursive: true });
  const flags = "independent_segments+program_date_time+temp_file";
  const child = spawn("ffmpeg", [
    ...QUIET,
    "-re",
    ...inputs(picture).flatMap((arg) => (arg === "-loop" ? ["-re", arg] : [arg])),
    ...hls(folder, ["-hls_list_size", "0", "-hls_flags", flags]),
  ]);
  const errors = said(child);
  for (let i = 0; !existsSync(join(folder, "s2.m4s")); i++) {
    if (i > 300 || child.exitCode !== null) throw new Error(`ffmpeg made no stream: ${errors()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { end: () => ended(child) };
}

export interface Radio {
  /** Adds a listener; returns what takes it away. */
  listen(write: (bytes: Uint8Array) => void): () => void;
  end(): Promise<void>;
}

/** A continuous MP3. */
export function startRadio(): Radio {
  const child = spawn("ffmpeg", [
    ...QUIET,
    "-re",
    "-f",
    "lavfi",
    "-i",
    TONE,
    "-b:a",
    "128k",
    "-f",
    "mp3",
    "pipe:1",
  ]);
  said(child);
  const listeners = new Set<(bytes: Uint8Array) => void>();
  child.stdout?.on("data", (bytes: Buffer) => {
    for (const write of listeners) write(bytes);
  });
  return {
    listen(write) {
      listeners.add(write);
      return () => listeners.delete(write);
    },
    end: () => ended(child),
  };
}

function said(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    text += bytes.toString();
  });
  return () => text;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGINT");
  await exit;
}
