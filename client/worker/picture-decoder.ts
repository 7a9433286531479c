/** The browser's decoder of one remote picture: opened when its codec is known, opened again when it fails, given up when it does nothing else. */
import { spokenCodec } from "../../core/media/picture-codecs.ts";

/** A decoder that fails this often, without a picture in between, is not opened again. */
const MAX_FAILURES = 3;

export interface PictureDecoderEvents {
  onFrame(frame: VideoFrame): void;
  /** It failed and has been opened again: it needs a keyframe. */
  onFailed(message: string): void;
  /** There will be no picture. */
  onUndecodable(message: string): void;
}

export class PictureDecoder {
  readonly #events: PictureDecoderEvents;
  #codec = "";
  #decoder: VideoDecoder | undefined;
  #failures = 0;

  constructor(events: PictureDecoderEvents) {
    this.#events = events;
  }

  /** Opens it for a codec that this browser has; returns false when it is open for that already. */
  setCodec(codec: string): boolean {
    if (codec === this.#codec) return false;
    this.#codec = codec;
    this.#failures = 0;
    this.#open();
    return true;
  }

  get isOpen(): boolean {
    return this.#decoder?.state === "configured";
  }

  /** Units that wait to be decoded. */
  get waiting(): number {
    return this.#decoder?.decodeQueueSize ?? 0;
  }

  decode(keyframe: boolean, timestampUs: number, data: Uint8Array): void {
    const type = keyframe ? "key" : "delta";
    this.#decoder?.decode(new EncodedVideoChunk({ type, timestamp: timestampUs, data }));
  }

  close(): void {
    if (this.#decoder !== undefined && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = undefined;
  }

  #open(): void {
    this.close();
    const decoder = new VideoDecoder({
      output: (frame) => {
        this.#failures = 0;
        this.#events.onFrame(frame);
      },
      error: (error) => {
        if (decoder !== this.#decoder) return;
        this.#decoder = undefined;
        const message = `the ${spokenCodec(this.#codec)} decoder failed: ${error.message}`;
        if (++this.#failures >= MAX_FAILURES) return this.#events.onUndecodable(message);
        this.#open();
        this.#events.onFailed(message);
      },
    });
    decoder.configure({ codec: this.#codec, optimizeForLatency: true });
    this.#decoder = decoder;
  }
}
