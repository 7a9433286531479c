/** A room as one endless MP3: encodes the programme's sound once, for everybody who listens. */
import type { OutputSpec } from "../../core/wire/bridge-jobs.ts";
import { MAX_HEARD_NAMES } from "../../core/wire/limits.ts";
import type { NowHeard } from "../../core/wire/now-heard.ts";
import type { ProgrammeSink, SoundBlock, Speaker } from "../programme/programme.ts";
import { type Mp3Encoder, openMp3Encoder } from "../sound/mp3-encoder.ts";
import { Audience } from "./audience.ts";
import type { Listener } from "./listener.ts";

export interface Mp3OutputOptions {
  room: string;
  bitrateKbps: Extract<OutputSpec, { type: "mp3" }>["bitrateKbps"];
  /** The room clock, microseconds since the Unix epoch. */
  nowUs(): number;
  /** The encoder has failed: nothing comes any more, and listeners have been let go. Open another output. */
  onFailure(error: Error): void;
}

export interface Mp3Status {
  listeners: number;
  /** From capture to being handed to listeners, of the oldest sample of each chunk, smoothed; null before the first. */
  latencyMs: number | null;
  joined: number;
  droppedSlow: number;
  refused: number;
  sentBytes: number;
}

/** Weight of the newest chunk in `latencyMs`. */
const LATENCY_WEIGHT = 0.1;

export class Mp3Output implements ProgrammeSink {
  readonly room: string;
  readonly bitrateKbps: number;
  readonly #options: Mp3OutputOptions;
  readonly #audience: Audience;
  #encoder: Mp3Encoder | undefined;
  #latencyMs: number | null = null;
  /** Names of who speaks. */
  #speaking: string[] = [];

  private constructor(options: Mp3OutputOptions) {
    this.#options = options;
    this.room = options.room;
    this.bitrateKbps = options.bitrateKbps;
    this.#audience = new Audience({ onSent: (oldestUs) => this.#measure(oldestUs) });
    this.#audience.setTitle(this.#title);
  }

  /** Loads the encoder. Rejects with an Error where WebAssembly does not run. */
  static async open(options: Mp3OutputOptions): Promise<Mp3Output> {
    const output = new Mp3Output(options);
    output.#encoder = await openMp3Encoder({
      bitrateKbps: options.bitrateKbps,
      onFrame: (frame) => output.#audience.push(frame),
    });
    return output;
  }

  onSound(block: SoundBlock): void {
    this.#encode((encoder) => encoder.push(block));
  }

  /** MP3 has no pictures. */
  onPicture(): void {}

  onSpeakers(speakers: readonly Speaker[]): void {
    this.#speaking = speakers.slice(0, MAX_HEARD_NAMES).map(({ name }) => name);
    this.#audience.setTitle(this.#title);
  }

  onEnd(): void {
    this.#encode((encoder) => encoder.finish());
    this.#encoder = undefined;
    this.#audience.end();
  }

  /** `icy`: with metadata in it. Undefined: there are as many listeners as may be. */
  listen(icy: boolean): Listener | undefined {
    return this.#audience.join(icy);
  }

  /** Who is heard now, for everybody to know. */
  get nowHeard(): NowHeard {
    const { room } = this;
    return { room, title: this.#title, speaking: this.#speaking, listeners: this.#audience.size };
  }

  get #title(): string {
    return this.#speaking.length > 0 ? this.#speaking.join(", ") : this.room;
  }

  status(): Mp3Status {
    const { size, joined, droppedSlow, refused, sentBytes } = this.#audience;
    return { listeners: size, latencyMs: this.#latencyMs, joined, droppedSlow, refused, sentBytes };
  }

  #encode(work: (encoder: Mp3Encoder) => void): void {
    if (this.#encoder === undefined) return;
    try {
      work(this.#encoder);
    } catch (cause) {
      this.#encoder = undefined;
      this.#audience.end();
      this.#options.onFailure(new Error("The MP3 encoder failed: start the output again.", { cause }));
    }
  }

  #measure(oldestUs: number): void {
    const latencyMs = Math.max(0, (this.#options.nowUs() - oldestUs) / 1000);
    this.#latencyMs =
      this.#latencyMs === null ? latencyMs : this.#latencyMs + LATENCY_WEIGHT * (latencyMs - this.#latencyMs);
  }
}
