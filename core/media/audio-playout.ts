/**
 * One sound from units to samples: jitter buffer -> decoder -> concealment, joins, comfort noise and time-stretch, in
 * blocks of at most 10 ms with the capture time of their first sample. The decoder is handed in, so that the browser's
 * worker and the benchmarks run the same code.
 */
import type { AccessUnit } from "../delivery/access-unit.ts";
import { ComfortNoise } from "./comfort-noise.ts";
import { JitterBuffer, type JitterBufferOptions } from "./jitter-buffer.ts";
import { carriesPrevious } from "./opus-frame.ts";
import { HISTORY_SAMPLES, join, longer, shorter, WHOLE_WINDOW } from "./time-stretch.ts";

const PLAYOUT_RATE_HZ = 48_000;
const BLOCK_SAMPLES = 480;
/** Concealed sound is as loud as it comes for two frames, then fades over five. */
const FADE_AFTER_SAMPLES = 1_920;
const FADE_SAMPLES = 4_800;
/** Samples that a late unit is cross-faded over, 5 ms. */
const JOIN_SAMPLES = 240;
const LEAST_LIKENESS = 0.9;
/** Far over the target a less than perfect cut is the smaller evil. */
const LEAST_LIKENESS_FAST = 0.5;
/** Sound at most this many times as strong as the background is background too. */
const QUIET_TIMES = 4;

/** A decoder of one channel at PLAYOUT_RATE_HZ. Results are the caller's. */
export interface SoundDecoder {
  /** Throws on bytes that are no frame. */
  decode(bytes: Uint8Array): Float32Array;
  /** Goes on without a frame for so many samples, a multiple of 120. */
  conceal(samples: number): Float32Array;
  /** The frame before this one, from the copy in it. Throws on bytes that are no frame. */
  decodeFec(bytes: Uint8Array, samples: number): Float32Array;
}

/** Samples by what became of them, since the start. */
export interface PlayoutCounters {
  played: number;
  /** Made up because a unit was lost or late. */
  concealed: number;
  /** Made from the copy in the unit behind. */
  fromFec: number;
  /** Comfort noise where the sender was silent on purpose. */
  quiet: number;
  /** Put in and taken out by time-stretch; the part that made up for drifting clocks is in both. */
  stretchedIn: number;
  stretchedOut: number;
  forDrift: number;
}

export class AudioPlayout {
  readonly jitter: JitterBuffer;
  /** Undefined until it is loaded; nothing is played before. */
  decoder: SoundDecoder | undefined;
  framesDecoded = 0;
  /** Times that the speaker wanted sound and what was due came after all, but too late. */
  underruns = 0;
  readonly counters: PlayoutCounters = {
    played: 0,
    concealed: 0,
    fromFec: 0,
    quiet: 0,
    stretchedIn: 0,
    stretchedOut: 0,
    forDrift: 0,
  };
  readonly #frameSamples: number;
  readonly #noise = new ComfortNoise();
  #history: Float32Array = new Float32Array(HISTORY_SAMPLES);
  #ahead: Float32Array = new Float32Array(0);
  /** Capture time at the end of what is ahead. */
  #endUs = 0;
  #blockCaptureUs = 0;
  #playing = false;
  /** What is ahead was decoded, not made up: it may be stretched and tells of the background. */
  #genuine = false;
  #concealedInARow = 0;

  constructor(options: JitterBufferOptions) {
    this.jitter = new JitterBuffer(options);
    this.#frameSamples = (PLAYOUT_RATE_HZ * options.frameDurationUs) / 1e6;
  }

  /** Capture time of the first sample of the last block, as the units say it. */
  get captureUs(): number {
    return this.#blockCaptureUs;
  }

  push(unit: AccessUnit, arrivedUs: number): void {
    this.jitter.push(unit, arrivedUs);
  }

