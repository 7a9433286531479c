/** Posters by ffmpeg: the first picture of a bit of MP4 as a JPEG. */
import { spawn } from "node:child_process";
import type { MakePoster } from "../recording/poster.ts";

const MAX_WIDTH = 640;
/** More than a JPEG of that size can be. */
const MAX_OUTPUT_BYTES = 2 * 1024 * 1024;

/** `ffmpeg`: the program. Gives undefined where it is missing, fails, or finds no picture. */
export function ffmpegPoster(ffmpeg = "ffmpeg"): MakePoster {
  return (media, signal) =>
    new Promise((resolve) => {
      const scale = `scale='min(${MAX_WIDTH},iw)':-2`;
      const args = ["-hide_banner", "-loglevel", "error", "-threads", "1", "-f", "mp4", "-i", "pipe:0"];
      args.push("-frames:v", "1", "-vf", scale, "-q:v", "5", "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1");
      const child = spawn(ffmpeg, args, { stdio: ["pipe", "pipe", "ignore"], signal, killSignal: "SIGKILL" });
      const pieces: Uint8Array[] = [];
      let bytes = 0;
      child.stdout.on("data", (piece: Uint8Array) => {
        bytes += piece.length;
        if (bytes <= MAX_OUTPUT_BYTES) pieces.push(piece);
        else child.kill("SIGKILL");
      });
      child.on("error", () => resolve(undefined));
      child.on("close", (code) => {
        const jpeg = new Uint8Array(bytes);
        let at = 0;
        for (const piece of pieces) {
          jpeg.set(piece, at);
          at += piece.length;
        }
        resolve(code === 0 && bytes > 0 ? jpeg : undefined);
      });
      // It may have seen enough before all was written.
      child.stdin.on("error", () => child.stdin.destroy());
      child.stdin.end(media);
    });
}
