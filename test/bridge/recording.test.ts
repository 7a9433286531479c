/** A recording under a real process, real media and real players: killed with -9, gone on with, downloaded, read by ffprobe. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileStorage } from "../../bridge/node/file-storage.ts";
import { Catalogue } from "../../bridge/recording/catalogue.ts";
import { History } from "../../bridge/recording/history.ts";
import { historyRoutes } from "../../bridge/recording/history-routes.ts";
import { Recordings } from "../../bridge/recording/recordings.ts";
import { wallClock } from "../../gateway/wall-clock.ts";

let folder = "";
const running: ChildProcess[] = [];

function makeClip(name: string, size: string, seconds: number): string {
  const path = join(folder, name);
  const picture = `testsrc2=size=${size}:rate=25`;
  const args = ["-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i", picture];
  args.push("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", String(seconds));
  args.push("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p");
  args.push("-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-x264-params", "repeat-headers=1");
  args.push("-c:a", "aac", "-b:a", "64k", "-frag_duration", "200000");
  args.push("-movflags", "empty_moov+default_base_moof+cmaf", path);
  execFileSync("ffmpeg", args);
  return path;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "recording-"));
});
afterAll(async () => {
  for (const { pid, exitCode, signalCode } of running) {
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
  }
  await rm(folder, { recursive: true, force: true });
});

interface Writer {
  child: ChildProcess;
  lines: Record<string, unknown>[];
  ended: Promise<number | null>;
}

function startWriter(root: string, clip: string, job: string): Writer {
  const script = join(import.meta.dirname, "recording-writer.deno.ts");
  const config = join(import.meta.dirname, "../../deno.json");
  const deno = join(import.meta.dirname, "../../node_modules/deno/bin.cjs");
  const args = [deno, "run", "-A", "--no-check", "--config", config, script, root, clip, job];
  // A process group of its own: the launcher's child is what is to be killed.
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  running.push(child);
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => lines.push(JSON.parse(line)));
  child.stderr?.on("data", (data) => lines.push({ stderr: String(data) }));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, lines, ended };
}

async function until<T>(find: () => T | undefined, what: () => string): Promise<T> {
  for (let i = 0; i < 600; i++) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`waited in vain: ${what()}`);
}

function probe(path: string): { durationS: number; streams: { codec_type: string; width?: number }[] } {
  const args = ["-v", "error", "-show_format", "-show_streams", "-of", "json", path];
  const { format, streams } = JSON.parse(execFileSync("ffprobe", args, { encoding: "utf8" }));
  return { durationS: Number(format.duration), streams };
}

/** Decodes all of it; what ffmpeg complains of, and how much it saw. */
function play(path: string): { errors: string; frames: number; endS: number } {
  const args = ["-v", "error", "-show_entries", "frame=media_type,pts_time", "-of", "csv=p=0", path];
  const text = execFileSync("ffprobe", args, {
    encoding: "utf8",
    maxBuffer: 1e8,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const frames = text.split("\n").filter((line) => line.startsWith("video,"));
  const times = frames.map((line) => Number(line.split(",")[1]));
  const errors = execFileSync("sh", ["-c", `ffmpeg -v error -i '${path}' -f null - 2>&1`], {
    encoding: "utf8",
  });
  return { errors, frames: frames.length, endS: Math.max(...times) };
}

function historyOf(root: string) {
  const storage = new FileStorage({ root });
  const clock = wallClock();
  const log = (): void => undefined;
  const catalogue = new Catalogue({ storage, clock, log });
  const recordings = new Recordings({
    storage,
    catalogue,
    clock,
    random: Math.random,
    log,
    bridgeId: "reader",
  });
  const history = new History({ storage, catalogue, recordings });
  const app = historyRoutes({ history, storage, log, authorise: async () => true });
  return { storage, catalogue, recordings, history, app };
}

function latest(lines: Record<string, unknown>[], name: string): number {
  return Number(lines.findLast((line) => name in line)?.[name] ?? Number.NaN);
}

describe("recording", () => {
  it("plays to within 1 s of kill -9, is gone on with in another format, and is one file at the end", async () => {
    const root = join(folder, "store");
    const first = startWriter(root, makeClip("one.mp4", "320x180", 30), "job-record-1");
    const fed = (writer: Writer, us: number) => () =>
      latest(writer.lines, "fedUs") >= us ? true : undefined;
    await until(fed(first, 3_700_000), () => JSON.stringify(first.lines.slice(-5)));
    process.kill(-first.child.pid!, "SIGKILL");
    await first.ended;
    const fedS = latest(first.lines, "fedUs") / 1e6;
    const id = String(first.lines.find((line) => "opened" in line)?.opened);
    const media = join(root, "recordings", id, "media.mp4");
    const killed = play(media);
    expect(killed.errors).toBe("");
    expect(killed.endS).toBeGreaterThan(fedS - 1);
    console.info(
      `killed after ${fedS.toFixed(2)} s of media; the last picture is at ${killed.endS.toFixed(2)} s`,
    );

    // And so does the file of a participant beside it.
    const own = play(join(root, "recordings", id, "participants", "1.mp4"));
    expect(own.errors).toBe("");
    expect(own.endS).toBeGreaterThan(fedS - 1);

    // A torn part, as a crash of the machine leaves it.
    const whole = await import("node:fs/promises").then((fs) => fs.readFile(media));
    await writeFile(
      media,
      Buffer.concat([whole, whole.subarray(whole.length - 9_000, whole.length - 2_000)]),
    );

    const second = startWriter(root, makeClip("two.mp4", "640x360", 3), "job-record-1");
    expect(await second.ended, JSON.stringify(second.lines)).toBe(0);
    expect(second.lines.find((line) => "opened" in line)?.opened).toBe(id);
    expect(second.lines.find((line) => line.message === "goes on with a recording")).toMatchObject({
      cutBytes: 7_000,
    });

    const { app, history } = historyOf(root);
    const info = (await history.list({ room: "standup" })).recordings[0]!;
    expect(info).toMatchObject({ id, state: "complete", hasPicture: true, room: "standup" });
    expect(Math.abs(info.durationMs / 1000 - (fedS + 3))).toBeLessThan(0.5);
    const response = await app.request(`/recordings/${id}/download`);
    const path = join(folder, "download.mp4");
    await writeFile(path, new Uint8Array(await response.arrayBuffer()));
    const downloaded = play(path);
    expect(downloaded.errors).toBe("");
    expect(Math.abs(probe(path).durationS - info.durationMs / 1000)).toBeLessThan(0.3);
    expect(downloaded.frames).toBeGreaterThan((info.durationMs / 1000 - 0.5) * 25);
    expect(info.files.map(({ file, identity }) => `${file} ${identity}`)).toEqual(["1.mp4 ann", "2.mp4 ann"]);
    const alonePath = join(folder, "alone.mp4");
    for (const { downloadPath, startMs, durationMs } of info.files) {
      const answer = await app.request(`/${downloadPath}`);
      await writeFile(alonePath, new Uint8Array(await answer.arrayBuffer()));
      const alone = play(alonePath);
      expect(alone.errors).toBe("");
      expect(Math.abs(probe(alonePath).durationS - durationMs / 1000)).toBeLessThan(0.3);
      console.info(
        `file at ${startMs} ms: ${probe(alonePath).durationS.toFixed(2)} s, ${alone.frames} pictures`,
      );
    }
    // The second run's ends with the mix.
    const last = info.files[1]!;
    expect(Math.abs(last.startMs + last.durationMs - info.durationMs)).toBeLessThan(235);
    const poster = await app.request(`/recordings/${id}/poster.jpg`);
    expect(poster.headers.get("content-type")).toBe("image/jpeg");
    expect((await poster.arrayBuffer()).byteLength).toBeGreaterThan(1_000);
    console.info(`download: ${probe(path).durationS.toFixed(2)} s, ${downloaded.frames} pictures`);
  });
});
