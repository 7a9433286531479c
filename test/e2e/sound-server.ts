/**
 * A sound card for browsers that play nothing without one (Firefox): a PulseAudio of the tests' own, with a speaker that nobody
 * hears and a microphone that hears the test clip over and over.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { TestClip } from "./test-clip.ts";

const READY_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 3_000;
const FORM = "rate=48000 channels=1";
const PLAYER = ["-hide_banner", "-loglevel", "error", "-nostdin", "-re", "-stream_loop", "-1"];

export interface SoundServer {
  /** What a browser needs in its environment to find it. */
  readonly env: Record<string, string>;
  close(): Promise<void>;
}

/** Rejects with what PulseAudio said when it does not get ready. */
export async function startSoundServer(clip: TestClip): Promise<SoundServer> {
  const folder = mkdtempSync(join(tmpdir(), "tributary-sound-"));
  const socket = join(folder, "socket");
  const env = { PULSE_SERVER: `unix:${socket}` };
  const modules = [
    `module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
    `module-null-sink sink_name=speaker ${FORM}`,
    `module-null-sink sink_name=played ${FORM}`,
    // What a sink plays is no microphone to a browser; a source that is made of it is one.
    "module-remap-source source_name=microphone master=played.monitor",
  ];
  const own = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"];
  const server = new Program("pulseaudio", [...own, ...modules.map((module) => `--load=${module}`)], {
    ...env,
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
    PULSE_RUNTIME_PATH: folder,
  });
  const programs = [server];
  const close = async (): Promise<void> => {
    // The player first: it complains when its server goes.
    for (const program of programs.reverse()) await program.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await server.until(() => existsSync(socket));
    const played = ["-i", clip.audioPath, "-f", "pulse", "-device", "played", "-buffer_duration", "40"];
    programs.push(new Program("ffmpeg", [...PLAYER, ...played, "the clip"], env));
  } catch (error) {
    await close();
    throw error;
  }
  return { env, close };
}

class Program {
  readonly #name: string;
  readonly #child: ChildProcess;
  #said = "";

  constructor(name: string, args: string[], env: Record<string, string>) {
    this.#name = name;
    this.#child = spawn(name, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } });
    this.#child.on("error", (error) => {
      this.#said += String(error);
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
  }

  async until(isReady: () => boolean): Promise<void> {
    const endMs = performance.now() + READY_TIMEOUT_MS;
    while (!isReady()) {
      if (this.#isOver || performance.now() > endMs)
        throw new Error(`${this.#name} did not get ready:\n${this.#said}`);
      await wait(20);
    }
  }

  get #isOver(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async stop(): Promise<void> {
    if (this.#isOver) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  }
}
