/** An Icecast source server on a real socket that keeps what it is sent, and the programs that tests send with. */
import { type ChildProcess, spawn } from "node:child_process";
import type {
  IcecastControl,
  IcecastEnd,
  IcecastRequest,
  IcecastSink,
} from "../../bridge/icecast/icecast-sink.ts";
import { SourceServer } from "../../bridge/icecast/source-server.ts";
import { openFfmpegSoundDecoder } from "../../bridge/node/ffmpeg-sound-decoder.ts";
import { listenTcp } from "../../bridge/node/tcp.ts";
import {
  BLOCK_SAMPLES,
  BLOCK_US,
  SAMPLE_RATE_HZ,
  type SoundBlock,
} from "../../bridge/programme/programme.ts";
import { wallClock } from "../sim/wall-clock.ts";

export const KEY = "a-key-of-sixteen-or-more";

/** One source as it arrived. */
export class Heard implements IcecastSink {
  readonly control: IcecastControl;
  readonly titles: string[] = [];
  readonly ended: Promise<IcecastEnd>;
  blocks = 0;
  /** Blocks that began elsewhere than where the one before ended. */
  breaks = 0;
  /** Upward zero crossings of each block that is loud, left. */
  readonly crossings: number[] = [];
  #end: (end: IcecastEnd) => void = () => undefined;
  #nextUs: number | undefined;
  #last = 0;

  constructor(control: IcecastControl) {
    this.control = control;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  onSound({ timeUs, left }: SoundBlock): void {
    if (this.#nextUs !== undefined && timeUs !== this.#nextUs) this.breaks += 1;
    this.#nextUs = timeUs + BLOCK_US;
    this.blocks += 1;
    let crossings = 0;
    let loudest = 0;
    for (const value of left) {
      if (this.#last < 0 && value >= 0) crossings += 1;
      loudest = Math.max(loudest, Math.abs(value));
      this.#last = value;
    }
    if (loudest > 0.05) this.crossings.push(crossings);
  }

  onTitle(title: string): void {
    this.titles.push(title);
  }

  onEnd(end: IcecastEnd): void {
    this.#end(end);
  }

  /** What is heard, from the loud blocks; NaN where there are none. */
  get toneHz(): number {
    const sum = this.crossings.reduce((a, b) => a + b, 0);
    return (sum * SAMPLE_RATE_HZ) / (this.crossings.length * BLOCK_SAMPLES);
  }
}

export interface Icecast {
  readonly port: number;
  readonly server: SourceServer;
  readonly heard: Heard[];
  readonly requests: IcecastRequest[];
  readonly log: string[];
  close(): void;
}

export async function startIcecast(): Promise<Icecast> {
  const heard: Heard[] = [];
  const requests: IcecastRequest[] = [];
  const log: string[] = [];
  const server = new SourceServer({
    clock: wallClock,
    openDecoder: openFfmpegSoundDecoder,
    log: (line) => log.push(line),
    async authorise(request) {
      requests.push(request);
      if (request.streamKey !== KEY) {
        return { granted: false, wrongKey: true, message: "There is no ingest with this stream key." };
      }
      return {
        granted: true,
        publication: "radio",
        open(control) {
          const one = new Heard(control);
          heard.push(one);
          return one;
        },
      };
    },
  });
  const listener = await listenTcp({
    host: "127.0.0.1",
    port: 0,
    maxConnections: 100,
    onSocket(socket) {
      server.accept(socket).catch((error: unknown) => log.push(`FAULT ${String(error)}`));
    },
  });
  return {
    port: listener.port,
    server,
    heard,
    requests,
    log,
    close() {
      server.close("The test is over.");
      listener.close();
    },
  };
}

export interface Run {
  child: ChildProcess;
  /** Exit status and all that it said, when it has ended. */
  done: Promise<{ code: number | null; said: string }>;
}

export function run(program: string, args: readonly string[], input?: Uint8Array): Run {
  const child = spawn(program, args, { stdio: "pipe" });
  let said = "";
  const listen = (bytes: Uint8Array): void => {
    said += new TextDecoder().decode(bytes);
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  // A program that ends before it has read all is judged by its status.
  child.stdin.on("error", () => undefined);
  if (input !== undefined) child.stdin.end(input);
  const done = new Promise<{ code: number | null; said: string }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, said }));
  });
  return { child, done };
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
