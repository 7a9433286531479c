/**
 * One remote sound: access units -> jitter buffer -> libopus (with concealment) -> samples with the capture time
 * that they were recorded at, taken by the mixer in blocks.
 */
import type { OpusDecoderHandle } from "libopus-wasm";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { AudioPlayout } from "../../core/media/audio-playout.ts";
import type { JitterBuffer } from "../../core/media/jitter-buffer.ts";
import { PlayoutClock } from "../../core/media/playout-clock.ts";
import { RateMeter } from "../../core/media/rate-meter.ts";
import { SlidingMedian } from "../../core/media/sliding-median.ts";
import { OPUS_RATE_HZ } from "./opus-encoding.ts";
import { loadOpus } from "./opus-module.ts";

/** Opus delays its input by this much (RFC 6716, "Algorithmic delay": 312 samples); the first sample of a unit is older than the unit says. */
const OPUS_DELAY_US = 6_500;
/** Longest Opus frame, 120 ms. */
const MAX_FRAME_SAMPLES = 5_760;
/** Blocks between mixing and speaker whose capture time is remembered: more than the ring holds. */
const MAX_NOTES = 128;

interface PlayedNote {
  /** Ring position of the block's first sample. */
  position: number;
  captureUs: number;
}

export class AudioReceiver {
  volume = 1;
  readonly playout = new PlayoutClock();
  readonly captureToSpeakerMs = new SlidingMedian(200);
  readonly rate = new RateMeter();
  timeToFirstUs: number | undefined;
  readonly #sound: AudioPlayout;
  #decoder: OpusDecoderHandle | undefined;
  #block: Float32Array = new Float32Array(0);
  #at = 0;
  readonly #notes: PlayedNote[] = [];
  #over = false;

  constructor(frameDurationUs: number, bounds: { minDelayUs: number; maxDelayUs: number }) {
    this.#sound = new AudioPlayout({ frameDurationUs, ...bounds });
    void this.#openDecoder();
  }

  get jitter(): JitterBuffer {
    return this.#sound.jitter;
  }

  get framesDecoded(): number {
    return this.#sound.framesDecoded;
  }

  get concealedSamples(): number {
    return this.#sound.counters.concealed;
  }

  get playedSamples(): number {
    return this.#sound.counters.played;
  }

  async #openDecoder(): Promise<void> {
    const { createDecoder } = await loadOpus();
    const decoder = await createDecoder({
      channels: 1,
      sampleRate: OPUS_RATE_HZ,
      maxFrameSize: MAX_FRAME_SAMPLES,
    });
    if (this.#over) return decoder.free();
    this.#decoder = decoder;
    this.#sound.decoder = {
      decode: (bytes) => decoder.decodeFloat(bytes),
      conceal: (samples) => decoder.decodePacketLossFloat(samples),
      decodeFec: (bytes, samples) => decoder.decodeFloat(bytes, { decodeFec: true, frameSize: samples }),
    };
  }

  /** Takes a unit; its capture time must be on the local clock. */
  push(unit: AccessUnit, arrivedUs: number): void {
    this.rate.push(unit.bytes.length * 8, arrivedUs);
    this.#sound.push(unit, arrivedUs);
  }

  /** Adds the next samples to `out`, which will be at `position` in the speaker ring. */
  mixInto(out: Float32Array, position: number, nowUs: number): void {
    let filled = 0;
    while (filled < out.length) {
      if (this.#at >= this.#block.length) {
        const block = this.#sound.next(nowUs, filled);
        if (block === undefined) return;
        this.#block = block;
        this.#at = 0;
      }
      if (filled === 0) this.#note(position);
      const take = Math.min(out.length - filled, this.#block.length - this.#at);
      for (let i = 0; i < take; i++) out[filled + i]! += this.#block[this.#at + i]! * this.volume;
      this.#at += take;
      filled += take;
    }
  }

  /** The speaker is at `position` now, and what is there is heard at `heardUs`. */
  played(position: number, heardUs: number, joinCalledUs: number): void {
    let note: PlayedNote | undefined;
    while (this.#notes.length > 0 && ((position - this.#notes[0]!.position) | 0) >= 0) {
      note = this.#notes.shift();
    }
    if (note === undefined) return;
    const aheadUs = (((position - note.position) | 0) / OPUS_RATE_HZ) * 1e6;
    this.playout.note(note.captureUs + aheadUs, heardUs);
    this.captureToSpeakerMs.push((heardUs - note.captureUs - aheadUs) / 1000);
    this.timeToFirstUs ??= heardUs - joinCalledUs;
  }

  /** The sound stops on purpose (mute) or starts over (reconnect). */
  reset(): void {
    this.#sound.reset();
    this.#block = new Float32Array(0);
    this.#at = 0;
  }

  close(): void {
    this.#over = true;
    this.#sound.decoder = undefined;
    this.#decoder?.free();
    this.#decoder = undefined;
  }

  #note(position: number): void {
    const captureUs = this.#sound.captureUs + (this.#at / OPUS_RATE_HZ) * 1e6 - OPUS_DELAY_US;
    this.#notes.push({ position, captureUs });
    if (this.#notes.length > MAX_NOTES) this.#notes.shift();
  }
}
