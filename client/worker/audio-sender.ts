/** One microphone or screen sound: captured buffers -> 48 kHz mono frames -> Opus -> access units. */
import { audioLevelOf, VoiceDetector } from "../../core/media/audio-level.ts";
import { CaptureClock } from "../../core/media/capture-clock.ts";
import { Resampler } from "../../core/media/resampler.ts";
import { SampleClock } from "../../core/media/sample-clock.ts";
import type { CapturedSound } from "../audio/captured-sound.ts";
import { type CaptureInput, type CaptureReader, readSound } from "./capture-input.ts";
import { FRAME_SAMPLES, OPUS_RATE_HZ, type OpusEncoding, openOpusEncoding } from "./opus-encoding.ts";
import { workerClock } from "./worker-clock.ts";

const BITRATE_BPS = { microphone: 40_000, "screen-audio": 96_000 } as const;
/** Frames in the encoder at once; at more the capture is dropped (`encoder-busy`). */
const MAX_ENCODING = 10;
/** Frames whose level is remembered until the encoder gives them back. */
const MAX_NOTES = 64;

/** An encoded frame with its local capture time. */
export interface EncodedAudio {
  captureUs: number;
  level: number;
  voice: boolean;
  bytes: Uint8Array;
}

export interface AudioSenderEvents {
  onFrame(frame: EncodedAudio): void;
  /** The source ended (device unplugged, sharing stopped). */
  onEnd(): void;
  onError(message: string): void;
}

export class AudioSender {
  /** While true captured sound is thrown away before the encoder. */
  paused = false;
  framesEncoded = 0;
  framesDropped = 0;
  readonly #events: AudioSenderEvents;
  readonly #originsUs: readonly number[];
  readonly #encoder: OpusEncoding;
  readonly #voice = new VoiceDetector();
  /** By frame number. */
  readonly #notes = new Map<number, { captureUs: number; level: number; voice: boolean }>();
  readonly #frame = new Float32Array(FRAME_SAMPLES);
  #filled = 0;
  #frameCaptureUs = 0;
  #lastCaptureUs = 0;
  #nextFrame = 0;
  #reader: CaptureReader<CapturedSound> | undefined;
  #over = false;

  /** `originsUs`: places on the local clock that capture timestamps may count from. */
  constructor(source: keyof typeof BITRATE_BPS, originsUs: readonly number[], events: AudioSenderEvents) {
    this.#events = events;
    this.#originsUs = originsUs;
    const settings = {
      bitrateBps: BITRATE_BPS[source],
      application: source === "microphone" ? "voip" : "audio",
    } as const;
    this.#encoder = openOpusEncoding(settings, {
      onPacket: (frame, bytes) => this.#onPacket(frame, bytes),
      onError: (message) => events.onError(message),
    });
  }

  /** Takes sound from here from now on; an earlier source is let go. */
  read(input: CaptureInput<AudioData>): void {
    const earlier = this.#reader;
    const reader = readSound(input, () => this.framesDropped++);
    this.#reader = reader;
    this.#filled = 0;
    earlier?.cancel();
    void this.#readAll(reader);
  }

  stop(): void {
    this.#over = true;
    this.#reader?.cancel();
    this.#encoder.close();
  }

  async #readAll(reader: CaptureReader<CapturedSound>): Promise<void> {
    const originsUs = reader.hasOwnClock ? [] : this.#originsUs;
    let clock: CaptureClock | undefined;
    const sampleClock = new SampleClock();
    let resampler: { rateHz: number; convert: Resampler | undefined } | undefined;
    for (;;) {
      const sound = await reader.read();
      if (sound === undefined) break;
      if (this.#over || reader !== this.#reader) continue;
      const { samples, rateHz } = sound;
      const durationUs = (samples.length / rateHz) * 1e6;
      clock ??= new CaptureClock(originsUs, durationUs);
      const statedUs = clock.map(sound.timestampUs, workerClock.nowUs());
      const captureUs = sampleClock.next(statedUs, durationUs);
      if (resampler?.rateHz !== rateHz) {
        const convert = rateHz === OPUS_RATE_HZ ? undefined : new Resampler(rateHz, OPUS_RATE_HZ);
        resampler = { rateHz, convert };
        this.#filled = 0;
      }
      if (this.paused) {
        this.#filled = 0;
        continue;
      }
      this.#collect(resampler.convert?.push(samples) ?? samples, captureUs);
    }
    if (!this.#over && reader === this.#reader) this.#events.onEnd();
  }

  #collect(samples: Float32Array, captureUs: number): void {
    let at = 0;
    while (at < samples.length) {
      if (this.#filled === 0) this.#frameCaptureUs = captureUs + (at / OPUS_RATE_HZ) * 1e6;
      const take = Math.min(FRAME_SAMPLES - this.#filled, samples.length - at);
      this.#frame.set(samples.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled === FRAME_SAMPLES) {
        this.#filled = 0;
        this.#encode();
      }
    }
  }

  #encode(): void {
    if (!this.#encoder.isOpen) return;
    if (this.#encoder.waiting > MAX_ENCODING) {
      this.framesDropped++;
      return;
    }
    const level = audioLevelOf(this.#frame);
    const frame = this.#nextFrame++;
    // Growing, whatever the capture clock does.
    const captureUs = Math.max(Math.round(this.#frameCaptureUs), this.#lastCaptureUs + 1);
    this.#lastCaptureUs = captureUs;
    this.#notes.set(frame, { captureUs, level, voice: this.#voice.push(level) });
    if (this.#notes.size > MAX_NOTES) this.#notes.delete(this.#notes.keys().next().value!);
    this.#encoder.encode(frame, this.#frame);
  }

  #onPacket(frame: number, bytes: Uint8Array): void {
    const note = this.#notes.get(frame);
    if (note === undefined) return;
    this.#notes.delete(frame);
    this.framesEncoded++;
    this.#events.onFrame({ ...note, bytes });
  }
}
