/**
 * AAC-LC (ISO/IEC 14496-3) of a programme's sound: blocks of 20 ms in, raw access units of 1024 samples out, each with the capture
 * time of its first sample. The codec is @mediabunny/aac-encoder's (libavcodec in WebAssembly, in a worker of its own), reached
 * through a mediabunny output whose bytes go nowhere.
 */
import { registerAacEncoder } from "@mediabunny/aac-encoder";
import { AdtsOutputFormat, AudioSample, AudioSampleSource, NullTarget, Output } from "mediabunny";
import { BLOCK_SAMPLES, SAMPLE_RATE_HZ, type SoundBlock } from "../programme/programme.ts";
import { MAX_WAITING_BLOCKS } from "./limits.ts";
import { SampleClock } from "./sample-clock.ts";
import type { SoundEncoder, SoundEncoderOptions } from "./sound-encoder.ts";

/** Samples of one AAC-LC access unit. */
const AAC_FRAME_SAMPLES = 1024;
/**
 * A decoder puts out what an access unit holds so many samples later than the encoder took it in: the transform overlaps by half,
 * so the first unit holds only what comes before the first sample (ISO/IEC 14496-24).
 */
const PRIMING_SAMPLES = 1024;
const CHANNELS = 2;
/** The encoder looks one access unit ahead; when it has put nothing out after so much it never will. */
const MAX_WARM_UP_SAMPLES = 16 * AAC_FRAME_SAMPLES;

/** Loads and starts the encoder. Rejects with an Error that says why it does not run here. */
export async function openAacEncoder(options: SoundEncoderOptions): Promise<SoundEncoder> {
  registerAacEncoder();
  const encoder = new AacEncoder(options);
  await encoder.start();
  return encoder;
}

class AacEncoder implements SoundEncoder {
  readonly frameSamples = AAC_FRAME_SAMPLES;
  readonly #options: SoundEncoderOptions;
  readonly #clock = new SampleClock();
  readonly #source: AudioSampleSource;
  readonly #output: Output;
  /** One channel after the other. */
  readonly #waiting: Float32Array<ArrayBuffer>[] = [];
  #config: Uint8Array | undefined;
  #samplesIn = 0;
  #framesOut = 0;
  #closed = false;
  #running: Promise<void> | undefined;
  #ended = false;
  droppedBlocks = 0;

  constructor(options: SoundEncoderOptions) {
    this.#options = options;
    this.#source = new AudioSampleSource({
      codec: "aac",
      bitrate: options.bitrateBps,
      onEncodedPacket: (unit, meta) => this.#take(unit.data, meta?.decoderConfig?.description),
    });
    this.#output = new Output({ format: new AdtsOutputFormat(), target: new NullTarget() });
    this.#output.addAudioTrack(this.#source);
  }

  get config(): Uint8Array {
    if (this.#config === undefined) throw new Error("The AAC encoder has not started: await openAacEncoder.");
    return this.#config;
  }

  /** Encodes silence until the first access unit comes, which brings the configuration. */
  async start(): Promise<void> {
    try {
      await this.#output.start();
      while (this.#config === undefined && this.#samplesIn < MAX_WARM_UP_SAMPLES) {
        await this.#encode(new Float32Array(AAC_FRAME_SAMPLES * CHANNELS));
      }
      if (this.#config === undefined) throw new Error("it puts nothing out");
    } catch (cause) {
      this.close();
      throw new Error("The AAC encoder does not start: is @mediabunny/aac-encoder installed whole?", {
        cause,
      });
    }
  }

  push(block: SoundBlock): void {
    if (this.#ended) return;
    if (this.#waiting.length >= MAX_WAITING_BLOCKS) {
      this.droppedBlocks += 1;
      return;
    }
    const samples = new Float32Array(BLOCK_SAMPLES * CHANNELS);
    samples.set(block.left, 0);
    samples.set(block.right, BLOCK_SAMPLES);
    this.#clock.mark(this.#samplesIn + this.#waiting.length * BLOCK_SAMPLES, block.timeUs);
    this.#waiting.push(samples);
    this.#running ??= this.#run();
  }

  async finish(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#running;
    if (this.#closed) return;
    await this.#output.finalize();
    // That has ended the worker, too.
    this.#closed = true;
  }

  close(): void {
    this.#ended = true;
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.length = 0;
    // Ends the worker. Nothing is written anywhere, so there is nothing that could fail to be.
    this.#output.cancel().catch(() => undefined);
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const samples = this.#waiting[0];
        if (samples === undefined || this.#closed) break;
        // Taken off the queue at once with being counted, for push() numbers new blocks by both.
        this.#waiting.shift();
        await this.#encode(samples);
      }
    } catch (cause) {
      this.close();
      this.#options.onFailure(new Error("The AAC encoder has failed: open another one.", { cause }));
    } finally {
      this.#running = undefined;
    }
  }

  async #encode(samples: Float32Array<ArrayBuffer>): Promise<void> {
    const timestamp = this.#samplesIn / SAMPLE_RATE_HZ;
    this.#samplesIn += samples.length / CHANNELS;
    const sample = new AudioSample({
      data: samples,
      format: "f32-planar",
      numberOfChannels: CHANNELS,
      sampleRate: SAMPLE_RATE_HZ,
      timestamp,
    });
    try {
      await this.#source.add(sample);
    } finally {
      sample.close();
    }
  }

  #take(bytes: Uint8Array, config: AllowSharedBufferSource | undefined): void {
    if (config !== undefined) this.#config = copyOf(config);
    const firstSample = this.#framesOut * AAC_FRAME_SAMPLES - PRIMING_SAMPLES;
    this.#framesOut += 1;
    const timeUs = this.#clock.timeOf(firstSample);
    // What is before the first block is the silence that it was started with.
    if (timeUs !== undefined && !this.#closed) this.#options.onFrame({ timeUs, bytes });
  }
}

function copyOf(source: AllowSharedBufferSource): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()
    : new Uint8Array(source).slice();
}