  /**
   * The next block, 1 to 480 samples, valid until the next call; undefined when there is nothing to play. `behind`: it
   * will be played so many samples after the first that was asked for at `nowUs`.
   */
  next(nowUs: number, behind = 0): Float32Array | undefined {
    const { decoder } = this;
    if (decoder === undefined) return undefined;
    if (this.#ahead.length === 0 && !this.#refill(decoder, nowUs)) {
      this.#playing = false;
      this.jitter.pace.stopped();
      return undefined;
    }
    if (this.#genuine) this.#keepPace(decoder, nowUs, usOf(this.counters.played - behind));
    const length = Math.min(BLOCK_SAMPLES, this.#ahead.length);
    const block = this.#ahead.subarray(0, length);
    this.#blockCaptureUs = this.#endUs - usOf(this.#ahead.length);
    this.#ahead = this.#ahead.subarray(length);
    this.#remember(block);
    this.counters.played += length;
    return block;
  }

  /** The sound stops on purpose (mute) or starts over (reconnect). */
  reset(): void {
    this.jitter.reset();
    this.#ahead = new Float32Array(0);
    this.#playing = false;
  }

  #remember(block: Float32Array): void {
    this.#history.copyWithin(0, block.length);
    this.#history.set(block, HISTORY_SAMPLES - block.length);
    if (this.#genuine) this.#noise.push(block);
  }

  /** Gets the next samples; false when there is nothing to play. */
  #refill(decoder: SoundDecoder, nowUs: number): boolean {
    const next = this.jitter.pull(nowUs);
    if (next.kind === "silence" || (next.kind !== "unit" && !this.#playing)) return false;
    this.#playing = true;
    if (next.kind === "unit" && next.concealedUs > 0) this.underruns++;
    this.#genuine = next.kind === "unit";
    if (next.kind === "unit") {
      this.#ahead = this.#playUnit(decoder, next.unit, next.concealedUs);
      return true;
    }
    if (next.kind === "quiet") this.#ahead = this.#quiet(samplesOf(next.durationUs));
    else if (next.kind === "lost") this.#ahead = this.#recoverLost(decoder, next.durationUs, next.following);
    else this.#ahead = this.#conceal(decoder, samplesOf(next.durationUs));
    this.#endUs += usOf(this.#ahead.length);
    return true;
  }

  #playUnit(decoder: SoundDecoder, unit: AccessUnit, concealedUs: number): Float32Array {
    // How the concealment would have gone on is what the late unit is joined to.
    const ongoing = concealedUs > 0 ? this.#fade(decoder.conceal(JOIN_SAMPLES)) : undefined;
    this.#concealedInARow = 0;
    const samples = this.#decode(decoder, unit);
    this.#endUs = unit.captureTimeUs + usOf(samples.length);
    return ongoing === undefined ? samples : join(ongoing, samples, samplesOf(concealedUs));
  }

  #decode(decoder: SoundDecoder, unit: AccessUnit): Float32Array {
    try {
      const samples = decoder.decode(unit.bytes);
      this.framesDecoded++;
      return samples;
    } catch {
      // Bytes that are no frame sound like a lost one.
      this.#genuine = false;
      return this.#conceal(decoder, this.#frameSamples);
    }
  }

  #recoverLost(decoder: SoundDecoder, durationUs: number, following: AccessUnit | undefined): Float32Array {
    if (following !== undefined && carriesPrevious(following.bytes)) {
      try {
        const samples = decoder.decodeFec(following.bytes, this.#frameSamples);
        this.jitter.concealedWhole();
        this.#concealedInARow = 0;
        this.counters.fromFec += samples.length;
        return samples;
      } catch {
        // It says that it has a copy and has none: concealed like any other.
        return this.#conceal(decoder, samplesOf(durationUs));
      }
    }
    return this.#conceal(decoder, samplesOf(durationUs));
  }

  #conceal(decoder: SoundDecoder, length: number): Float32Array {
    const samples = this.#fade(decoder.conceal(length));
    this.#concealedInARow += length;
    this.counters.concealed += length;
    return samples;
  }

  /** From the third concealed frame on down to the background's noise. */
  #fade(samples: Float32Array): Float32Array {
    for (let i = 0; i < samples.length; i++) {
      const over = this.#concealedInARow + i - FADE_AFTER_SAMPLES;
      if (over <= 0) continue;
      const gain = Math.max(0, 1 - over / FADE_SAMPLES);
      samples[i] = samples[i]! * gain + this.#noise.next() * (1 - gain);
    }
    return samples;
  }

  #quiet(length: number): Float32Array {
    this.counters.quiet += length;
    const last = this.#history.at(-1)!;
    // Away from the last sample within a millisecond rather than with a click.
    return Float32Array.from({ length }, (_, i) => this.#noise.next() + last * Math.max(0, 1 - i / 48));
  }

  #keepPace(decoder: SoundDecoder, nowUs: number, playedUs: number): void {
    const captureUs = this.#endUs - usOf(this.#ahead.length);
    const pace = this.jitter.paceAt(nowUs, captureUs, playedUs);
    if (pace.kind === "as-it-is") return;
    const limits = {
      most: Math.floor((pace.mostUs * PLAYOUT_RATE_HZ) / 1e6),
      leastLikeness: pace.fast ? LEAST_LIKENESS_FAST : LEAST_LIKENESS,
      quietPower: this.#noise.power * QUIET_TIMES,
    };
    const before = this.#ahead.length;
    if (pace.kind === "shorter") {
      // Hurry only when there is more to play, or the hurried frame is paid back by concealment.
      if (!this.jitter.holdsFollowing) return;
      const whole = this.#withFollowing(decoder);
      this.#ahead = shorter(whole, limits) ?? whole;
      const cut = whole.length - this.#ahead.length;
      this.counters.stretchedOut += cut;
      this.#noteChange(nowUs, -cut, pace.forDrift);
    } else {
      this.#ahead = longer(this.#history, this.#ahead, limits) ?? this.#ahead;
      this.counters.stretchedIn += this.#ahead.length - before;
      this.#noteChange(nowUs, this.#ahead.length - before, pace.forDrift);
    }
  }

  #noteChange(nowUs: number, added: number, forDrift: boolean): void {
    if (added === 0) return;
    this.jitter.pace.changed(nowUs, usOf(added));
    if (forDrift) this.counters.forDrift += Math.abs(added);
  }

  /** What is ahead, and the next unit when the window is not full without it. */
  #withFollowing(decoder: SoundDecoder): Float32Array {
    const ahead = this.#ahead;
    if (ahead.length >= WHOLE_WINDOW || this.jitter.heldUnits < 1) return ahead;
    const unit = this.jitter.pullFollowing();
    if (unit === undefined) return ahead;
    const samples = this.#decode(decoder, unit);
    this.#endUs = unit.captureTimeUs + usOf(samples.length);
    const whole = new Float32Array(ahead.length + samples.length);
    whole.set(ahead);
    whole.set(samples, ahead.length);
    return whole;
  }
}

function usOf(samples: number): number {
  return (samples / PLAYOUT_RATE_HZ) * 1e6;
}

/** Whole multiples of 2.5 ms, which is what decoders conceal in. */
function samplesOf(durationUs: number): number {
  return Math.max(1, Math.round(durationUs / 2_500)) * 120;
}
