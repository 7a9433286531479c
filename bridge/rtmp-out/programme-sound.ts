/** The programme's sound as AAC frames for as long as the output lasts: opens the encoder, and another one when it fails. */
import type { Clock, Timer } from "../../core/clock.ts";
import type { SoundBlock } from "../programme/programme.ts";
import type { SoundEncoder, SoundEncoderOptions, SoundFrame } from "../sound/sound-encoder.ts";
import { ENCODER_RETRY_MS } from "./limits.ts";

export type OpenEncoder = (options: SoundEncoderOptions) => Promise<SoundEncoder>;

/** What CDNs ask for with pictures. */
const BITRATE_BPS = 128_000;

export class ProgrammeSound {
  readonly #open: OpenEncoder;
  readonly #clock: Clock;
  readonly #onFrame: (frame: SoundFrame, config: Uint8Array) => void;
  #encoder: SoundEncoder | undefined;
  #retry: Timer | undefined;
  #failure: string | undefined;
  #isClosed = false;

  /** `config`: AudioSpecificConfig that the frame needs. */
  constructor(open: OpenEncoder, clock: Clock, onFrame: (frame: SoundFrame, config: Uint8Array) => void) {
    this.#open = open;
    this.#clock = clock;
    this.#onFrame = onFrame;
    this.#start();
  }

  /** A sentence, while there is no encoder. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** What comes before the encoder is there is not heard. */
  push(block: SoundBlock): void {
    this.#encoder?.push(block);
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#encoder?.close();
    this.#encoder = undefined;
  }

  /** Never rejects. */
  async #start(): Promise<void> {
    let own: SoundEncoder | undefined;
    try {
      own = await this.#open({
        bitrateBps: BITRATE_BPS,
        onFrame: (frame) => {
          if (own !== undefined && own === this.#encoder) this.#onFrame(frame, own.config);
        },
        onFailure: (error) => this.#again(error.message),
      });
      if (this.#isClosed) return own.close();
      this.#encoder = own;
      this.#failure = undefined;
    } catch (error) {
      this.#again(error instanceof Error ? error.message : String(error));
    }
  }

  #again(why: string): void {
    if (this.#isClosed) return;
    this.#encoder = undefined;
    this.#failure = `There is no sound: ${why}`;
    this.#retry?.cancel();
    this.#retry = this.#clock.after(ENCODER_RETRY_MS, () => void this.#start());
  }
}
