/**
 * One microphone of the mix: access units -> libopus (with concealment) -> samples laid where they were captured on the room clock. A
 * sender whose clock runs faster or slower than that is followed by resampling, inaudibly slowly.
 */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { SoundDecoder } from "../../core/media/audio-playout.ts";
import { carriesPrevious } from "../../core/media/opus-frame.ts";
import { BLOCK_SAMPLES, SAMPLE_RATE_HZ } from "./programme.ts";
import { SampleQueue } from "./sample-queue.ts";

/** Opus delays its input by this much (RFC 6716: 312 samples): a unit's first sample is older than the unit says. */
const OPUS_DELAY_US = 6_500;
/** Units that wait to be decoded; at more the oldest is dropped (`overflow`). 2 s of 20 ms. */
const MAX_WAITING_SOUND_UNITS = 100;
/** Lost frames in a row that are concealed; a longer hole is silence. Fewer where nothing follows: that is rather a pause than a loss. */
const MAX_CONCEALED_FRAMES = 5;
const MAX_CONCEALED_AT_END = 2;
/** A unit that is further than this from where the ones before it end starts anew: a mute, a pause, another origin. */
const JUMP_US = 60_000;
/** Differences below this are jitter of capture times. */
const DEAD_BAND_SAMPLES = 96;
/** Below this the correction ends. */
const CALM_SAMPLES = 12;
/** Share of the difference that is made good in each block, and the most of it: 0.5 % is not heard (facts of A/V sync). */
const CORRECTION = 0.02;
const MAX_CORRECTION = 0.005;
/** How fast the smoothed difference follows: a second's time constant. */
const SMOOTHING = 0.02;

export type SoundDrop = "late" | "overflow" | "undecodable";

const usOfSamples = (samples: number): number => (samples / SAMPLE_RATE_HZ) * 1e6;
const samplesOfUs = (us: number): number => (us / 1e6) * SAMPLE_RATE_HZ;

export class SoundSource {
  readonly dropped: Record<SoundDrop, number> = { late: 0, overflow: 0, undecodable: 0 };
  concealedFrames = 0;
  readonly #decoder: SoundDecoder;
  readonly #frameSamples: number;
  readonly #waiting = new Map<number, AccessUnit>();
  readonly #queue = new SampleQueue();
  /** Id of the unit that comes next; undefined while nothing plays. */
  #next: number | undefined;
  /** Capture time of the sample behind the newest decoded one, by the units' own stamps. */
  #endUs = 0;
  #concealedInRow = 0;
  /** Smoothed: samples by which what is read was captured before the time of its block. */
  #behind = 0;
  #isCorrecting = false;

  /** `decoder` gives interleaved stereo at 48 kHz. */
  constructor(decoder: SoundDecoder, frameDurationUs: number) {
    this.#decoder = decoder;
    this.#frameSamples = Math.round(samplesOfUs(frameDurationUs));
  }

