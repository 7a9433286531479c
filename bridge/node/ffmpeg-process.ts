/** One ffmpeg that takes and gives pictures through pipes: what it writes, what it complains of, and how it ended. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { MAX_COMPLAINT_CHARS } from "../grid/limits.ts";
import { PictureCodecError } from "../grid/picture-codec.ts";

export interface FfmpegEvents {
  onOutput(bytes: Uint8Array): void;
  /** A line of its standard error; true: it is no complaint. */
  onLine?(line: string): boolean;
  /** Once, unless `close` was called before. */
  onFailure(error: PictureCodecError): void;
}

export class FfmpegProcess {
  readonly #program: string;
  readonly #events: FfmpegEvents;
  readonly #child: ChildProcessWithoutNullStreams;
  #line = "";
  #complaint = "";
  #isOver = false;

  constructor(program: string, args: readonly string[], events: FfmpegEvents) {
    this.#program = program;
    this.#events = events;
    const quiet = ["-hide_banner", "-nostdin", "-loglevel", "error"];
    this.#child = spawn(program, [...quiet, ...args], { stdio: "pipe", windowsHide: true });
    const { stdin, stdout, stderr } = this.#child;
    // What breaks its input ends the process too, and that is told once, by "close".
    stdin.on("error", () => undefined);
    stdout.on("data", (bytes: Uint8Array) => this.#take(bytes));
    stderr.on("data", (bytes: Uint8Array) => this.#listen(bytes));
    this.#child.once("error", (cause) => this.#end("missing", cause));
    this.#child.once("close", (code, signal) => {
      this.#end(signal === null ? `with status ${code ?? "unknown"}` : `by ${signal}`);
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Bytes that wait to be taken. */
  get backlogBytes(): number {
    return this.#isOver ? 0 : this.#child.stdin.writableLength;
  }

  /** The bytes must not change before `onTaken`, which is called in any case. */
  write(bytes: Uint8Array, onTaken: () => void = () => undefined): void {
    if (this.#isOver) onTaken();
    else this.#child.stdin.write(bytes, () => onTaken());
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#child.kill("SIGKILL");
  }

  /** What it gives cannot be read: it is ended. */
  fail(why: string): void {
    this.#complaint = why;
    this.#end("since what it gave cannot be read");
    this.#child.kill("SIGKILL");
  }

  #take(bytes: Uint8Array): void {
    if (!this.#isOver) this.#events.onOutput(bytes);
  }

  #listen(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const lines = `${this.#line}${new TextDecoder().decode(bytes)}`.split("\n");
    this.#line = lines.pop()!.slice(-MAX_COMPLAINT_CHARS);
    for (const line of lines) {
      if (this.#events.onLine?.(line) !== true && line.trim() !== "") this.#complaint = line.trim();
    }
  }

  #end(how: string, cause?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onFailure(how === "missing" ? missing(this.#program, cause) : this.#failed(how));
  }

  #failed(how: string): PictureCodecError {
    const why = this.#complaint === "" ? "" : ` (${this.#complaint.slice(0, MAX_COMPLAINT_CHARS)})`;
    return new PictureCodecError("failed", `ffmpeg ended ${how}${why}; it is started again.`);
  }
}

function missing(program: string, cause: Error | undefined): PictureCodecError {
  return new PictureCodecError(
    "missing",
    `The grid of everybody's pictures needs ffmpeg, and ${program} cannot be run: install it (Debian: apt-get install ffmpeg), or choose another picture.`,
    { cause },
  );
}
