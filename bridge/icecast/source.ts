/** One running source: its bytes go through a decoder and the pace of the clock into the sink, until one of many ends. */
import type { Clock } from "../../core/clock.ts";
import type { ForeignFormat, OpenSoundDecoder, SoundDecoder } from "../sound/sound-decoder.ts";
import type { IcecastControl, IcecastEnd, IcecastSink, IcecastStats } from "./icecast-sink.ts";
import { MAX_TEXT_CHARS } from "./limits.ts";
import { PacedSound } from "./paced-sound.ts";

export interface SourceOptions {
  clock: Clock;
  format: ForeignFormat;
  remoteAddress: string;
  openDecoder: OpenSoundDecoder;
  open(control: IcecastControl): IcecastSink;
  /** It is over, whoever ended it. */
  onOver(end: IcecastEnd): void;
}

/** Bytes that the decoder is given at once. */
const STEP_BYTES = 4_096;

export class Source implements IcecastControl {
  readonly remoteAddress: string;
  readonly #options: SourceOptions;
  readonly #decoder: SoundDecoder;
  readonly #pace: PacedSound;
  readonly #sink: IcecastSink;
  #bytes = 0;
  #over = false;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.remoteAddress = options.remoteAddress;
    this.#pace = new PacedSound({
      clock: options.clock,
      onBlock: (block) => this.#sink.onSound(block),
      pause: () => this.#decoder.pause(),
      resume: () => this.#decoder.resume(),
    });
    this.#decoder = options.openDecoder({
      format: options.format,
      onSound: (left, right) => this.#pace.push(left, right),
      onFailure: (error) =>
        this.finishWith({
          code: error.reason === "missing" ? "ended-here" : "malformed",
          message: error.message,
        }),
    });
    this.#sink = options.open(this);
  }

  get over(): boolean {
    return this.#over;
  }

  get stats(): Readonly<IcecastStats> {
    const { blocks, gaps, skippedBlocks } = this.#pace;
    return { bytes: this.#bytes, blocks, gaps, skippedBlocks };
  }

  get delayMs(): number {
    return this.#pace.waitingMs;
  }

  /** Resolves when more is welcome: the sender waits as long. */
  async push(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#over; at += STEP_BYTES) {
      const step = bytes.subarray(at, at + STEP_BYTES);
      this.#bytes += step.length;
      this.#decoder.push(step);
      await this.#decoder.ready();
    }
  }

  title(text: string): void {
    if (!this.#over)
      this.#sink.onTitle(
        text
          .replaceAll(/\p{Cc}/gu, " ")
          .trim()
          .slice(0, MAX_TEXT_CHARS),
      );
  }

  /** Nothing more is pushed; resolves when all sound has had its turn. */
  async finish(): Promise<void> {
    await this.#decoder.end();
    await this.#pace.finish();
    this.finishWith({ code: "finished", message: "The sender is done." });
  }

  end(message: string): void {
    this.finishWith({ code: "ended-here", message });
  }

  /** The first end counts. */
  finishWith(end: IcecastEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#decoder.close();
    this.#pace.close();
    this.#sink.onEnd(end);
    this.#options.onOver(end);
  }
}