  /** Takes a unit; its capture time is on the room clock. */
  push(unit: AccessUnit): void {
    if (this.#next !== undefined && ((unit.frameId - this.#next) | 0) < 0) {
      this.dropped.late++;
      return;
    }
    this.#waiting.set(unit.frameId, unit);
    if (this.#waiting.size <= MAX_WAITING_SOUND_UNITS) return;
    this.#waiting.delete(this.#firstWaiting()!.frameId);
    this.dropped.overflow++;
  }

  /** Adds the 20 ms captured from `timeUs` on, times `gain`. Blocks are asked for one after the other. */
  mixInto(timeUs: number, left: Float32Array, right: Float32Array, gain: number): void {
    let at = 0;
    if (this.#next === undefined) {
      const skipped = this.#start(timeUs);
      if (skipped === undefined) return;
      at = skipped;
    }
    const rate = 1 + this.#correction(timeUs + usOfSamples(at));
    const wanted = BLOCK_SAMPLES - at;
    while (this.#queue.length < this.#queue.needed(wanted, rate)) {
      if (!this.#decodeNext()) break;
    }
    const mixed = this.#queue.mixInto(left, right, at, rate, gain);
    if (mixed < wanted) this.#stop();
  }

  /** Begins with the first unit that belongs into this block: at which sample of it, or undefined while there is none. */
  #start(timeUs: number): number | undefined {
    let first = this.#firstWaiting();
    // What is over before the block begins would only be skipped.
    while (first !== undefined && this.#startUs(first) + usOfSamples(this.#frameSamples) <= timeUs) {
      this.#waiting.delete(first.frameId);
      this.dropped.late++;
      first = this.#firstWaiting();
    }
    if (first === undefined) return undefined;
    const offset = Math.round(samplesOfUs(this.#startUs(first) - timeUs));
    if (offset >= BLOCK_SAMPLES) return undefined;
    this.#next = first.frameId;
    this.#endUs = this.#startUs(first);
    this.#concealedInRow = 0;
    this.#behind = 0;
    this.#isCorrecting = false;
    this.#decodeNext();
    if (offset < 0) this.#queue.skip(-offset);
    return Math.max(0, offset);
  }

  #stop(): void {
    this.#next = undefined;
    this.#queue.clear();
  }

  /** False: nothing comes after what is in the queue, for now. */
  #decodeNext(): boolean {
    const id = this.#next!;
    const unit = this.#waiting.get(id);
    if (unit !== undefined) {
      const startUs = this.#startUs(unit);
      if (Math.abs(startUs - this.#endUs) > JUMP_US) return false;
      this.#waiting.delete(id);
      this.#next = (id + 1) >>> 0;
      this.#concealedInRow = 0;
      const samples = this.#decode(unit);
      this.#queue.push(samples);
      this.#endUs = startUs + usOfSamples(samples.length / 2);
      return true;
    }
    return this.#conceal(id);
  }

  #decode(unit: AccessUnit): Float32Array {
    try {
      return this.#decoder.decode(unit.bytes);
    } catch {
      this.dropped.undecodable++;
      return this.#decoder.conceal(this.#frameSamples);
    }
  }

  #conceal(id: number): boolean {
    const most = this.#waiting.size > 0 ? MAX_CONCEALED_FRAMES : MAX_CONCEALED_AT_END;
    if (this.#concealedInRow >= most) return false;
    const after = this.#waiting.get((id + 1) >>> 0);
    const samples = this.#restore(after) ?? this.#decoder.conceal(this.#frameSamples);
    this.#next = (id + 1) >>> 0;
    this.#concealedInRow++;
    this.concealedFrames++;
    this.#queue.push(samples);
    this.#endUs += usOfSamples(samples.length / 2);
    return true;
  }

  /** A lost frame from the copy in the one behind it, where that has one. */
  #restore(after: AccessUnit | undefined): Float32Array | undefined {
    if (after === undefined || !carriesPrevious(after.bytes)) return undefined;
    try {
      return this.#decoder.decodeFec(after.bytes, this.#frameSamples);
    } catch {
      return undefined; // What is wrong with it is counted when its own turn comes.
    }
  }

  /** By how much faster than its own rate the queue is to be read. */
  #correction(timeUs: number): number {
    const readUs = this.#endUs - usOfSamples(this.#queue.length);
    this.#behind += (samplesOfUs(timeUs - readUs) - this.#behind) * SMOOTHING;
    const difference = Math.abs(this.#behind);
    if (difference > DEAD_BAND_SAMPLES) this.#isCorrecting = true;
    else if (difference < CALM_SAMPLES) this.#isCorrecting = false;
    if (!this.#isCorrecting) return 0;
    const rate = (this.#behind * CORRECTION) / BLOCK_SAMPLES;
    return Math.max(-MAX_CORRECTION, Math.min(MAX_CORRECTION, rate));
  }

  #startUs(unit: AccessUnit): number {
    return unit.captureTimeUs - OPUS_DELAY_US;
  }

  #firstWaiting(): AccessUnit | undefined {
    let first: AccessUnit | undefined;
    for (const unit of this.#waiting.values()) {
      if (first === undefined || ((unit.frameId - first.frameId) | 0) < 0) first = unit;
    }
    return first;
  }
}
