/** Frames of 20 ms to Opus: by the browser's AudioEncoder where it has one, else by libopus in WASM. */
import { loadOpus } from "./opus-module.ts";

export const OPUS_RATE_HZ = 48_000;
export const OPUS_FRAME_US = 20_000;
export const FRAME_SAMPLES = (OPUS_RATE_HZ * OPUS_FRAME_US) / 1e6;
const COMPLEXITY = 8;

export interface OpusSettings {
  bitrateBps: number;
  /** Speech, or any sound. */
  application: "voip" | "audio";
}

export interface OpusEvents {
  /** In order; `frame` is the number that `encode` was given. */
  onPacket(frame: number, bytes: Uint8Array): void;
  onError(message: string): void;
}

export interface OpusEncoding {
  /** Frames that are being encoded, or wait until the encoder is loaded. Whoever encodes keeps it bounded. */
  readonly waiting: number;
  readonly isOpen: boolean;
  /** FRAME_SAMPLES of one channel; they are read before this returns. */
  encode(frame: number, samples: Float32Array<ArrayBuffer>): void;
  close(): void;
}

export function openOpusEncoding(settings: OpusSettings, events: OpusEvents): OpusEncoding {
  const isBuiltIn = typeof AudioEncoder !== "undefined" && typeof AudioData !== "undefined";
  return isBuiltIn ? new BuiltInOpus(settings, events) : new WasmOpus(settings, events);
}

class BuiltInOpus implements OpusEncoding {
  readonly #encoder: AudioEncoder;

  constructor({ bitrateBps, application }: OpusSettings, events: OpusEvents) {
    this.#encoder = new AudioEncoder({
      output: (chunk) => {
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        // Chromium gives some times back a microsecond short.
        events.onPacket(Math.round(chunk.timestamp / OPUS_FRAME_US), bytes);
      },
      error: (error) => events.onError(`the Opus encoder failed: ${error.message}`),
    });
    this.#encoder.configure({
      codec: "opus",
      sampleRate: OPUS_RATE_HZ,
      numberOfChannels: 1,
      bitrate: bitrateBps,
      opus: { frameDuration: OPUS_FRAME_US, application, complexity: COMPLEXITY } as OpusEncoderConfig,
    });
  }

  get waiting(): number {
    return this.#encoder.encodeQueueSize;
  }

  get isOpen(): boolean {
    return this.#encoder.state === "configured";
  }

  encode(frame: number, samples: Float32Array<ArrayBuffer>): void {
    const data = new AudioData({
      format: "f32-planar",
      sampleRate: OPUS_RATE_HZ,
      numberOfFrames: FRAME_SAMPLES,
      numberOfChannels: 1,
      // Chromium's encoder counts output time on from its first input and takes no notice of gaps (a mute, a stalled
      // source): it gets a time without gaps.
      timestamp: frame * OPUS_FRAME_US,
      data: samples,
    });
    this.#encoder.encode(data);
    data.close();
  }

  close(): void {
    if (this.#encoder.state !== "closed") this.#encoder.close();
  }
}

class WasmOpus implements OpusEncoding {
  isOpen = true;
  readonly #events: OpusEvents;
  #waiting: { frame: number; samples: Float32Array }[] = [];
  #encode: ((samples: Float32Array) => Uint8Array) | undefined;
  #free: () => void = () => undefined;

  constructor(settings: OpusSettings, events: OpusEvents) {
    this.#events = events;
    this.#open(settings).catch((error: unknown) => {
      this.isOpen = false;
      events.onError(`the Opus encoder could not be loaded: ${String(error)}`);
    });
  }

  async #open({ bitrateBps, application }: OpusSettings): Promise<void> {
    const { Application, createEncoder } = await loadOpus();
    const encoder = await createEncoder({
      channels: 1,
      sampleRate: OPUS_RATE_HZ,
      application: application === "voip" ? Application.Voip : Application.Audio,
      bitrate: bitrateBps,
      complexity: COMPLEXITY,
      frameSize: FRAME_SAMPLES,
    });
    if (!this.isOpen) return encoder.free();
    this.#free = () => encoder.free();
    this.#encode = (samples) => encoder.encodeFloat(samples).slice();
    for (const { frame, samples } of this.#waiting.splice(0)) this.encode(frame, samples);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  encode(frame: number, samples: Float32Array): void {
    if (this.#encode !== undefined) this.#events.onPacket(frame, this.#encode(samples));
    else this.#waiting.push({ frame, samples: samples.slice() });
  }

  close(): void {
    this.isOpen = false;
    this.#waiting = [];
    this.#encode = undefined;
    this.#free();
    this.#free = () => undefined;
  }
}
