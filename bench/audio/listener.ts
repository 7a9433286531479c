/**
 * The listener's end on a virtual clock: pulls sound out of the playout as a sound card does, in steps of 5 ms, and notes
 * how late it was and, where the clean sound is known, how far it is from it.
 */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { AudioPlayout, type SoundDecoder } from "../../core/media/audio-playout.ts";
import { type Figures, quantile } from "../report.ts";
import { SPEECH_RATE_HZ } from "./speech.ts";

const FRAME_US = 20_000;
const BLOCK_SAMPLES = 240;
const BLOCK_US = (BLOCK_SAMPLES / SPEECH_RATE_HZ) * 1e6;
/** Segments of the signal-to-noise ratio, 20 ms; silent ones do not count, and each is held between these bounds. */
const SEGMENT_SAMPLES = 960;
const LEAST_POWER = 1e-5;
const LEAST_DB = -10;
const MOST_DB = 35;

/** `atUs` counts from the capture of the first frame. */
export interface Delivery {
  atUs: number;
  unit: AccessUnit;
}

/** An audio unit of the track. */
export function audioUnit(frameId: number, captureTimeUs: number, bytes: Uint8Array): AccessUnit {
  return {
    frameId,
    captureTimeUs,
    keyframe: true,
    discardable: false,
    temporalLayer: 0,
    reference: 0,
    rendition: 0,
    audioLevel: 30,
    voice: true,
    encrypted: false,
    bytes,
  };
}

export class Listener {
  readonly #playout = new AudioPlayout({ frameDurationUs: FRAME_US, minDelayUs: 0, maxDelayUs: 1_000_000 });
  readonly #clean: Float32Array | undefined;
  readonly #delaysMs: number[] = [];
  readonly #targetsMs: number[] = [];
  readonly #snrDb: number[] = [];
  /** Signal and error of the current segment. */
  #signal = 0;
  #error = 0;
  #compared = 0;

  /** `clean`: samples from the first frame's capture on. */
  constructor(decoder: SoundDecoder, clean?: Float32Array) {
    this.#playout.decoder = decoder;
    this.#clean = clean;
  }

  /** Takes all deliveries, sorted by time, until `endUs`. */
  listen(deliveries: readonly Delivery[], endUs: number): void {
    let next = 0;
    let block: Float32Array = new Float32Array(0);
    for (let nowUs = 0; nowUs < endUs; nowUs += BLOCK_US) {
      while (next < deliveries.length && deliveries[next]!.atUs <= nowUs) {
        const { unit, atUs } = deliveries[next++]!;
        this.#playout.push(unit, atUs);
      }
      for (let wanted = BLOCK_SAMPLES; wanted > 0; ) {
        if (block.length === 0) {
          const fresh = this.#playout.next(nowUs, BLOCK_SAMPLES - wanted);
          if (fresh === undefined) break;
          this.#note(fresh);
          block = fresh;
        }
        const take = Math.min(wanted, block.length);
        block = block.subarray(take);
        wanted -= take;
      }
    }
  }

  #note(block: Float32Array): void {
    this.#delaysMs.push(this.#playout.jitter.delayMs);
    this.#targetsMs.push(this.#playout.jitter.targetMs);
    const from = Math.round((this.#playout.captureUs / 1e6) * SPEECH_RATE_HZ);
    for (let i = 0; i < block.length; i++) {
      const reference = this.#clean?.[from + i];
      if (reference === undefined) continue;
      this.#signal += reference * reference;
      this.#error += (block[i]! - reference) ** 2;
      if (++this.#compared === SEGMENT_SAMPLES) this.#endSegment();
    }
  }

  #endSegment(): void {
    if (this.#signal / SEGMENT_SAMPLES > LEAST_POWER) {
      const db = 10 * Math.log10(this.#signal / Math.max(this.#error, 1e-12));
      this.#snrDb.push(Math.min(MOST_DB, Math.max(LEAST_DB, db)));
    }
    this.#signal = 0;
    this.#error = 0;
    this.#compared = 0;
  }

  /** Shares are of the samples played. */
  figures(): Figures {
    const { counters, underruns } = this.#playout;
    const share = (samples: number): number => samples / counters.played;
    const figures: Figures = {
      concealedShare: share(counters.concealed),
      acceleratedShare: share(counters.stretchedOut),
      expandedShare: share(counters.stretchedIn),
      addedDelayMeanMs: mean(this.#delaysMs),
      addedDelayP95Ms: quantile(this.#delaysMs, 0.95),
      targetMeanMs: mean(this.#targetsMs),
      underrunsPerMinute: underruns / (counters.played / SPEECH_RATE_HZ / 60),
      driftPpm: this.#playout.jitter.pace.driftPpm,
    };
    if (this.#clean !== undefined) figures.segmentalSnrDb = mean(this.#snrDb);
    return figures;
  }
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
