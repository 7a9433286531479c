/** AudioWorklet that records what comes in as one channel, in blocks of about 10 ms, for the port that it is given first. */
import type { SoundMessage } from "./captured-sound.ts";

/** Four render quanta. */
const BLOCK_SAMPLES = 512;

class CaptureProcessor extends AudioWorkletProcessor {
  #port: MessagePort | undefined;
  #block = new Float32Array(BLOCK_SAMPLES);
  #filled = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<MessagePort | "end">) => {
      if (data === "end") this.#port?.postMessage("end" satisfies SoundMessage);
      else this.#port = data;
    };
  }

  override process([channels = []]: Float32Array[][]): boolean {
    const count = channels[0]?.length ?? 0;
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i]!;
      this.#block[this.#filled + i] = sum / channels.length;
    }
    this.#filled += count;
    if (this.#filled === BLOCK_SAMPLES) this.#send(currentFrame + count - BLOCK_SAMPLES);
    return true;
  }

  #send(firstSample: number): void {
    const samples = this.#block;
    this.#block = new Float32Array(BLOCK_SAMPLES);
    this.#filled = 0;
    const timestampUs = (firstSample / sampleRate) * 1e6;
    const sound: SoundMessage = { timestampUs, rateHz: sampleRate, samples };
    this.#port?.postMessage(sound, [samples.buffer]);
  }
}

registerProcessor("tributary-capture", CaptureProcessor);
