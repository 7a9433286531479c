/**
 * One remote sound: access units -> jitter buffer -> libopus (with concealment) -> samples with the capture time
 * that they were recorded at, taken by the mixer in blocks.
 */
import type { OpusDecoderHandle } from "libopus-wasm";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { JitterBuffer } from "../../core/media/jitter-buffer.ts";
import { PlayoutClock } from "../../core/media/playout-clock.ts";
import { RateMeter } from "../../core/media/rate-meter.ts";
import { SlidingMedian } from "../../core/media/sliding-median.ts";
import { longer, shorter } from "../../core/media/time-stretch.ts";
import { OPUS_RATE_HZ } from "./audio-sender.ts";
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
  readonly jitter: JitterBuffer;
  readonly playout = new PlayoutClock();
  readonly captureToSpeakerMs = new SlidingMedian(200);
  readonly rate = new RateMeter();
  framesDecoded = 0;
  concealedSamples = 0;
  playedSamples = 0;
  timeToFirstUs: number | undefined;
  readonly #frameSamples: number;
  #decoder: OpusDecoderHandle | undefined;
  #samples: Float32Array = new Float32Array(0);
  #at = 0;
  #captureUs = 0;
  #playing = false;
  readonly #notes: PlayedNote[] = [];
  #over = false;

  constructor(frameDurationUs: number, bounds: { minDelayUs: number; maxDelayUs: number }) {
    this.jitter = new JitterBuffer({ frameDurationUs, ...bounds });
    this.#frameSamples = (OPUS_RATE_HZ * frameDurationUs) / 1e6;
    void this.#openDecoder();
  }

  async #openDecoder(): Promise<void> {
    const { createDecoder } = await loadOpus();
    const decoder = await createDecoder({
      channels: 1,
      sampleRate: OPUS_RATE_HZ,
      maxFrameSize: MAX_FRAME_SAMPLES,
    });
    if (this.#over) decoder.free();
    else this.#decoder = decoder;
  }

  /** Takes a unit; its capture time must be on the local clock. */
  push(unit: AccessUnit, arrivedUs: number): void {
    this.rate.push(unit.bytes.length * 8, arrivedUs);
    this.jitter.push(unit, arrivedUs);
  }

  /** Adds the next samples to `out`, which will be at `position` in the speaker ring. */
  mixInto(out: Float32Array, position: number, nowUs: number): void {
    let filled = 0;
    while (filled < out.length) {
      if (this.#at >= this.#samples.length && !this.#refill(nowUs)) return;
      if (filled === 0) this.#note(position);
      const take = Math.min(out.length - filled, this.#samples.length - this.#at);
      for (let i = 0; i < take; i++) out[filled + i]! += this.#samples[this.#at + i]! * this.volume;
      this.#at += take;
      filled += take;
      this.playedSamples += take;
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
    this.jitter.reset();
    this.#samples = new Float32Array(0);
    this.#at = 0;
  }

  close(): void {
    this.#over = true;
    this.#decoder?.free();
    this.#decoder = undefined;
  }

  #note(position: number): void {
    const captureUs = this.#captureUs + (this.#at / OPUS_RATE_HZ) * 1e6 - OPUS_DELAY_US;
    this.#notes.push({ position, captureUs });
    if (this.#notes.length > MAX_NOTES) this.#notes.shift();
  }

  /** Gets the next samples from the jitter buffer. False when there is nothing to play. */
  #refill(nowUs: number): boolean {
    const decoder = this.#decoder;
    if (decoder === undefined) return false;
    const next = this.jitter.pull(nowUs);
    if (next.kind === "silence") {
      this.#playing = false;
      return false;
    }
    const previousEndUs = this.#captureUs + (this.#samples.length / OPUS_RATE_HZ) * 1e6;
    this.#at = 0;
    if (next.kind === "conceal") {
      if (!this.#playing) return false;
      this.#captureUs = previousEndUs;
      this.#samples = decoder.decodePacketLossFloat(this.#frameSamples);
      this.concealedSamples += this.#samples.length;
      return true;
    }
    this.#playing = true;
    this.#captureUs = next.unit.captureTimeUs;
    const decoded = this.#decode(decoder, next.unit);
    this.#samples = decoded;
    if (next.stretch === "shorter") this.#samples = shorter(decoded) ?? decoded;
    else if (next.stretch === "longer") this.#samples = longer(decoded) ?? decoded;
    return true;
  }

  #decode(decoder: OpusDecoderHandle, unit: AccessUnit): Float32Array {
    try {
      const samples = decoder.decodeFloat(unit.bytes);
      this.framesDecoded++;
      return samples;
    } catch {
      // Bytes that are no Opus frame sound like a lost one.
      const samples = decoder.decodePacketLossFloat(this.#frameSamples);
      this.concealedSamples += samples.length;
      return samples;
    }
  }
}
